import assert from "node:assert/strict";
import { errorsIn } from "../../../tools/reference/errors.ts";

Deno.test("errorsIn() reads code, message and hint, joined and filled in as they are", () => {
  const source = [
    '/** @example new PipelineError("area/problem", "Cannot …") */',
    'throw new PipelineError("a/b", `Cannot read "${path}": ${found === "" ? `no ${x}` : "it"} is gone`, {',
    "  cause,",
    '  hint: "Look (twice) " +',
    "    `at ${path}.`,",
    "});",
    'new PipelineError("c/d", message, { stopsRun: 2 });',
    "new PipelineError(code, message);",
    "new PipelineError('e/f', \"x\");",
    'new PipelineError(\n  "g/h",\n  "Cannot say \\"so\\"",\n);',
  ].join("\n");
  assert.deepEqual(errorsIn(source), [
    { code: "a/b", message: 'Cannot read "…": … is gone', hint: "Look (twice) at …." },
    { code: "c/d", message: "…" },
    { code: "g/h", message: 'Cannot say "so"' },
  ]);
});
