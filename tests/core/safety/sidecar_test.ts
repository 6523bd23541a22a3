import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import fc from "fast-check";
import { compareBytes } from "../../../core/io/paths.ts";
import {
  formatSidecarLine,
  hashSidecar,
  parseSidecar,
  parseSidecarLine,
  readSidecar,
  type SidecarEntry,
  type SidecarSummary,
  writeSidecar,
} from "../../../core/safety/sidecar.ts";
import { tempDir } from "../../kit/temp.ts";
import { plainDisk } from "../ledger/_plain_disk.ts";

const A = "a".repeat(64);
const fs = plainDisk();
const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

async function* stream<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const blocks = (text: string, size = 7) => {
  const bytes = new TextEncoder().encode(text);
  return stream(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size)),
  );
};
const parse = (text: string, size?: number) => collect(parseSidecar(blocks(text, size), { name: "s" }));

const HARD_NAMES = [
  "plain.txt",
  "with space.txt",
  " leading space",
  "trailing space ",
  "*star",
  "-dash",
  "-",
  "--help",
  "back\\slash",
  "\\leading backslash",
  "new\nline",
  "carriage\rreturn",
  "all\\\n\r",
  "\\n is not a newline",
  "tab\t",
  "日本語/ファイル.tif",
  "emoji 🧫/x",
  "\uff5e after \ue000",
  "quote'\"",
  "Scan1/Scan1.qptiff",
  "#comment",
];

Deno.test("a sidecar of hard names passes the real sha256sum -c", async () => {
  await using dir = await tempDir();
  const entries: SidecarEntry[] = [];
  for (const path of HARD_NAMES) {
    const file = join(dir.path, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, `content of ${path}`);
    entries.push({ path, sha256: sha256(`content of ${path}`) });
  }
  entries.sort((a, b) => compareBytes(a.path, b.path));
  const sidecar = join(dir.path, "_checksums.sha256");
  const summary = await writeSidecar(fs, sidecar, stream(entries));
  const { code, stdout, stderr } = await new Deno.Command("sha256sum", {
    args: ["-c", "--strict", "_checksums.sha256"],
    cwd: dir.path,
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  assert.equal(said.match(/: OK$/gm)?.length, HARD_NAMES.length);
  assert.deepEqual(await collect(readSidecar(fs, sidecar)), entries);
  assert.equal(summary.files, HARD_NAMES.length);
  assert.equal(summary.bytes, (await Deno.stat(sidecar)).size);
  assert.equal(summary.sha256, sha256(await Deno.readFile(sidecar)));
  assert.equal(await hashSidecar(fs, sidecar), summary.sha256);
});

Deno.test("formatSidecarLine() writes the bytes that sha256sum writes", async () => {
  await using dir = await tempDir();
  for (const name of HARD_NAMES.filter((name) => !name.includes("/") && name !== "-")) {
    await Deno.writeTextFile(join(dir.path, name), "x");
    const { stdout } = await new Deno.Command("sha256sum", { args: ["--", name], cwd: dir.path }).output();
    assert.equal(`${formatSidecarLine(sha256("x"), name)}\n`, new TextDecoder().decode(stdout));
  }
});

Deno.test("a changed file fails sha256sum -c", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(join(dir.path, "a"), "changed");
  await writeSidecar(fs, join(dir.path, "s"), stream([{ path: "a", sha256: sha256("before") }]));
  const { code } = await new Deno.Command("sha256sum", { args: ["-c", "s"], cwd: dir.path, stderr: "null" }).output();
  assert.equal(code, 1);
});

const segment = fc.string({ unit: "binary", minLength: 1, maxLength: 8 })
  .filter((text) => !/[\0/]/.test(text) && text !== "." && text !== "..");
const anyPath = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toHex());

Deno.test("parseSidecarLine() gives back what formatSidecarLine() was given", () => {
  fc.assert(fc.property(anyPath, anyHash, (path, hash) => {
    const line = formatSidecarLine(hash, path);
    assert.ok(!line.includes("\n"));
    assert.deepEqual(parseSidecarLine(line), { path, sha256: hash });
  }));
});

