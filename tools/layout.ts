/**
 * Finds what stands in the wrong place in this repository. Pure: every function takes the project's files, relative to
 * the root with `/` separators, and returns one line for each thing found.
 * @module
 */

const MAX_LINES = 400;

/** Folders under tests/ that mirror nothing: rules of SAFETY, the kit, real servers and programs. */
const FREE_TESTS = ["tests/kit/", "tests/integration/", "tests/acceptance/", "tests/rules/"];

type Read = (file: string) => string;

function isTest(file: string): boolean {
  return file.startsWith("tests/") && file.endsWith("_test.ts");
}

/**
 * Tests that mirror no source, and tests outside of tests/. `tests/a/b_test.ts` mirrors `a/b.ts`, `a/_b.ts` or the folder
 * `a/b/`; `tests/a/b_crash_test.ts` is one topic of the same; `tests/docs/b_test.ts` mirrors the page `docs/b.md`.
 */
export function strayTests(files: readonly string[]): string[] {
  const sources = new Set(files);
  const folders = new Set(files.flatMap((file) => {
    const parts = file.split("/").slice(0, -1);
    return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
  }));
  const found: string[] = [];
  for (const file of files.filter((file) => /[._]test\.[jt]sx?$/.test(file))) {
    if (!isTest(file)) {
      found.push(`${file}: a test stands in tests/ and is named *_test.ts`);
      continue;
    }
    if (file === "tests/layout_test.ts" || FREE_TESTS.some((folder) => file.startsWith(folder))) continue;
    const subject = file.slice("tests/".length, -"_test.ts".length);
    const mirrors = topicsOf(subject).some((name) => {
      const hidden = name.replace(/([^/]+)$/, "_$1");
      const page = name.startsWith("docs/") && sources.has(`${name}.md`);
      return page || sources.has(`${name}.ts`) || sources.has(`${hidden}.ts`) || folders.has(name);
    });
    if (mirrors) continue;
    found.push(`${file}: mirrors neither ${subject}.ts nor a folder ${subject}/`);
  }
  return found;
}

/** `a/b_c_d`, then what it may be a topic of: `a/b_c`, `a/b`. */
function topicsOf(subject: string): string[] {
  const names = [subject];
  for (let name = subject; /[^/_]_[^/]*$/.test(name);) names.push(name = name.replace(/_[^_/]*$/, ""));
  return names;
}

/** Files in tests/ that register tests under a name `deno test` does not pick up. Suites of the kit export a function. */
export function testNames(files: readonly string[], read: Read): string[] {
  return files
    .filter((file) => file.startsWith("tests/") && file.endsWith(".ts") && !isTest(file))
    .filter((file) => /^Deno\.test\b/m.test(read(file)))
    .map((file) => `${file}: registers a test but is not named *_test.ts`);
}

/** Sources and tests over 400 lines that no page in docs/decisions names. Generated files do not count. */
export function longFiles(files: readonly string[], read: Read): string[] {
  const decisions = files.filter((file) => /^docs\/decisions\/.*\.md$/.test(file)).map(read).join("\n");
  return files
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts"))
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
    .filter(({ file, lines }) => lines > MAX_LINES && !decisions.includes(file))
    .map(({ file, lines }) => `${file}: ${lines} lines, at most ${MAX_LINES} without a decision page that names it`);
}

/** Pages in docs/decisions that have a number another page has: who cites one by its number means one page. */
export function sharedNumbers(files: readonly string[]): string[] {
  const pages = Map.groupBy(
    files.filter((file) => /^docs\/decisions\/\d+_[^/]*\.md$/.test(file)),
    (file) => Number(/(\d+)_[^/]*$/.exec(file)![1]),
  );
  return [...pages.values()]
    .filter((same) => same.length > 1)
    .map(([first, ...others]) => `${others.join(", ")}: has the number of ${first}, give it the next one that is free`);
}

/** Plugin files: `stages/<name>.ts` and `plugins/<kind>/<name>.ts`; not the lists, nor files that begin with `_`. */
export function pluginFiles(files: readonly string[]): string[] {
  return files.filter((file) =>
    /^(stages|plugins\/[^/]+)\/[^/_][^/]*\.ts$/.test(file) && !file.endsWith("/mod.ts") && !isTest(file)
  );
}

/** Plugins that their list does not import: a plugin in no list does not exist for anybody. */
export function unregisteredPlugins(files: readonly string[], read: Read): string[] {
  const lists = files.filter((file) => /^(stages|plugins)(\/[^/]+)?\/mod\.ts$/.test(file));
  const imports = lists.flatMap((list) => {
    const folder = list.slice(0, -"mod.ts".length);
    return [...read(list).matchAll(/\bfrom "\.\/([^"]+)"/g)].map((match) => folder + match[1]);
  });
  return pluginFiles(files)
    .filter((file) => !imports.includes(file))
    .map((file) => `${file}: is in no list (${file.startsWith("stages/") ? "stages/mod.ts" : "plugins/mod.ts"})`);
}

/** Plugins without a test of their own. */
export function untestedPlugins(files: readonly string[]): string[] {
  return pluginFiles(files)
    .filter((file) => {
      const own = `tests/${file.slice(0, -".ts".length)}`;
      return !files.some((test) => test === `${own}_test.ts` || (test.startsWith(`${own}/`) && isTest(test)));
    })
    .map((file) => `${file}: has no test tests/${file.replace(/\.ts$/, "_test.ts")}`);
}

/** Modules of the program that start as workers: `deno compile` embeds them only when it is told to. */
export function workerModules(files: readonly string[], read: Read): string[] {
  const sources = files.filter((file) => /^(core|cli|commands|demo|plugins|stages|testing)\/.*\.ts$/.test(file));
  return sources.flatMap((file) =>
    [...read(file).matchAll(/new Worker\(\s*new URL\("([^"]+)"/g)].map((match) => resolveLink(file, match[1]))
  ).sort();
}

/** The anchor GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

function anchorsOf(markdown: string): Set<string> {
  const text = markdown.replace(/^```[\s\S]*?^```/gm, "");
  return new Set([...text.matchAll(/^#{1,6} +(.+)$/gm)].map((match) => anchorOf(match[1])));
}

function resolveLink(page: string, target: string): string {
  const parts = target.startsWith("/") ? [] : page.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** Relative links of Markdown pages whose file, folder or heading is not there. */
export function brokenLinks(files: readonly string[], read: Read): string[] {
  const known = new Set(files);
  const found: string[] = [];
  for (const page of files.filter((file) => file.endsWith(".md"))) {
    const text = read(page).replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
    for (const [, link] of text.matchAll(/\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g)) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) continue;
      const [path, anchor] = decodeURI(link).split("#");
      const target = path === "" ? page : resolveLink(page, path);
      const isFolder = files.some((file) => file.startsWith(`${target}/`));
      if (!known.has(target) && !isFolder) found.push(`${page}: links to ${link}, which is not there`);
      else if (anchor && target.endsWith(".md") && !anchorsOf(read(target)).has(anchor)) {
        found.push(`${page}: links to ${link}, which has no such heading`);
      }
    }
  }
  return found;
}
