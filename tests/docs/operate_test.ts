import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { parseCommandLine } from "../../cli/parse.ts";
import { COMMANDS } from "../../cli/table.ts";
import { EVENTS } from "../../core/events/events.ts";
import { loadConfig } from "../../core/pipeline/config.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const PAGE = Deno.readTextFileSync(`${ROOT}docs/operate.md`);
const FOLDERS = ["core", "stages", "plugins", "cli", "commands"];
const CODE = /[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*/.source;

/** Codes, or whole areas (`area/*`), that the page leaves out, each with why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "cli/*": "a command line that was mistyped: whoever typed it reads the answer at once",
  "config/*": "a line of the config, shown with its position; the page says so once for the area",
  "demo/*": "the demo, which no task starts",
  "env/*": "what only lint finds; a run has other codes for the same",
  "init/*": "install init, which no task starts",
  "new/*": "labferry new, which no task starts",
  "names/*": "findings inside item/names, which lists each in words",
  "options/*": "a line of a pipeline, shown with its position; the page says so once for the area",
  "pipeline/*": "as options/*",
  "plugins/*": "a stage of one's own: docs/external_stages.md has them all, and the page says so",
  "safety/*": "as options/*",
  "stage/*": "as plugins/*",
  "schedule/*": "install tasks, which no task starts",
  "template/*": "as options/*",
  "toml/*": "as options/*",
  "registry/*": "a fault of the program's own list of plugins, found by its tests",
  "health/*": "the stage health stands in none of the shipped pipelines",
  "hook/changed": "the hooks of the shipped pipelines are not pinned",
  "hook/not-pinned": "as hook/changed",
  "before/no-item": "a stage in [[before]] that cannot stand there; the shipped pipelines have a hook alone",
  "item/other-facts": "only pipelines of one's own use templates of the item there",
  "item/wrong-data": "stages of the monitor in another order; the shipped one is right",
  "lock/not-held": "a pipeline without lock does not pass lint",
  "notify/nothing-to-send": "stages of notify in another order; the shipped one is right",
  "run/no-source": "a pipeline without a source folder does not pass lint",
  "run/no-such-item": "a mistyped --only, answered at once",
  "run/unknown-place": "a pipeline that names no such place does not pass lint",
  "verify/not-hashed": "a pipeline that verifies before it copies does not pass lint",
};

/** What looks like a code and is none. */
const NO_CODES = new Set(["application/x-www-form-urlencoded", "labferry/testing"]);

/** Where a code is made without a hint: why. */
const HINTED_ELSEWHERE: Readonly<Record<string, string>> = {
  "core/safety/lock_file.ts": "its callers give the hint, by what they found",
  "core/io/exec.ts": "the stage hook adds it: only the operator knows the program",
};

async function* sourceFiles(folder: string): AsyncIterable<{ file: string; text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourceFiles(path);
    else if (name.endsWith(".ts")) yield { file: path, text: withoutComments(await Deno.readTextFile(ROOT + path)) };
  }
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*/g, "$1");
}

const sources = (await Promise.all(FOLDERS.map((folder) => Array.fromAsync(sourceFiles(folder))))).flat();
const inSource = new Set(
  sources.flatMap(({ text }) => [...text.matchAll(new RegExp(`(["'\`])(${CODE})\\1`, "g"))].map((match) => match[2])),
);
const inPage = new Set([...PAGE.matchAll(new RegExp(`\`(${CODE})\``, "g"))].map((match) => match[1]));

function reasonFor(code: string): string | undefined {
  return LEFT_OUT[code] ?? LEFT_OUT[`${code.split("/")[0]}/*`];
}

/** Text of every fenced block of a language. */
function blocks(language: string): string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "gm");
  return [...PAGE.matchAll(fence)].map((match) => match[1]);
}

Deno.test("operate.md names only error codes that the source has", () => {
  assert.ok(inPage.size > 100, `${inPage.size} codes were found in the page`);
  assert.deepEqual([...inPage].filter((code) => !inSource.has(code)), []);
});

Deno.test("operate.md names every error code of the source, or a reason says why not", () => {
  const missing = [...inSource].filter((code) =>
    !inPage.has(code) && !NO_CODES.has(code) && reasonFor(code) === undefined
  );
  assert.deepEqual(missing.sort(), []);
});

Deno.test("operate.md leaves out only what the source has and the page does not name", () => {
  const areas = new Set([...inSource].map((code) => code.split("/")[0]));
  for (const [code, reason] of Object.entries(LEFT_OUT)) {
    assert.ok(reason.length > 10, `${code} has a reason`);
    const known = code.endsWith("/*") ? areas.has(code.slice(0, -2)) : inSource.has(code);
    assert.ok(known, `${code} is not in the source any more`);
    assert.ok(!inPage.has(code), `${code} is in the page, and left out`);
  }
});

Deno.test("operate.md: every error it names says in the source what to do", () => {
  const bare: string[] = [];
  for (const { file, text } of sources) {
    if (file in HINTED_ELSEWHERE) continue;
    for (const match of text.matchAll(new RegExp(`new PipelineError\\(\\s*"(${CODE})"`, "g"))) {
      if (inPage.has(match[1]) && !/\bhint\b|\boptions\b|\bcommon\b/.test(call(text, match.index))) {
        bare.push(`${file}: ${match[1]}`);
      }
    }
  }
  assert.deepEqual(bare, []);
});

/** The text of a call from `at` to the bracket that ends it; brackets in texts come in pairs here. */
function call(text: string, at: number): string {
  let depth = 0;
  for (let end = text.indexOf("(", at); end < text.length; end++) {
    if (text[end] === "(") depth++;
    else if (text[end] === ")" && --depth === 0) return text.slice(at, end);
  }
  return text.slice(at);
}

Deno.test("operate.md: every command exists, with its flags", async () => {
  const inline = [...PAGE.matchAll(/`(labferry [a-z-][^`]*)`/g)].map((match) => match[1]);
  const lines = blocks("sh").flatMap((block) => block.split("\n")).map((line) => line.trim());
  const typed = lines.filter((line) => line.startsWith("labferry ")).map((line) => line.replace(/\s+#.*$/, ""));
  const commands = [...inline, ...typed].filter((line) => !/ends with|…/.test(line)).map((line) => line.split(/\s+/));
  assert.ok(commands.length > 30, `${commands.length} commands were found in the page`);
  for (const [, ...argv] of commands) {
    const short = ["manifest show", "manifest verify"].includes(argv.join(" ")) ? [...argv, "FOLDER"] : argv;
    const { kind } = await parseCommandLine(short, COMMANDS);
    assert.ok(kind === "run" || kind === "version", argv.join(" "));
  }
});

Deno.test("operate.md: every block of TOML is a valid config", () => {
  const texts = blocks("toml");
  assert.ok(texts.length > 0);
  for (const text of texts) {
    assert.deepEqual(loadConfig({ path: "C:/labferry/config.toml", text, system: "windows" }).diagnostics, [], text);
  }
});

Deno.test("operate.md says of every event what it means and what to do", () => {
  for (const event of Object.keys(EVENTS)) {
    const [, section] = PAGE.split(`\n### ${event}\n`);
    assert.ok(section !== undefined, `${event} has a section`);
    for (const part of ["It means", "How urgent", "Look", "Do", "Mended when"]) {
      assert.ok(section.split("\n### ")[0].includes(`**${part}:**`), `${event}: ${part}`);
    }
  }
});
