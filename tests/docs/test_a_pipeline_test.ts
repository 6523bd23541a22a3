/** Everything on the page about cases is done as it stands there. */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { CASE_SCHEMA } from "../../core/pipeline/case_schema.ts";
import { lab } from "../commands/_lab.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const PAGE = Deno.readTextFileSync(`${ROOT}docs/test_a_pipeline.md`);

interface Block {
  language: string;
  more: string;
  text: string;
}

const blocks = [...PAGE.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)]
  .map(([, language, more, text]): Block => ({ language, more: more.trim(), text }));

/** Words of a command line; quoted ones are one. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare);
}

Deno.test("test_a_pipeline.md: every file is written, every command run, and every output is what comes of it", async () => {
  await using place = await lab();
  let last = { code: 0, stdout: "", stderr: "" };
  let commands = 0, outputs = 0;
  for (const { language, more, text } of blocks) {
    const file = /\S+\.toml$/.exec(more)?.[0];
    if (file !== undefined) await Deno.writeTextFile(join(place.path, file), text);
    if (language === "sh") {
      const [program, ...argv] = words(text.trim());
      assert.equal(program, "labferry");
      last = await place.cli(argv);
      assert.equal(last.code, more === "fails" ? 1 : 0, `${text}${last.stdout}${last.stderr}`);
      commands++;
    }
    if (language !== "text") continue;
    assert.ok(last.stdout.replaceAll(`${place.path}/`, "").startsWith(text), `${text}\n---\n${last.stdout}`);
    outputs++;
  }
  assert.deepEqual([commands, outputs], [3, 2]);
  assert.equal((await place.cli(["lint", "to-nas", "--offline"])).code, 0);
});

Deno.test("test_a_pipeline.md names every key of a case, a run, what happens, and the end", () => {
  const run = CASE_SCHEMA.shape.run.element;
  const meanwhile = run.shape.meanwhile.def.innerType.element;
  const end = CASE_SCHEMA.shape.end.def.innerType;
  for (const { shape } of [CASE_SCHEMA, run, meanwhile, end]) {
    for (const key of Object.keys(shape)) {
      assert.ok(new RegExp(`[\`[.]${key}\\b`).test(PAGE), key);
    }
  }
});
