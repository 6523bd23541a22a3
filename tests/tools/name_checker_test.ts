import assert from "node:assert/strict";
import { buildNameChecker } from "../../tools/name_checker.ts";

Deno.test("docs/name_checker is what deno task name-checker builds", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/name_checker/index.html", import.meta.url));
  assert.equal(page.replaceAll("\r\n", "\n"), await buildNameChecker());
});

Deno.test("buildNameChecker() makes one file that loads nothing", async () => {
  const page = await buildNameChecker();
  assert.doesNotMatch(page, /\bsrc=|<link|\bimport\b|@import|url\(|fetch\(/);
  assert.match(page, /default-src 'none'/);
});
