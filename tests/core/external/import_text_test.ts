import assert from "node:assert/strict";
import { importText, importWords } from "../../../core/external/import_text.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("importText() imports from memory, letters of any language included", async () => {
  const module = await importText(bytes('export default "größer – 大" satisfies string;'), "typescript");
  assert.equal(module.default, "größer – 大");
  assert.equal((await importText(bytes("\uFEFFexport default 1;"), "javascript")).default, 1);
});

Deno.test("importWords() names the file and the place in it, not the text of the module", async () => {
  const error = await importText(bytes("\n\nexport default ((;"), "typescript").catch((error) => error);
  const { said, hint } = importWords(error, { path: "/lab/x y.ts", language: "typescript" });
  assert.match(said, /Expression expected.*at \/lab\/x y\.ts:3:\d+$/);
  assert.doesNotMatch(said, /base64|\n|\u001B/);
  assert.match(hint, /not valid/);
});

Deno.test("importWords() tells of imports that are not there", async () => {
  for (const text of ['import "./x.ts";', 'import x from "a-package-nobody-has"; x;']) {
    const error = await importText(bytes(text), "typescript").catch((error) => error);
    const { said, hint } = importWords(error, { path: "/x.ts", language: "typescript" });
    assert.match(said, /^it imports what is not there: /, text);
    assert.match(hint, /one file and needs no imports/);
  }
});

Deno.test("importWords() takes whatever a file throws", async () => {
  for (const [thrown, says] of [["null", "null"], ["Object.create(null)", "an object"], ["''", "an empty text"]]) {
    const error = await importText(bytes(`throw ${thrown};`), "javascript").catch((error) => error);
    assert.equal(importWords(error, { path: "/x.js", language: "javascript" }).said, says);
  }
});

Deno.test("importWords() says that a compiled program of an older Deno takes JavaScript only", () => {
  const error = new SyntaxError(
    "Unexpected token ':' at data:application/typescript;charset=utf-8;base64,ZXhw......dKTsK:1:20",
  );
  const about = { path: "/x.ts", language: "typescript", standalone: true } as const;
  const old = importWords(error, { ...about, deno: "2.6.10" });
  assert.equal(old.said, "Unexpected token ':' at /x.ts:1:20");
  assert.match(old.hint, /made with Deno 2\.6\.10.*\.js/);
  for (const deno of ["2.8.2", "2.9.0", "3.0.0"]) {
    assert.match(importWords(error, { ...about, deno }).hint, /not valid/, deno);
  }
  assert.match(importWords(error, { ...about, deno: "2.8.1" }).hint, /\.js/);
  assert.match(importWords(error, { ...about, deno: "2.6.10", language: "javascript" }).hint, /not valid/);
});
