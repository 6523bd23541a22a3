import assert from "node:assert/strict";
import fc from "fast-check";
import { copyLarge, copySmall, hashSmall, makeFolders } from "../../../core/io/transfer.ts";
import { CrashError, MemoryFileSystem, type MountOptions } from "../../../testing/memory_file_system.ts";

const signal = new AbortController().signal;
const WANTED: Record<string, string> = { "/nas/a": "abc", "/nas/b": "", "/nas/c/d/e": "x".repeat(100) };
const SOURCE = { "/in/a": "abc", "/in/b": "", "/in/c/d/e": "x".repeat(100) };

/** The engine's use of the byte paths: folders, a batch of small files, a large one. Rejects unless all is claimed. */
async function backUp(fs: MemoryFileSystem): Promise<void> {
  await makeFolders(fs, { root: "/nas", relative: "c/d" }, { durability: "flushed" });
  const files = ["a", "b"].map((name, i) => ({
    from: `/in/${name}`,
    to: `/nas/${name}`,
    temporary: `/nas/.labferry-tmp-${i}`,
    size: [3, 0][i],
  }));
  const results = await copySmall(fs, files, { signal, durability: "flushed" });
  for (const result of results) if (!result.ok) throw new Error(result.message);
  const copy = { from: "/in/c/d/e", to: "/nas/c/d/e", temporary: "/nas/c/d/.labferry-tmp-2" } as const;
  await copyLarge(fs, { ...copy, durability: "flushed" }, { signal });
}

function finalNames(fs: MemoryFileSystem): [string, string][] {
  return Object.entries(fs.tree("/nas")).filter(([path]) => !path.includes(".labferry-tmp-") && !path.endsWith("/"));
}

/** Pseudo-random, so that a failure can be run again. */
function dice(seed: number): () => number {
  return () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
}

async function crashAt(count: number, options: { mount: MountOptions; seed: number }): Promise<boolean> {
  const fs = new MemoryFileSystem({ mounts: { "/nas": options.mount }, files: SOURCE });
  const roll = dice(options.seed);
  fs.fault = (call) => {
    if (call.count === count) throw new CrashError();
  };
  const claimed = await backUp(fs).then(() => true, () => false);
  const crashed = fs.disk.crashed;
  assert.equal(claimed, !crashed);
  fs.crash();
  fs.restart(() => roll() < 0.3 ? "zeros" : roll() < 0.5);
  fs.fault = undefined;
  for (const [path, content] of finalNames(fs)) {
    assert.equal(content, WANTED[path], `${path} after a crash at ${count}`);
  }
  if (claimed) assert.deepEqual(Object.fromEntries(finalNames(fs)), WANTED);
  await backUp(fs);
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(Object.fromEntries(finalNames(fs)), WANTED, `after a crash at ${count} and a second run`);
  return crashed;
}

const MOUNTS: MountOptions[] = [{}, { renameNew: false }, { renameNew: false, links: false }, { barrier: false }];

Deno.test("S22 S7 a crash at any primitive leaves no half-written final name and the next run finishes", async () => {
  for (const mount of MOUNTS) {
    for (let seed = 1; seed <= 3; seed++) {
      let count = 1;
      while (await crashAt(count, { mount, seed })) count++;
      assert.ok(count > 40, "the hook was reached at every primitive");
    }
  }
});

Deno.test("S7 what was claimed as flushed survives the loss of everything unflushed", async () => {
  for (const mount of MOUNTS) {
    const fs = new MemoryFileSystem({ mounts: { "/nas": mount }, files: SOURCE });
    await backUp(fs);
    fs.crash();
    fs.restart(() => true);
    assert.deepEqual(fs.tree("/nas"), WANTED);
  }
});

Deno.test("S7 a missing flush is caught: what is only cached can be lost under its final name", async () => {
  const fs = new MemoryFileSystem({ mounts: { "/nas": {} }, files: SOURCE });
  const file = { from: "/in/a", to: "/nas/a", temporary: "/nas/.t", size: 3 };
  await copySmall(fs, [file], { signal, durability: "cached" });
  await fs.syncDir("/nas");
  fs.crash();
  fs.restart(() => true);
  assert.deepEqual(fs.tree("/nas"), { "/nas/a": "" });
});

Deno.test("no bit flipped on the way to the medium goes unseen by a hash of the target", async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), async (content, bit) => {
    const fs = new MemoryFileSystem({ mounts: { "/nas": {} }, files: { "/in/a": content } });
    fs.fault = ({ operation }) => operation === "write" ? { flipBit: bit } : undefined;
    const file = { from: "/in/a", to: "/nas/a", temporary: "/nas/.t", size: content.length };
    const [copied] = await copySmall(fs, [file], { signal, durability: "flushed" });
    fs.fault = undefined;
    const [proved] = await hashSmall(fs, [{ path: "/nas/a", size: content.length }], { signal, fresh: true });
    assert.ok(copied.ok && proved.ok);
    assert.notEqual(proved.sha256, copied.sha256);
  }));
});
