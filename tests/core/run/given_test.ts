import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import {
  assertExec,
  assertFiles,
  assertJson,
  assertNoneOurs,
  assertRules,
  assertStatus,
} from "../../../core/run/given.ts";

const ACT = { name: "act()", stage: "own" };

/** What a check says; undefined when it passes. */
function said(check: (act: typeof ACT, value: never) => void, value: unknown): string | undefined {
  try {
    check(ACT, value as never);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error));
    assert.equal(error.code, "stage/bad-argument");
    assert.ok(error.message.startsWith('Cannot do act() for stage "own": '), error.message);
    return error.message.slice('Cannot do act() for stage "own": '.length);
  }
}

Deno.test("what stages hand to the ports is told in words when it is not what is wanted", () => {
  const file = { path: "a", size: 1, mtimeMs: null };
  const table: [(act: typeof ACT, value: never) => void, unknown, RegExp | undefined][] = [
    [assertFiles, [file], undefined],
    [assertFiles, [], undefined],
    [assertFiles, undefined, /found nothing, wanted a list of files/],
    [assertFiles, [file, "a"], /"files\[1\]": found "a", wanted a file of the study/],
    [assertFiles, [{ path: "a" }], /"size": found nothing/],
    [assertFiles, [{ path: "a", size: -1 }], /"size": found the number -1/],
    [assertExec, { argv: ["ls"] }, undefined],
    [assertExec, "ls", /found "ls", wanted \{ argv \}/],
    [assertExec, { argv: [] }, /"argv": found an empty list, wanted a list of texts/],
    [assertStatus, "complete", undefined],
    [assertStatus, "done", /found "done", wanted one of "in_progress"/],
    [assertRules, { place: "source", places: 1, recheck: "hash" }, undefined],
    [assertRules, undefined, /found nothing, wanted \{ place/],
    [assertJson, { a: [1, null, "b", true], c: undefined }, undefined],
    [assertJson, undefined, /found nothing, wanted what JSON can hold; null for nothing/],
    [assertJson, { a: new Map() }, /found an instance of Map/],
    [assertJson, NaN, /found the number NaN/],
    [assertJson, 3n, /found the bigint 3/],
  ];
  for (const [check, value, says] of table) {
    if (says === undefined) assert.equal(said(check, value), undefined);
    else assert.match(said(check, value) ?? "", says);
  }
  const circle: unknown[] = [];
  circle.push(circle);
  assert.match(said(assertJson, circle) ?? "", /holds itself/);
});

Deno.test("assertNoneOurs() lets no lock, temporary, marker or list of checksums be copied, wherever it lies", () => {
  const files = (path: string) => [{ path, size: 1, mtimeMs: null }];
  assertNoneOurs(ACT, files("Scan1/labferry.lock"));
  for (
    const path of [
      ".labferry.lock",
      ".LABFERRY.lock",
      "Scan1/.labferry-tmp-0123456789abcdef0123456789abcdef",
      ".labferry-place",
      ".labferry-reserve",
      "_checksums.sha256",
      "Scan1\\.labferry.lock",
    ]
  ) {
    assert.throws(() => assertNoneOurs(ACT, files(path)), { code: "stage/own-name" }, path);
  }
});
