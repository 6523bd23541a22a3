import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { tryStages } from "../../tools/compiled_stages.ts";
import { tempDir } from "../kit/temp.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));

Deno.test("tryStages() holds for the program from source", async () => {
  await using dir = await tempDir();
  const { DENO_DIR, HOME, PATH } = Deno.env.toObject();
  const env = Object.fromEntries(Object.entries({ DENO_DIR, HOME, PATH }).filter(([, value]) => value !== undefined));
  const argv = [Deno.execPath(), "run", "-A", "--no-check", "--cached-only", CLI];
  const tried = await tryStages({ argv, typescript: true, env }, dir.path);
  assert.deepEqual(tried.filter(({ holds }) => !holds), []);
});

Deno.test("tryStages() tells what does not hold", async () => {
  await using dir = await tempDir();
  const [first] = await tryStages({ argv: [Deno.execPath(), "--version"], typescript: true }, dir.path);
  assert.equal(first.holds, false);
  assert.match(first.said, /^exit 0: deno/);
});
