import assert from "node:assert/strict";
import { exitCodeOf, renderError, renderFinding } from "../../cli/render_error.ts";
import { interruption } from "../../cli/interruption.ts";
import { PipelineError } from "../../core/errors.ts";
import { assertLinear } from "../kit/growth.ts";

const ERROR = new PipelineError("copy/conflict", 'Cannot copy "a.tif": other bytes are there', {
  hint: "Look at both.\nThen decide",
  findings: [
    { rule: "R5", severity: "error", path: "x.txt", message: 'file "x.txt" does not belong here' },
    { rule: "W1", severity: "warning", path: "y", message: "looks odd" },
  ],
  cause: new RangeError("below", { cause: "bottom" }),
});

Deno.test("renderError() gives message, code, findings and hint", () => {
  assert.equal(
    renderError(ERROR),
    [
      'error: Cannot copy "a.tif": other bytes are there [copy/conflict]',
      '  R5  file "x.txt" does not belong here',
      "  W1 (warning)  y: looks odd",
      "hint: Look at both.",
      "      Then decide",
      "",
    ].join("\n"),
  );
});

Deno.test("renderError() adds the chain of causes when verbose, also a circular one", () => {
  const text = renderError(ERROR, { verbose: true });
  assert.match(text, /caused by: RangeError: below\n {2}at .*\n(.*\n)*caused by: bottom\n/);
  const circle = new PipelineError("a/b", "Cannot a");
  Object.defineProperty(circle, "cause", { value: circle });
  assert.match(renderError(circle, { verbose: true }), /^error: Cannot a \[a\/b\]/);
});

Deno.test("renderError() shows where a fault of labferry happened", () => {
  const text = renderError(new TypeError("x is not a function"));
  assert.match(text, /TypeError: x is not a function \[internal\/unexpected\]/);
  assert.match(text, /at .*render_error_test\.ts/);
  assert.match(renderError("just text"), /just text/);
});

Deno.test("renderError() names code from outside as the likely cause, where there is any", () => {
  const text = renderError(new Error("left alone"), { outside: 'stage "own" of "/lab/own.js"' });
  assert.match(text, /hint: most likely this was code from outside: stage "own" of "\/lab\/own\.js"\n/);
  assert.doesNotMatch(text, /fault of labferry/);
});

Deno.test("exitCodeOf() tells configuration from failed work and from faults", () => {
  const code = (name: string, stopsRun?: 1 | 2 | 3) => exitCodeOf(new PipelineError(name, "Cannot x", { stopsRun }));
  assert.equal(code("config/unknown-key"), 2);
  assert.equal(code("lint/anything"), 2);
  assert.equal(code("copy/conflict"), 1);
  assert.equal(code("copy/conflict", 2), 2);
  assert.equal(code("lock/held", 1), 1);
  assert.equal(code("internal/unexpected"), 3);
  assert.equal(exitCodeOf(new TypeError("x")), 3);
  assert.equal(exitCodeOf(undefined), 3);
});

Deno.test("renderFinding() names the path once", () => {
  assert.equal(renderFinding({ rule: "R1", severity: "error", path: "", message: "m" }), "R1  m");
  assert.equal(renderFinding({ rule: "R1", severity: "error", path: "p", message: "m" }), "R1  p: m");
  // A name must not be able to make a line of its own.
  assert.equal(renderFinding({ rule: "R1", severity: "error", path: "p", message: "a\nok" }), "R1  p: a\\u000aok");
});

Deno.test("exitCodeOf() and renderError() know an interruption from any other abort", () => {
  assert.equal(exitCodeOf(interruption()), 130);
  assert.match(renderError(interruption()), /^interrupted: /);
  assert.equal(exitCodeOf(new DOMException("another", "AbortError")), 3);
});

Deno.test("renderError() takes a time that grows with what is said and no faster", () => {
  assertLinear((text) => {
    const findings = [{ rule: "R5", severity: "error" as const, path: text, message: text }];
    const cause = new RangeError(text);
    return renderError(new PipelineError("copy/conflict", text, { hint: text, findings, cause }), { verbose: true });
  });
});
