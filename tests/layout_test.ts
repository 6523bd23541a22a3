import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { EMBEDDED_WORKERS } from "../tools/compile.ts";
import {
  brokenLinks,
  longFiles,
  sharedNumbers,
  strayTests,
  testNames,
  unregisteredPlugins,
  untestedPlugins,
  workerModules,
} from "../tools/layout.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

const NOT_OURS = new Set([".git", "node_modules", "dist", "coverage"]);

/** Every file of the project, relative to its root. */
async function projectFiles(folder = ROOT, below = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (NOT_OURS.has(entry.name)) continue;
    if (entry.isDirectory) found.push(...await projectFiles(join(folder, entry.name), `${below}${entry.name}/`));
    else found.push(below + entry.name);
  }
  return found.sort();
}

const files = await projectFiles();
const read = (file: string): string => Deno.readTextFileSync(join(ROOT, file));

Deno.test("layout: every test mirrors a source file and is named so that it runs", () => {
  assert.deepEqual(strayTests(files), []);
});

Deno.test("layout: every file in tests/ that registers a test matches *_test.ts", () => {
  assert.deepEqual(testNames(files, read), []);
});

Deno.test("layout: no source file passes 400 lines without a decision page that names it", () => {
  assert.deepEqual(longFiles(files, read), []);
});

Deno.test("layout: every decision page has a number of its own", () => {
  assert.deepEqual(sharedNumbers(files), []);
});

Deno.test("layout: every stage and plugin is in its list", () => {
  assert.deepEqual(unregisteredPlugins(files, read), []);
});

Deno.test("layout: every stage and plugin has a test", () => {
  assert.deepEqual(untestedPlugins(files), []);
});

Deno.test("layout: every link in the documentation resolves", () => {
  assert.deepEqual(brokenLinks(files, read), []);
});

Deno.test("layout: every worker is embedded in the executable", () => {
  assert.deepEqual(workerModules(files, read), [...EMBEDDED_WORKERS].sort());
});

Deno.test("layout: the lock file names no registry, so that any mirror serves", () => {
  assert.doesNotMatch(read("deno.lock"), /:\/\//);
});
