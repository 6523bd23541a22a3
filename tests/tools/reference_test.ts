import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { referencePages } from "../../tools/reference.ts";

const FOLDER = fromFileUrl(new URL("../../docs/reference/", import.meta.url));

Deno.test("referencePages() are what docs/reference/ holds, and there is no other page", async () => {
  const pages = await referencePages();
  assert.deepEqual([...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort(), Object.keys(pages).sort());
  for (const [name, text] of Object.entries(pages)) {
    const found = (await Deno.readTextFile(FOLDER + name)).replaceAll("\r\n", "\n");
    assert.equal(found, text, `${name}: run: deno task reference`);
  }
});
