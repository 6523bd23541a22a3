import assert from "node:assert/strict";
import {
  brokenLinks,
  longFiles,
  pluginFiles,
  sharedNumbers,
  strayTests,
  testNames,
  unregisteredPlugins,
  untestedPlugins,
  workerModules,
} from "../../tools/layout.ts";

function tree(contents: Record<string, string>) {
  return { files: Object.keys(contents), read: (file: string) => contents[file] };
}

Deno.test("strayTests() finds tests that mirror nothing or stand elsewhere", () => {
  const good = ["core/a.ts", "core/io/_b.ts", "core/run/engine.ts", "plugins/stores/s3.ts"];
  const tests = ["tests/core/a_test.ts", "tests/core/io/b_test.ts", "tests/core/run_test.ts", "tests/rules/x_test.ts"];
  assert.deepEqual(strayTests([...good, ...tests, "tests/core/io/_b_test.ts", "tests/layout_test.ts"]), []);
  assert.deepEqual(strayTests([...good, "tests/core/a_after_crash_test.ts", "tests/core/io/b_windows_test.ts"]), []);
  const found = strayTests([...good, "tests/core/gone_test.ts", "core/a_test.ts", "tests/core/a.test.ts"]);
  assert.equal(found.length, 3);
  assert.match(found[0], /^tests\/core\/gone_test.ts: mirrors neither core\/gone.ts/);
  assert.match(found[1], /^core\/a_test.ts: a test stands in tests\//);
  assert.match(found[2], /^tests\/core\/a.test.ts: a test stands in tests\//);
});

Deno.test("testNames() finds a test that deno test would not run", () => {
  const { files, read } = tree({
    "tests/core/a.ts": `Deno.test("x", () => {});`,
    "tests/core/b_test.ts": `Deno.test("x", () => {});`,
    "tests/kit/suite.ts": `export function suite() {\n  Deno.test("x", () => {});\n}`,
  });
  assert.deepEqual(testNames(files, read), ["tests/core/a.ts: registers a test but is not named *_test.ts"]);
});

Deno.test("longFiles() lets a long file stand only where a decision page names it", () => {
  const long = "x\n".repeat(401);
  const { files, read } = tree({ "core/a.ts": long, "core/b.ts": long, "core/c.ts": "x\n".repeat(400) });
  assert.equal(longFiles(files, read).length, 2);
  const page = "docs/decisions/0009_long.md";
  const found = longFiles([...files, page], (file) => file === page ? "`core/b.ts` is one table" : read(file));
  assert.deepEqual(found, ["core/a.ts: 401 lines, at most 400 without a decision page that names it"]);
});

Deno.test("sharedNumbers() finds decision pages that two branches have numbered alike", () => {
  const pages = ["0001_a.md", "0002_b.md", "0010_c.md", "README.md"].map((page) => `docs/decisions/${page}`);
  assert.deepEqual(sharedNumbers([...pages, "docs/0001_other.md"]), []);
  assert.deepEqual(sharedNumbers([...pages, "docs/decisions/0002_d.md", "docs/decisions/02_e.md"]), [
    "docs/decisions/0002_d.md, docs/decisions/02_e.md: has the number of docs/decisions/0002_b.md, give it the next one " +
    "that is free",
  ]);
});

Deno.test("unregisteredPlugins() and untestedPlugins() find a plugin nobody lists or tests", () => {
  const { files, read } = tree({
    "stages/mod.ts": `import { copy } from "./copy.ts";\nexport const stages = [copy];`,
    "stages/copy.ts": "",
    "stages/verify.ts": "",
    "stages/_shared.ts": "",
    "plugins/mod.ts": `import { s3 } from "./stores/s3.ts";`,
    "plugins/stores/s3.ts": "",
    "plugins/standards/x/rules.ts": "",
    "tests/stages/copy_test.ts": "",
    "tests/plugins/stores/s3/parts_test.ts": "",
  });
  assert.deepEqual(pluginFiles(files), ["stages/copy.ts", "stages/verify.ts", "plugins/stores/s3.ts"]);
  assert.deepEqual(unregisteredPlugins(files, read), ["stages/verify.ts: is in no list (stages/mod.ts)"]);
  assert.deepEqual(untestedPlugins(files), ["stages/verify.ts: has no test tests/stages/verify_test.ts"]);
});

Deno.test("brokenLinks() resolves files, folders and headings, and leaves code alone", () => {
  const { files, read } = tree({
    "README.md": "[a](docs/a.md) [b](docs/) [c](#the-two-commands) [d](https://x.example/y) `[e](no.md)`\n\n" +
      "```\n[f](no.md)\n# not a heading\n```\n\n## The two commands\n",
    "docs/a.md": '[up](../README.md "title") [h](../README.md#the-two-commands)',
  });
  assert.deepEqual(brokenLinks(files, read), []);
  const bad = tree({ "docs/a.md": "[x](b.md) [y](#none) [z](../gone/)", "README.md": "[w](docs/a.md#not-a-heading)" });
  assert.deepEqual(brokenLinks(bad.files, bad.read).sort(), [
    "README.md: links to docs/a.md#not-a-heading, which has no such heading",
    "docs/a.md: links to #none, which has no such heading",
    "docs/a.md: links to ../gone/, which is not there",
    "docs/a.md: links to b.md, which is not there",
  ]);
});

Deno.test("workerModules() finds the modules that start as workers", () => {
  const { files, read } = tree({
    "core/io/pool.ts": `new Worker(new URL("./file_worker.ts", import.meta.url), { type: "module" });`,
    "tests/kit/x.ts": `new Worker(new URL("./x.ts", import.meta.url));`,
  });
  assert.deepEqual(workerModules(files, read), ["core/io/file_worker.ts"]);
});
