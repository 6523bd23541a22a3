/** Stages from outside in the compiled program, over the base runtime that this machine can have. */
import assert from "node:assert/strict";
import { tryStages } from "../../tools/compiled_stages.ts";
import { tempDir } from "../kit/temp.ts";

const EXECUTABLE = Deno.env.get("LABFERRY_TEST_EXECUTABLE");
const NAME = "the executable takes stages from outside";

Deno.test({
  name: EXECUTABLE === undefined ? `${NAME} [no executable was built: tools/testing/executable.ts says why]` : NAME,
  ignore: EXECUTABLE === undefined,
  async fn() {
    await using dir = await tempDir();
    // The base is Deno 2.6.10, which takes no TypeScript from outside.
    const tried = await tryStages({ argv: [EXECUTABLE!], typescript: false }, dir.path);
    assert.deepEqual(tried.filter(({ holds }) => !holds), []);
    assert.ok(tried.length > 8);
  },
});
