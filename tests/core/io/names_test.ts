import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkName,
  collisionKey,
  isOwnEntry,
  isReservedName,
  isTemporaryName,
  NameChecker,
  namesError,
  type NameTarget,
  temporaryName,
} from "../../../core/io/names.ts";

const WINDOWS: NameTarget = { system: "windows" };
const POSIX: NameTarget = { system: "posix" };
const S3: NameTarget = { system: "s3" };

const rules = (path: string, target: NameTarget, kind: "file" | "directory" | "symlink" | "other" = "file") =>
  checkName({ path, kind }, target).map((finding) => finding.rule);

Deno.test("S14 checkName() finds what Windows cannot hold, and only for Windows", () => {
  const wanted: Record<string, string> = {
    "a/CON": "names/device",
    "nul.tif": "names/device",
    "com1.log": "names/device",
    "LPT³": "names/device",
    "conin$": "names/device",
    "aux .txt": "names/device",
    "a.": "names/trailing",
    "b ": "names/trailing",
    "scan.tif:meta": "names/stream",
    "a\nb": "names/character",
    "a\\b": "names/character",
    'q"': "names/character",
    "why?": "names/character",
    "a|b": "names/character",
  };
  for (const [path, rule] of Object.entries(wanted)) {
    assert.deepEqual(rules(path, WINDOWS), [rule], JSON.stringify(path));
    assert.deepEqual(rules(path, POSIX), [], JSON.stringify(path));
    assert.deepEqual(rules(path, S3), [], JSON.stringify(path));
  }
});

Deno.test("checkName() lets ordinary and look-alike names pass everywhere", () => {
  for (const path of ["a/b.tif", "console", "com10", "lpt", "Größe µm.tif", "結果", "a..b", ".hidden", "nullify.txt"]) {
    for (const target of [WINDOWS, POSIX, S3]) assert.deepEqual(rules(path, target), [], path);
  }
});

Deno.test("S14 checkName() finds names that are not valid text, for every target", () => {
  for (const target of [WINDOWS, POSIX, S3]) {
    assert.deepEqual(rules("bad\ufffdname", target), ["names/not-text"]);
    assert.ok(rules("half\ud800", target).includes("names/not-text"));
  }
});

Deno.test("S14 checkName() measures names and paths in the target's own unit", () => {
  assert.deepEqual(rules("é".repeat(127), POSIX), []);
  assert.deepEqual(rules("é".repeat(128), POSIX), ["names/too-long"]);
  assert.deepEqual(rules("é".repeat(255), WINDOWS), []);
  assert.deepEqual(rules("é".repeat(256), WINDOWS), ["names/too-long"]);
  const deep = (segments: number) => Array(segments).fill("x".repeat(199)).join("/");
  assert.deepEqual(rules(deep(5), { system: "s3", root: "lab/study" }), []);
  assert.deepEqual(rules(deep(6), { system: "s3", root: "lab/study" }), ["names/path-too-long"]);
  assert.deepEqual(rules(deep(20), { system: "posix", root: "/nas" }), []);
  assert.deepEqual(rules(deep(21), { system: "posix", root: "/nas" }), ["names/path-too-long"]);
});

Deno.test("S15 checkName() finds links and special files", () => {
  assert.deepEqual(rules("a", POSIX, "symlink"), ["names/link"]);
  assert.deepEqual(rules("a", POSIX, "other"), ["names/special"]);
});

Deno.test("S14 reserved names fail in any letter case, own entries are left out of a walk", () => {
  for (const name of ["_checksums.sha256", "_CHECKSUMS.SHA256", ".labferry.lock", ".labferry-place", ".LabFerry"]) {
    assert.ok(isReservedName(name), name);
    assert.deepEqual(rules(`deep/${name}`, POSIX), ["names/reserved"]);
  }
  assert.ok(!isReservedName("checksums.sha256"));
  const temporary = temporaryName("0123456789abcdef".repeat(4));
  assert.equal(temporary, ".labferry-tmp-0123456789abcdef0123456789abcdef");
  assert.ok(isTemporaryName(temporary) && !isTemporaryName(`a/${temporary}`));
  assert.ok(isOwnEntry(`a/b/${temporary}`));
  assert.ok(isOwnEntry(".labferry.lock"));
  for (const path of ["a/.labferry.lock", ".labferry-place", ".labferry-tmp-", "_checksums.sha256"]) {
    assert.ok(!isOwnEntry(path), path);
  }
  assert.throws(() => temporaryName("../../x"), RangeError);
});

Deno.test("NameChecker.check() passes a reserved name that is proved ours", () => {
  const checker = new NameChecker(POSIX, { ours: (path) => path === "_checksums.sha256" });
  assert.deepEqual(checker.check({ path: "_checksums.sha256", kind: "file" }), []);
  assert.equal(checker.check({ path: "a/_checksums.sha256", kind: "file" }).length, 1);
});

function collisions(paths: string[]): string[] {
  const checker = new NameChecker(POSIX);
  return paths.flatMap((path) => checker.check({ path, kind: "file" })).map(({ rule, path }) => `${rule} ${path}`);
}

Deno.test("S14 NameChecker.check() finds collisions by case and normalisation within one folder only", () => {
  assert.deepEqual(collisions(["A.tif", "B", "B/x", "B/X", "C/x", "a.tif", "b"]), [
    "names/collision B/X",
    "names/collision a.tif",
    "names/collision b",
  ]);
  assert.deepEqual(collisions(["cafe\u0301", "caf\u00e9"]), ["names/collision caf\u00e9"]);
  assert.deepEqual(collisions(["strasse", "straße"]), []);
  assert.deepEqual(collisions(["K", "\u212a"]), ["names/collision \u212a"]);
  assert.deepEqual(collisions(["a/x", "ab/x", "b/x"]), []);
});

Deno.test("S14 NameChecker.check() finds the one collision among thirty thousand names, and no other", () => {
  const checker = new NameChecker(POSIX);
  const found = [];
  for (let i = 0; i < 30_000; i++) found.push(...checker.check({ path: `scan/tile_${i}.tif`, kind: "file" }));
  assert.deepEqual(found, []);
  const [finding] = checker.check({ path: "scan/TILE_27777.tif", kind: "file" });
  assert.equal(finding.rule, "names/collision");
  assert.match(finding.message, /another name in this folder/);
});

Deno.test("collisionKey() is the same for any case of ASCII and any normal form", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (name) => {
    const key = collisionKey(name);
    assert.equal(collisionKey(name.normalize("NFD")), collisionKey(name.normalize("NFC")));
    assert.equal(collisionKey(key), key);
  }));
  fc.assert(fc.property(fc.string(), (name) => {
    assert.equal(collisionKey(name.toUpperCase()), collisionKey(name.toLowerCase()));
  }));
});

Deno.test("namesError() names the entries and carries all findings", () => {
  const findings = Array.from({ length: 12 }, (_, i) => checkName({ path: `n${i} `, kind: "file" }, WINDOWS)).flat();
  const error = namesError("run1", findings);
  assert.equal(error.code, "item/names");
  assert.match(error.message, /Cannot back up "run1": 12 names .*"n0 ": Windows drops.*and 2 more/);
  assert.equal(error.findings.length, 12);
});
