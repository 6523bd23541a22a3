import assert from "node:assert/strict";
import { nameAdvice, nameHint, nearestName } from "../../../core/pipeline/nearest.ts";

Deno.test("nearestName() finds the name that was meant, and none for a far-off word", () => {
  const names = ["verify", "validate", "checksum-sidecar", "s3-upload"];
  assert.equal(nearestName("verfy", names), "verify");
  assert.equal(nearestName("Verify", names), "verify");
  assert.equal(nearestName("checksum", names), "checksum-sidecar");
  assert.equal(nearestName("upload-s3", names), "s3-upload");
  assert.equal(nearestName("qqq", names), undefined);
  assert.equal(nearestName("x", []), undefined);
  assert.equal(nearestName("", ["", "a"]), undefined);
});

Deno.test("nameHint() lists what is known when nothing is near", () => {
  assert.equal(nameHint("verfy", ["verify"]), `did you mean "verify"`);
  assert.equal(nameHint("qqq", ["b", "a"], "known stages"), "known stages: a, b");
  assert.equal(nameHint("qqq", []), undefined);
});

Deno.test("nameAdvice() gives hint, nearest name and all names, each only where there is one", () => {
  assert.deepEqual(nameAdvice("verfy", ["verify", "copy"]), {
    hint: `did you mean "verify"`,
    nearest: "verify",
    wanted: ["copy", "verify"],
  });
  assert.deepEqual(nameAdvice("qqq", ["b", "a"], "known"), { hint: "known: a, b", wanted: ["a", "b"] });
  assert.deepEqual(nameAdvice("qqq", []), {});
});
