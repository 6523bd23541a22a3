import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ExternalFile } from "../../../core/external/external_stage.ts";
import { FileFaultError, loadStageFile, type StageLoader } from "../../../core/external/load_file.ts";
import { loaderOf, stageText } from "./_files.ts";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");

async function fault(file: ExternalFile, loader: StageLoader) {
  const error = await loadStageFile(file, loader).then(() => undefined, (error) => error);
  assert.ok(error instanceof FileFaultError, String(error));
  return error.fault;
}

Deno.test("loadStageFile() loads TypeScript and JavaScript, and says where a stage comes from", async () => {
  const ts = stageText("own").replace("({ defineStage, z })", "({ defineStage, z }: any): unknown");
  const loader = loaderOf({ "/a.ts": ts, "/b.mjs": stageText("other") });
  const a = await loadStageFile({ path: "/a.ts" }, loader);
  assert.equal(a.plugin.name, "own");
  assert.deepEqual(a.origin, { file: "/a.ts", sha256: hash(ts), pinned: false });
  const pin = hash(stageText("other"));
  const b = await loadStageFile({ path: "/b.mjs", sha256: pin, touches: [] }, loader);
  assert.deepEqual(b.origin, { file: "/b.mjs", sha256: pin, pinned: true, touches: [] });
});

Deno.test("loadStageFile() hashes what it imports: the file is read once, and not run when the pin does not fit", async () => {
  const text = stageText("own");
  let reads = 0;
  const imported: Uint8Array[] = [];
  const base = loaderOf({ "/a.ts": text });
  const loader: StageLoader = {
    ...base,
    readFile(path) {
      // What lies there afterwards is another file.
      return reads++ === 0 ? base.readFile(path) : Promise.resolve(new TextEncoder().encode("throw 1"));
    },
    importText(bytes, language) {
      imported.push(bytes);
      return base.importText(bytes, language);
    },
  };
  await loadStageFile({ path: "/a.ts", sha256: hash(text) }, loader);
  assert.equal(reads, 1);
  assert.deepEqual(imported.map((bytes) => new TextDecoder().decode(bytes)), [text]);
  const { code, message } = await fault({ path: "/a.ts", sha256: hash(text) }, loader);
  assert.equal(code, "plugins/changed");
  assert.match(message, new RegExp(`${hash("throw 1")}, wanted ${hash(text)}`));
  assert.equal(imported.length, 1);
});

Deno.test("loadStageFile() refuses what is no file of a stage, with the path and what is wanted", async () => {
  const loader = loaderOf({
    "/number.js": "export default 3;",
    "/nothing.js": "export const x = 1;",
    "/throws.js": "export default () => { throw 'a word'; };",
    "/promise.js": `export default async (api) => (${stageText("own").slice("export default ".length, -1)})(api);`,
    "/later.js": "export const apiVersion = 2; export default (api) => api.x();",
    "/inner.js": stageText("own", "apiVersion: 7,"),
    "/odd.js": "export const apiVersion = '1'; export default (api) => api.x();",
    "/getter.js": "export default () => ({ get kind() { throw new Error('no'); } });",
  });
  const codes: [string, string, RegExp][] = [
    ["/gone.js", "plugins/not-there", /nothing is there/],
    ["/a.txt", "plugins/not-a-stage-file", /\.ts, \.js, \.mjs/],
    ["/number.js", "plugins/no-function", /the number 3, wanted a function/],
    ["/nothing.js", "plugins/no-function", /its default export is nothing/],
    ["/throws.js", "plugins/load-failed", /threw "a word"/],
    ["/later.js", "plugins/api-too-new", /version 2 of the API, and this labferry has 1/],
    ["/inner.js", "plugins/api-too-new", /version 7/],
    ["/odd.js", "plugins/bad-api-version", /found "1"|is "1", wanted a whole number/],
  ];
  for (const [path, wanted, says] of codes) {
    const { code, message, hint } = await fault({ path }, loader);
    assert.deepEqual([path, code], [path, wanted]);
    assert.ok(message.includes(`"${path}"`), message);
    assert.match(message, says);
    assert.ok(hint.length > 20);
  }
  assert.equal((await loadStageFile({ path: "/promise.js" }, loader)).plugin.name, "own");
});

Deno.test("loadStageFile() waits for no file that never ends loading", async () => {
  const loader = { ...loaderOf({ "/a.js": "export default () => new Promise(() => {});" }), timeoutMs: 5 };
  const { code, message } = await fault({ path: "/a.js" }, loader);
  assert.equal(code, "plugins/too-slow");
  assert.match(message, /"\/a\.js": it has not ended loading after 5 ms/);
});
