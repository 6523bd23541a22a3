import assert from "node:assert/strict";
import { interruption, isInterruption } from "../../cli/interruption.ts";

Deno.test("isInterruption() knows the reason of Ctrl+C from other aborts", () => {
  assert.equal(isInterruption(interruption()), true);
  assert.equal(isInterruption(new DOMException("the uploads were given up", "AbortError")), false);
  assert.equal(isInterruption(new Error("labferry was interrupted")), false);
});
