import assert from "node:assert/strict";
import { logData, logWords } from "../../../core/run/log_data.ts";

Deno.test("logWords() makes words of whatever a stage logs", () => {
  assert.deepEqual([logWords("copied"), logWords(undefined), logWords(3)], ["copied", "nothing", "the number 3"]);
});

Deno.test("logData() copies data so that every part can be read", () => {
  const circle: Record<string, unknown> = { a: 1 };
  circle.self = circle;
  const data = logData({
    n: 1,
    list: [1, { b: 2 }],
    get bad() {
      throw new Error("not to be read");
    },
    error: new RangeError("deep"),
  });
  assert.deepEqual({ ...data, error: undefined }, {
    n: 1,
    list: [1, { b: 2 }],
    bad: "(cannot be read)",
    error: undefined,
  });
  assert.equal((data?.error as Error).name, "RangeError");
  JSON.stringify(logData(circle));
  assert.deepEqual([logData(undefined), logData("x"), logData([1])], [undefined, { data: "x" }, { data: [1] }]);
});
