import assert from "node:assert/strict";
import fc from "fast-check";
import { PipelineError } from "../../../core/errors.ts";
import { compareBytes, contains, itemPath, itemSegments, parentOf, sortBytes } from "../../../core/io/paths.ts";

const utf8 = new TextEncoder();

function bytewise(a: string, b: string): number {
  const [x, y] = [utf8.encode(a), utf8.encode(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i] - y[i];
  return x.length - y.length;
}

const segment = fc.string({ minLength: 1, maxLength: 8, unit: "binary" })
  .filter((text) => !/[/\\:\0]/.test(text) && text !== "." && text !== "..");

Deno.test("contains() knows a root, what is below it, and its look-alikes", () => {
  const cases: [string, string, "posix" | "windows", boolean][] = [
    ["/a/b", "/a/b", "posix", true],
    ["/a/b/", "/a/b", "posix", true],
    ["/a/b", "/a/b/c", "posix", true],
    ["/a/b", "/a/bc", "posix", false],
    ["/a/b", "/a/b/../c", "posix", false],
    ["/a/b", "/A/b/c", "posix", false],
    ["/", "/x", "posix", true],
    ["a", "a/b", "posix", false],
    ["/study1", "/study10/x", "posix", false],
    ["C:\\data", "c:\\DATA\\x", "windows", true],
    ["C:\\data", "C:/data/x", "windows", true],
    ["C:\\data", "C:\\database", "windows", false],
    ["C:\\", "C:\\x", "windows", true],
    ["\\\\nas\\share\\a", "\\\\NAS\\share\\a\\b", "windows", true],
    ["\\\\nas\\share\\a", "\\\\nas\\share2\\a", "windows", false],
    ["C:\\data", "D:\\data\\x", "windows", false],
  ];
  for (const [root, path, system, wanted] of cases) {
    assert.equal(contains(root, path, system), wanted, `${root} contains ${path} (${system})`);
  }
});

Deno.test("itemPath() joins below the root on both systems and keeps every character", () => {
  assert.equal(itemPath("/nas/run", "a/b.tif", "posix"), "/nas/run/a/b.tif");
  assert.equal(itemPath("/", "a", "posix"), "/a");
  assert.equal(itemPath("/nas", "odd\\name\nwith: all", "posix"), "/nas/odd\\name\nwith: all");
  assert.equal(itemPath("\\\\nas\\share", "a/b.tif", "windows"), "\\\\nas\\share\\a\\b.tif");
  assert.equal(itemPath("C:\\", "a", "windows"), "C:\\a");
});

Deno.test("S15 itemSegments() refuses every way out of the root", () => {
  const everywhere = ["", "/a", "..", "a/..", "a/../b", "./a", "a//b", "a/", "a\0b", "/"];
  const windowsOnly = ["a\\..\\b", "C:", "C:x", "a/b:stream", "\\\\nas\\x"];
  for (const path of [...everywhere, ...windowsOnly]) {
    assert.throws(
      () => itemSegments(path, "windows"),
      (error) => error instanceof PipelineError && error.code === "path/escapes",
      JSON.stringify(path),
    );
  }
  for (const path of everywhere) assert.throws(() => itemSegments(path, "posix"), /Cannot use/, JSON.stringify(path));
  for (const path of windowsOnly) assert.deepEqual(itemSegments(path, "posix"), path.split("/"));
});

Deno.test("itemPath() stays inside its root for any path it takes, and its segments lead back", () => {
  const relative = fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  for (const [system, root] of [["posix", "/nas/run"], ["windows", "C:\\nas\\run"]] as const) {
    fc.assert(fc.property(relative, (path) => {
      const joined = itemPath(root, path, system);
      assert.ok(contains(root, joined, system));
      const below = joined.slice(root.length + 1).split(system === "windows" ? "\\" : "/");
      assert.deepEqual(below, itemSegments(path, system));
    }));
  }
});

Deno.test("itemPath() never leaves its root, whatever it is given", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", ".", "/", "\\", ":", "\0", " ") }), (path) => {
    for (const [system, root] of [["posix", "/nas/run"], ["windows", "C:\\nas\\run"]] as const) {
      try {
        assert.ok(contains(root, itemPath(root, path, system), system));
      } catch (error) {
        assert.equal((error as PipelineError).code, "path/escapes");
      }
    }
  }));
});

Deno.test("parentOf() gives the folder part", () => {
  assert.deepEqual(["a", "a/b", "a/b/c"].map(parentOf), ["", "a", "a/b"]);
});

Deno.test("compareBytes() and sortBytes() order as the UTF-8 bytes do", () => {
  assert.deepEqual(sortBytes(["\u{1f600}", "\uffee", "a", "B", "a/b", "a!"]), [
    "B",
    "a",
    "a!",
    "a/b",
    "\uffee",
    "\u{1f600}",
  ]);
  const text = fc.string({ unit: "binary", maxLength: 6 });
  fc.assert(fc.property(text, text, (a, b) => {
    assert.equal(Math.sign(compareBytes(a, b)), Math.sign(bytewise(a, b)));
  }));
  fc.assert(fc.property(fc.array(text), (names) => {
    assert.deepEqual(sortBytes([...names]), [...names].sort(bytewise));
  }));
});
