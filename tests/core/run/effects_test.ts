import assert from "node:assert/strict";
import { assertEffect } from "../../../core/run/effects.ts";

Deno.test("assertEffect() lets a stage do what its effect covers, and says what it must be otherwise", () => {
  for (const effect of ["create", "modify", "destroy"] as const) {
    assertEffect({ name: "own", effect }, "write()", "create");
  }
  assertEffect({ name: "own", effect: "destroy" }, "destroy()", "destroy");
  assert.throws(() => assertEffect({ name: "own", effect: "read" }, "write()", "create"), {
    code: "stage/effect",
    message: 'Cannot do write() for stage "own": its effect is "read", wanted "create" or more',
    hint: /effect: "create"/,
  });
  assert.throws(() => assertEffect({ name: "own", effect: "modify" }, "destroy()", "destroy"), {
    message: 'Cannot do destroy() for stage "own": its effect is "modify", wanted "destroy"',
  });
});
