/**
 * Measures the byte paths on this machine, beside rclone when it is on PATH:
 * `deno run -A bench/byte_paths.ts [large|small|walk] [--fresh] [--peer]`. Scratch goes to the system's temp folder.
 * @module
 */
import { join } from "@std/path";
import { Disk } from "../core/io/disk.ts";
import { temporaryName } from "../core/io/names.ts";
import { copyLarge, copySmall, errorOf, hashFile, hashSmall } from "../core/io/transfer.ts";
import type { SmallResult } from "../core/io/file_system.ts";
import { walkNames, walkTree } from "../core/io/walk.ts";

const LARGE = { files: 4, bytes: 2 ** 30 };
const SMALL = { folders: 20, files: 1000, bytes: 16 * 1024 };
const signal = new AbortController().signal;

function fill(path: string, bytes: number): void {
  using file = Deno.openSync(path, { write: true, create: true });
  const block = new Uint8Array(Math.min(bytes, 2 ** 20));
  for (let at = 0; at < block.length; at += 65_536) crypto.getRandomValues(block.subarray(at, at + 65_536));
  for (let at = 0; at < bytes; at += block.length) {
    new DataView(block.buffer).setUint32(0, at / block.length);
    file.writeSync(block);
  }
}

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  const rss = Math.round(Deno.memoryUsage().rss / 2 ** 20);
  console.log(`${name.padEnd(44)} ${(performance.now() - start).toFixed(0).padStart(7)} ms   rss ${rss} MiB`);
  return result;
}

const tempOf = (index: number) => temporaryName(index.toString(16).padStart(32, "0"));

function failOnError(results: SmallResult[]): void {
  for (const result of results) if (!result.ok) throw errorOf(result);
}

async function lanes<T>(atOnce: number, all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = [...all];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  }));
}

async function peer(source: string, target: string): Promise<void> {
  const run = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("rclone", { args, stdout: "null", stderr: "piped" }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  await timed("rclone copy + check + hashsum sha256", async () => {
    await timed("  rclone copy", () => run("copy", source, target));
    await timed("  rclone check", () => run("check", source, target));
    await timed("  rclone hashsum sha256", () => run("hashsum", "sha256", target));
  });
}

async function large(dir: string, options: { fresh: boolean; atOnce: number }): Promise<void> {
  const { fresh, atOnce } = options;
  await using fs = new Disk();
  const durability = fresh ? "flushed" : "cached";
  const target = join(dir, `ours-${atOnce}-${fresh}`);
  Deno.mkdirSync(target);
  const names = Array.from({ length: LARGE.files }, (_, i) => i);
  await timed(`ours copy + verify, ${atOnce} at once, ${durability}`, async () => {
    await timed("  ours copy", () =>
      lanes(atOnce, names, (i) =>
        copyLarge(fs, {
          from: join(dir, "in", `${i}`),
          to: join(target, `${i}`),
          temporary: join(target, tempOf(i)),
          durability,
        }, { signal })));
    await timed(
      "  ours verify",
      () => lanes(atOnce, names, (i) => hashFile(fs, join(target, `${i}`), { signal, fresh })),
    );
  });
  Deno.removeSync(target, { recursive: true });
}

async function small(dir: string, fresh: boolean): Promise<void> {
  await using fs = new Disk();
  const durability = fresh ? "flushed" : "cached";
  const target = join(dir, `ours-${fresh}`);
  await timed(`ours walk + copy + verify, ${durability}`, async () => {
    const found: { path: string; size: number }[] = [];
    await timed("  ours walk", async () => {
      for await (const entry of walkTree(fs, join(dir, "in"))) if (entry.kind === "file") found.push(entry);
    });
    Deno.mkdirSync(target);
    for (let i = 0; i < SMALL.folders; i++) Deno.mkdirSync(join(target, `${i}`));
    const batches = Array.from(
      { length: Math.ceil(found.length / 1000) },
      (_, i) => found.slice(i * 1000, i * 1000 + 1000),
    );
    await timed("  ours copy", async () => {
      await lanes(2, batches, async (batch) => {
        const files = batch.map(({ path, size }, i) => ({
          from: join(dir, "in", path),
          to: join(target, path),
          temporary: join(target, path, "..", tempOf(i)),
          size,
        }));
        failOnError(await copySmall(fs, files, { signal, durability }));
      });
    });
    await timed("  ours verify", async () => {
      await lanes(2, batches, async (batch) => {
        const files = batch.map(({ path, size }) => ({ path: join(target, path), size }));
        failOnError(await hashSmall(fs, files, { signal, fresh }));
      });
    });
  });
  Deno.removeSync(target, { recursive: true });
}

async function main(): Promise<void> {
  const [what = "all"] = Deno.args.filter((argument) => !argument.startsWith("--"));
  const dir = await Deno.makeTempDir({ prefix: "labferry-bench-" });
  try {
    if (what === "all" || what === "large") {
      const at = join(dir, "large");
      Deno.mkdirSync(join(at, "in"), { recursive: true });
      for (let i = 0; i < LARGE.files; i++) fill(join(at, "in", `${i}`), LARGE.bytes);
      await new Deno.Command("sync").output();
      if (Deno.args.includes("--peer")) {
        await peer(join(at, "in"), join(at, "peer"));
        Deno.removeSync(join(at, "peer"), { recursive: true });
      }
      for (const atOnce of [1, 2]) await large(at, { fresh: Deno.args.includes("--fresh"), atOnce });
      Deno.removeSync(at, { recursive: true });
    }
    if (what === "all" || what === "small" || what === "walk") {
      const at = join(dir, "small");
      for (let folder = 0; folder < SMALL.folders; folder++) {
        Deno.mkdirSync(join(at, "in", `${folder}`), { recursive: true });
        for (let i = 0; i < SMALL.files; i++) fill(join(at, "in", `${folder}`, `${i}.tif`), SMALL.bytes);
      }
      await new Deno.Command("sync").output();
      if (Deno.args.includes("--peer")) await peer(join(at, "in"), join(at, "peer"));
      await using fs = new Disk();
      await timed("walkNames", async () => void await Array.fromAsync(walkNames(fs, join(at, "in"))));
      await timed("walkTree", async () => void await Array.fromAsync(walkTree(fs, join(at, "in"))));
      if (what !== "walk") await small(at, Deno.args.includes("--fresh"));
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

await main();