Deno.test("a sidecar of any files round-trips in blocks of any size", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.record({ path: anyPath, sha256: anyHash }, { noNullPrototype: true }), {
        selector: (e) => e.path,
        minLength: 1,
      }),
      fc.integer({ min: 1, max: 200 }),
      async (entries, size) => {
        const sorted = entries.toSorted((a, b) => compareBytes(a.path, b.path));
        const text = sorted.map((e) => `${formatSidecarLine(e.sha256, e.path)}\n`).join("");
        let end: SidecarSummary | undefined;
        const found = await collect(
          parseSidecar(blocks(text, size), { name: "s", expectedSha256: sha256(text), onEnd: (last) => end = last }),
        );
        assert.deepEqual(found, sorted);
        assert.deepEqual(end, {
          sha256: sha256(text),
          files: sorted.length,
          bytes: new TextEncoder().encode(text).length,
        });
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("parseSidecarLine() reads binary mode and refuses what is no line", () => {
  assert.deepEqual(parseSidecarLine(`${A} *x`), { path: "x", sha256: A });
  for (
    const line of [
      "",
      A,
      `${A} x`,
      `${A}  `,
      `${A.toUpperCase()}  x`,
      `${A.slice(1)}  x`,
      `\\${A}  a\\tb`,
      `\\${A}  a\\`,
      `${A}  /etc/passwd`,
      `${A}  ../x`,
      `${A}  a//b`,
      `${A}  a\0`,
    ]
  ) {
    assert.throws(() => parseSidecarLine(line), SyntaxError, JSON.stringify(line));
  }
});

Deno.test("formatSidecarLine() refuses names and hashes no line can hold", () => {
  for (const path of ["", "/x", "a/", "..", "a/./b", "nul\0", "half\ud800"]) {
    assert.throws(() => formatSidecarLine(A, path), { code: "sidecar/entry" });
  }
  assert.throws(() => formatSidecarLine("", "a"), { code: "sidecar/entry" });
});

Deno.test("S18 an empty sidecar is an error, written or read, and leaves no file", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "s");
  await assert.rejects(writeSidecar(fs, path, stream([])), { code: "sidecar/empty" });
  assert.equal(await fs.lstat(path), undefined);
  await assert.rejects(parse(""), { code: "sidecar/empty" });
});

Deno.test("S18 a sidecar that is cut off, torn or no text is an error", async () => {
  await assert.rejects(parse(`${A}  a\n${A}  b`), { code: "sidecar/malformed" });
  await assert.rejects(parse(`${A}  a\n\n`), { code: "sidecar/malformed" });
  await assert.rejects(parse(`${A}  a\nsomething\n`), /line 2/);
  const latin1 = new Uint8Array([...new TextEncoder().encode(`${A}  a`), 0xe9, 0x0a]);
  await assert.rejects(collect(parseSidecar(stream([latin1]), { name: "s" })), { code: "sidecar/malformed" });
  await assert.rejects(parse("x".repeat(300 * 2 ** 10), 65536), /too long/);
});

Deno.test("a sidecar out of byte order, or with a name twice, is an error", async () => {
  for (const paths of [["b", "a"], ["a", "a"], ["\u{10000}", "\uffff"]]) {
    await assert.rejects(parse(paths.map((path) => `${A}  ${path}\n`).join("")), { code: "sidecar/order" });
    await using dir = await tempDir();
    const entries = paths.map((path) => ({ path, sha256: A }));
    await assert.rejects(writeSidecar(fs, join(dir.path, "s"), stream(entries)), { code: "sidecar/order" });
    assert.deepEqual(await fs.readDir(dir.path), []);
  }
});

Deno.test("parseSidecar() tells at the end that the sidecar is not the recorded one", async () => {
  const options = { name: "s", expectedSha256: A };
  await assert.rejects(collect(parseSidecar(blocks(`${A}  a\n`), options)), { code: "sidecar/changed" });
});

Deno.test("writeSidecar() never replaces a file", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "s");
  await Deno.writeTextFile(path, "theirs");
  await assert.rejects(writeSidecar(fs, path, stream([{ path: "a", sha256: A }])), { code: "io/exists" });
  assert.equal(await Deno.readTextFile(path), "theirs");
});

Deno.test("readSidecar() names the file that is not there and obeys the signal", async () => {
  await assert.rejects(collect(readSidecar(fs, "/nonexistent/s")), /"\/nonexistent\/s"/);
  await using dir = await tempDir();
  const path = join(dir.path, "s");
  await writeSidecar(fs, path, stream([{ path: "a", sha256: A }]));
  await assert.rejects(collect(readSidecar(fs, path, { signal: AbortSignal.abort(new Error("stop")) })), /stop/);
});
