import assert from "node:assert/strict";
import {
  diffLines,
  type EndedCase,
  exitCodeOfCases,
  renderCase,
  renderTotals,
} from "../../../commands/test/render_cases.ts";

const OK: EndedCase = {
  name: "a.b",
  file: "a.b.case.toml",
  summary: "it is so",
  diagnostics: [],
  failures: [],
  runs: [],
  log: [],
};
const FAILED: EndedCase = {
  ...OK,
  failures: [{ line: 7, what: "run 1: items", wanted: ["x: done", "y: done"], found: ["x: failed", "y: done"] }],
};
const WRONG: EndedCase = {
  ...OK,
  summary: "",
  diagnostics: [{
    code: "case/unknown-key",
    severity: "error",
    file: "a.b.case.toml",
    line: 1,
    column: 1,
    length: 2,
    message: "Cannot",
    sourceLine: "xy = 1",
  }],
};

Deno.test("renderCase() shows on one line what is well, and else what differs and where that is said", () => {
  assert.equal(renderCase(OK), "ok     a.b: it is so\n");
  assert.deepEqual(renderCase(FAILED).split("\n"), [
    "failed a.b: it is so",
    "",
    "  a.b.case.toml:7: run 1: items (- wanted, + found)",
    "    - x: done",
    "    + x: failed",
    "      y: done",
    "",
    "",
  ]);
  assert.match(
    renderCase(WRONG),
    /^wrong {2}a\.b\n\na\.b\.case\.toml:1:1: error case\/unknown-key: Cannot\n {2}xy = 1\n {2}\^\^\n/,
  );
});

Deno.test("renderCase() shows the log of a failed case where it is asked for", () => {
  const log = [{ level: "warn" as const, message: "the mirror lags" }];
  assert.match(renderCase({ ...FAILED, log }, { verbose: true }), /\n {2}log:\n {4}warn the mirror lags\n/);
  assert.doesNotMatch(renderCase({ ...FAILED, log }), /log:/);
});

Deno.test("renderCase() leaves out most of what is as wanted in a long list", () => {
  const same = Array.from({ length: 20 }, (_, at) => `file ${at}`);
  const failure = { line: 1, what: "end: nas", wanted: [...same, "x"], found: same };
  assert.deepEqual(renderCase({ ...OK, failures: [failure] }).split("\n").slice(3, -2), [
    "      … 17 more as wanted",
    "      file 17",
    "      file 18",
    "      file 19",
    "    - x",
  ]);
});

Deno.test("exitCodeOfCases() and renderTotals() count", () => {
  assert.deepEqual([[OK], [OK, FAILED], [OK, FAILED, WRONG]].map(exitCodeOfCases), [0, 1, 2]);
  assert.equal(renderTotals([OK]), "1 case: 1 ok\n");
  assert.equal(renderTotals([OK, FAILED, WRONG]), "3 cases: 1 ok, 1 failed, 1 wrong\n");
});

Deno.test("diffLines() keeps what both have, in order", () => {
  assert.deepEqual(diffLines(["a", "b", "c"], ["b", "c", "d"]), ["- a", "  b", "  c", "+ d"]);
  assert.deepEqual(diffLines([], ["a"]), ["+ a"]);
  assert.deepEqual(diffLines(["a"], []), ["- a"]);
});
