import assert from "node:assert/strict";
import { brokenError } from "../../../core/external/external_stage.ts";
import { loadStages } from "../../../core/external/load_stages.ts";
import { sourceText } from "../../../core/pipeline/diagnostic.ts";
import { fakeRegistry } from "../../kit/fake_stages.ts";
import { loaderOf, stageText } from "./_files.ts";

const shipped = fakeRegistry();

Deno.test("loadStages() loads what it can and tells of the rest", async () => {
  const files = {
    "/a.js": stageText("own"),
    "/b.js": "throw new Error('no');",
    "/c.js": stageText("copy"),
    "/d.js": stageText("own"),
  };
  const { stages, broken } = await loadStages(
    [...Object.keys(files), "/gone.js"].map((path) => ({ path })),
    { shipped, ...loaderOf(files) },
  );
  assert.deepEqual(stages.map(({ origin }) => origin.file), ["/a.js"]);
  assert.deepEqual(broken.map(({ file, code }) => [file, code]), [
    ["/b.js", "plugins/load-failed"],
    ["/c.js", "plugins/name-taken"],
    ["/d.js", "plugins/name-taken"],
    ["/gone.js", "plugins/not-there"],
  ]);
  assert.match(broken[2].message, /"own", and "\/a\.js" has that name/);
});

Deno.test("loadStages() survives a file that throws as soon as its stage is looked at", async () => {
  const files = { "/a.js": "export default () => ({ get kind() { throw new Error('peek'); } });" };
  const { broken } = await loadStages([{ path: "/a.js" }], { shipped, ...loaderOf(files) });
  assert.deepEqual(broken.map(({ code, message }) => [code, message]), [
    ["plugins/load-failed", 'Cannot load "/a.js": Error: peek'],
  ]);
});

Deno.test("brokenError() has the line where the config names the file, or the others as findings", () => {
  const at = { source: sourceText("c.toml", 'files = ["x.ts"]'), span: { line: 1, column: 10, length: 6 } };
  const one = { file: "/x.ts", code: "plugins/changed", message: "Cannot load x", hint: "look" };
  const placed = brokenError([{ ...one, at }]);
  assert.deepEqual([placed.code, placed.stopsRun], ["plugins/changed", 2]);
  assert.match(placed.message, /^c\.toml:1:10: error plugins\/changed: Cannot load x\n.*\n.*\^{6}\n {2}hint: look$/);
  const mixed = brokenError([{ ...one, at }, { ...one, file: "/y.ts", code: "plugins/unreadable" }]);
  assert.deepEqual([mixed.code, mixed.stopsRun, mixed.hint], ["plugins/changed", 2, "look"]);
  assert.deepEqual(mixed.findings.map(({ rule, path }) => [rule, path]), [["plugins/unreadable", "/y.ts"]]);
});
