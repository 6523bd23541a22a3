import assert from "node:assert/strict";
import { OutsideCode } from "../../cli/outside_code.ts";

Deno.test("OutsideCode.words() names files that were loaded, those of the pipeline's stages first", () => {
  const outside = new OutsideCode();
  assert.equal(outside.words(), undefined);
  outside.loads("/lab/a.js");
  outside.loads("/lab/b.js");
  assert.equal(outside.words(), '"/lab/a.js", "/lab/b.js"');
  outside.uses("/lab/b.js", "own");
  assert.equal(outside.words(), 'stage "own" of "/lab/b.js", "/lab/a.js"');
  for (let at = 0; at < 5; at++) outside.loads(`/lab/${at}.js`);
  assert.match(outside.words() ?? "", /"\/lab\/2\.js" and 2 more$/);
});
