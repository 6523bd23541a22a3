import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { asRunError } from "../../../core/run/stopped.ts";

Deno.test("asRunError() takes the reason of a signal for the wish to stop, and nothing else", () => {
  const reason = new DOMException("labferry was interrupted", "AbortError");
  const { signal: stop } = new AbortController();
  const request = { stop, abort: AbortSignal.abort(reason), doing: 'run "backup"' };
  const { code, hint, message } = asRunError(reason, request);
  assert.deepEqual([code, message], ["run/stopped", "Cannot go on: the run was asked to stop"]);
  assert.doesNotMatch(String(hint), /report/);
  const worded = new PipelineError("internal/unexpected", "Cannot x: labferry was interrupted", { cause: reason });
  assert.equal(asRunError(worded, request).code, "run/stopped");
  assert.equal(asRunError(new TypeError("a bug"), request).code, "internal/unexpected");
  assert.equal(asRunError(reason, { ...request, abort: stop }).code, "internal/unexpected");
  const known = new PipelineError("io/gone", "Cannot x");
  assert.equal(asRunError(known, request), known);
});
