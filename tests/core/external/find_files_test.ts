import assert from "node:assert/strict";
import {
  findExternalFiles,
  type FolderReader,
  isStageFile,
  namedFiles,
  pluginsFolder,
  stageExtension,
} from "../../../core/external/find_files.ts";
import { loadConfig, type LoadedConfig } from "../../../core/pipeline/config.ts";

const PIN = "AB".repeat(32);

function config(text: string, path = "/lab/config.toml", system: "posix" | "windows" = "posix"): LoadedConfig {
  const { loaded, diagnostics } = loadConfig({ path, text, system });
  assert.ok(loaded, diagnostics.map(({ message }) => message).join("; "));
  return loaded;
}

/** A disk of these files; a value is where a link leads. */
function disk(files: Record<string, string | true>, failure?: Error): FolderReader {
  return {
    fileNames(folder) {
      if (failure) return Promise.reject(failure);
      const names = Object.keys(files).filter((path) => path.startsWith(folder)).map((path) =>
        path.slice(folder.length + 1)
      );
      return Promise.resolve(names);
    },
    realPath(path) {
      const to = files[path];
      return to === undefined ? Promise.reject(new Deno.errors.NotFound()) : Promise.resolve(to === true ? path : to);
    },
  };
}

Deno.test("isStageFile() takes TypeScript and JavaScript, not tests, declarations and private files", () => {
  for (const name of ["a.ts", "b.js", "c.mjs", "größe x.TS", "contest.ts", "latest.js"]) {
    assert.ok(isStageFile(name), name);
  }
  for (
    const name of ["a_test.ts", "a.test.js", "A.TEST.TS", "a.d.ts", "_a.ts", ".a.ts", "a.tsx", "a.json", "ts", "a.ts~"]
  ) {
    assert.ok(!isStageFile(name), name);
  }
  assert.equal(stageExtension("C:\\x\\A.MJS"), ".mjs");
});

Deno.test("namedFiles() reads paths and pins, each with the place of its line", () => {
  const text = `[plugins]
files = [
  "own/a.ts",
  { path = "/abs/b.ts", sha256 = "${PIN}", touches = ["truenas"] },
]
`;
  const [a, b] = namedFiles(config(text));
  assert.deepEqual([a.path, a.sha256, a.touches], ["/lab/own/a.ts", undefined, undefined]);
  assert.deepEqual([b.path, b.sha256, b.touches], ["/abs/b.ts", PIN.toLowerCase(), ["truenas"]]);
  assert.deepEqual([a.at?.span.line, b.at?.span.line], [3, 4]);
});

Deno.test("namedFiles() on Windows takes drives, shares, blanks and letters of any language", () => {
  const text = String.raw`[plugins]
files = ['C:\Labor Ä\stufe.ts', '\\nas\share\stages\b.js', "sub folder/c.mjs", { path = 'D:\x.ts' }]
`;
  const loaded = config(text, String.raw`\\server\conf\labferry\config.toml`, "windows");
  assert.deepEqual(namedFiles(loaded).map(({ path }) => path), [
    String.raw`C:\Labor Ä\stufe.ts`,
    String.raw`\\nas\share\stages\b.js`,
    String.raw`\\server\conf\labferry\sub folder\c.mjs`,
    String.raw`D:\x.ts`,
  ]);
  assert.equal(pluginsFolder(loaded), String.raw`\\server\conf\labferry\plugins`);
});

Deno.test("findExternalFiles() lists what is named, then the folder in the order of names, each file once", async () => {
  const loaded = config('[plugins]\nfiles = ["plugins/z.ts", "elsewhere.ts"]\n');
  const { files, broken } = await findExternalFiles(
    loaded,
    disk({
      "/lab/plugins/b.ts": true,
      "/lab/plugins/a.js": true,
      "/lab/plugins/a_test.ts": true,
      "/lab/plugins/z.ts": true,
      "/lab/plugins/link.ts": "/lab/elsewhere.ts",
      "/lab/elsewhere.ts": true,
    }),
  );
  assert.deepEqual(files.map(({ path }) => path), [
    "/lab/plugins/z.ts",
    "/lab/elsewhere.ts",
    "/lab/plugins/a.js",
    "/lab/plugins/b.ts",
  ]);
  assert.deepEqual(broken, []);
});

Deno.test("findExternalFiles() knows a file by another spelling on Windows", async () => {
  const loaded = config("[plugins]\nfiles = ['Plugins\\A.ts']\n", "C:\\lab\\config.toml", "windows");
  const { files } = await findExternalFiles(loaded, disk({ "C:\\lab\\plugins\\a.ts": true }));
  assert.deepEqual(files.map(({ path }) => path), ["C:\\lab\\Plugins\\A.ts"]);
});

Deno.test("findExternalFiles() refuses a file named twice, and goes on with the first", async () => {
  const loaded = config(`[plugins]\nfiles = ["a.ts", { path = "./a.ts", sha256 = "${PIN}" }]\n`);
  const { files, broken } = await findExternalFiles(loaded, disk({ "/lab/a.ts": true }));
  assert.equal(files.length, 1);
  assert.deepEqual(broken.map(({ code, file }) => [code, file]), [["plugins/named-twice", "/lab/a.ts"]]);
  assert.match(broken[0].message, /line 2 names the same file/);
});

Deno.test("findExternalFiles() needs no folder, and tells of one that cannot be listed", async () => {
  const loaded = config("");
  const absent = Object.assign(new Deno.errors.NotFound("no"), { code: "ENOENT" });
  assert.deepEqual(await findExternalFiles(loaded, disk({}, absent)), { files: [], broken: [] });
  const denied = Object.assign(new Deno.errors.PermissionDenied("no"), { code: "EACCES" });
  const { broken: [fault] } = await findExternalFiles(loaded, disk({}, denied));
  assert.deepEqual([fault.code, fault.file], ["plugins/folder-unreadable", "/lab/plugins"]);
  assert.match(fault.message, /Cannot list the folder of stages "\/lab\/plugins": the system denies access/);
});
