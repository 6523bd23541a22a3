/** What an editor with the TOML language server of Taplo says of configs and pipelines, by the schemas labferry writes. */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { builtinRegistry } from "../../cli/project.ts";
import { schemaFiles } from "../../cli/schema_files.ts";
import { initFiles } from "../../commands/_init_templates.ts";
import { tempDir } from "../kit/temp.ts";
import { type LanguageServer, startTaplo } from "./_taplo.ts";

const MISTAKEN = fromFileUrl(new URL("./broken_pipelines/", import.meta.url));
const PRESETS = fromFileUrl(new URL("../../pipelines/", import.meta.url));

async function editor() {
  const dir = await tempDir();
  await Deno.mkdir(join(dir.path, "schema"));
  for (const { name, text } of schemaFiles(builtinRegistry())) {
    await Deno.writeTextFile(join(dir.path, "schema", name), text);
  }
  const server: LanguageServer = await startTaplo(dir.path);
  let files = 0;
  return {
    server,
    pipeline: () => join(dir.path, "pipelines", `p${++files}.toml`),
    config: () => join(dir.path, `c${++files}.toml`),
    async [Symbol.asyncDispose]() {
      server[Symbol.dispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const preset = (name: string) => Deno.readTextFile(join(PRESETS, `${name}.toml`));

/** A mistake in the preset `backup`: what is replaced, by what, and what the editor says at the line of the mistake. */
const MISTAKES: readonly [what: string, from: string, to: string, says: RegExp][] = [
  ["a misspelt key", `[[before]]\nuse `, `[[before]]\nues `, /'ues' was unexpected/],
  ["a misspelt stage", `use = "lock"`, `use = "lok"`, /"lok" is not one of \[.*"lock"/],
  ["a misspelt option", `with = { place = "truenas" }`, `with = { plase = "truenas" }`, /'plase' was unexpected/],
  ["an option left out", `with = { status = "failed" }`, `with = { }`, /"status" is a required property/],
  ["a wrong choice", `verify = "auto" }`, `verify = "atuo" }`, /"atuo" does not match .*auto\|read-back\|none/],
  ["a text for a number", `places = 2`, `places = "two"`, /"two" does not match/],
  ["a number out of range", `places = 2`, `places = 0`, /0 is less than the minimum of 1/],
  ["a unit left out", `{backup.idle_days}d" }`, `{backup.idle_days}d", settle = "15" }`, /"15" does not match/],
  [
    "a number for a text",
    `with  = { to = "\${paths.truenas_root}" }`,
    `with  = { to = 7 }`,
    /7 is not of type "string"/,
  ],
  ["an engine key out of range", `attempts = 3`, `attempts = 0`, /0 is less than the minimum of 1/],
  ["a stage that may not stand there", `use  = "hook"`, `use  = "delete"`, /"delete" is not one of \["hook"\]/],
  ["options of another stage", `use  = "verify"`, `use  = "validate"`, /'place' was unexpected/],
];

Deno.test("the language server finds nothing in the shipped presets, nor in the config of install init", async () => {
  await using at = await editor();
  for (const name of ["backup", "cleanup", "monitor", "notify"]) {
    assert.deepEqual(await at.server.check(at.pipeline(), await preset(name)), [], name);
  }
  for (const system of ["posix", "windows"] as const) {
    const config = initFiles(system).find(({ kind }) => kind === "config")?.text ?? "";
    assert.deepEqual(await at.server.check(at.config(), config), [], system);
    const filled = config.replaceAll(/^# (?=[a-z_]+ = )/gm, "");
    assert.notEqual(filled, config);
    assert.deepEqual(await at.server.check(at.config(), filled), [], `${system}, every example set`);
  }
});

Deno.test("the language server reports each mistake in a pipeline at its line", async () => {
  await using at = await editor();
  const text = await preset("backup");
  for (const [what, from, to, says] of MISTAKES) {
    const index = text.indexOf(from);
    assert.ok(index >= 0, what);
    const line = text.slice(0, index).split("\n").length;
    const found = await at.server.check(at.pipeline(), text.slice(0, index) + to + text.slice(index + from.length));
    const told = found.map((one) => `${one.line}: ${one.message}`).join("\n");
    assert.ok(found.some(({ message }) => says.test(message)), `${what}:\n${told}`);
    assert.ok(found.every((one) => Math.abs(one.line - line) <= 2), `${what}, at line ${line}:\n${told}`);
  }
});

/** Codes of what a schema can know: words, types, ranges. Order, places and templates are lint's. */
const KNOWN_TO_SCHEMAS =
  /^(?:toml\/syntax|options\/[a-z-]+|pipeline\/(?:unknown-key|missing-key|wrong-type|bad-value|unknown-plugin|misplaced))$/;

Deno.test("of the mistakes operators make, the language server reports every one that is a wrong word or value", async () => {
  await using at = await editor();
  const names = [...Deno.readDirSync(MISTAKEN)].flatMap(({ name }) =>
    name.endsWith(".toml") ? [name.slice(0, -5)] : []
  );
  let reported = 0;
  for (const name of names) {
    const text = `#:schema ../schema/pipeline.schema.json\n${await Deno.readTextFile(join(MISTAKEN, `${name}.toml`))}`;
    const lint = await Deno.readTextFile(join(MISTAKEN, `${name}.txt`));
    const [, line, code] = /:(\d+):\d+: error (\S+):/.exec(lint) ?? [];
    const found = await at.server.check(at.pipeline(), text);
    assert.equal(found.length > 0, KNOWN_TO_SCHEMAS.test(code), `${name}: ${code}\n${JSON.stringify(found)}`);
    if (found.length === 0) continue;
    reported++;
    // The schema's line stands above; a table is underlined from its header on.
    const near = found.some((one) => Math.abs(one.line - 1 - Number(line)) <= 3);
    assert.ok(
      near || name === "source_missing",
      `${name}: lint says line ${line}, the editor ${JSON.stringify(found)}`,
    );
  }
  assert.ok(reported >= 20, `${reported}`);
});

Deno.test("the language server knows the options of the notifier that a stage hands them on to", async () => {
  await using at = await editor();
  const stage = (options: string) => `[[stage]]\nuse = "notify"\nid = "n"\nwith = { ${options} }\n`;
  const check = async (options: string) =>
    await at.server.check(at.pipeline(), await preset("notify") + stage(options));
  assert.deepEqual(await check(`via = "slack", options = { channel = "C1" }`), []);
  assert.deepEqual(await check(`options = { host = "smtp.lab.example", port = 587 }`), []);
  assert.deepEqual(await check(`via = "webhook", options = { url = "\${s3.endpoint}" }`), []);
  assert.match((await check(`via = "slack", options = { chanel = "C1" }`))[0]?.message, /'chanel' was unexpected/);
  assert.match((await check(`options = { prot = 587 }`))[0]?.message, /'prot' was unexpected/);
  assert.match((await check(`via = "slak"`))[0]?.message, /"slak" does not match/);
});

Deno.test("the language server reports each mistake in a config", async () => {
  await using at = await editor();
  const mistakes: [text: string, says: RegExp][] = [
    [`[pahts]\nsource_root = "x"`, /'pahts' was unexpected/],
    [`[paths]\nsource_rot = "x"`, /'source_rot' was unexpected/],
    [`[backup]\nidle_days = "14"`, /"14" is not of type "number"/],
    [`[backup]\nstale_locks = "keep"`, /"keep" is not one of/],
    [`[notify.smtp]\nport = 70000`, /70000 is greater than the maximum/],
  ];
  for (const [text, says] of mistakes) {
    const found = await at.server.check(at.config(), `#:schema ./schema/config.schema.json\n${text}\n`);
    assert.ok(found.some(({ message }) => says.test(message)), `${text}\n${JSON.stringify(found)}`);
  }
});

Deno.test("the language server proposes stages, keys, options and values, and shows what they are", async () => {
  await using at = await editor();
  const head = `#:schema ../schema/pipeline.schema.json\nname = "p"\n`;
  const stage = `${head}[[stage]]\nuse = "s3-upload"\n`;
  const uses = await at.server.complete(at.pipeline(), `${head}[[stage]]\nuse = "|"\n`);
  assert.deepEqual([...uses.keys()], builtinRegistry().names("stage").map((name) => `"${name}"`));
  assert.equal(uses.get(`"lock"`), builtinRegistry().get("stage", "lock").summary);
  const keys = await at.server.complete(at.pipeline(), `${stage}|\n`);
  for (const key of ["id", "with", "retry", "timeout", "on_error", "after", "parallel"]) assert.ok(keys.has(key), key);
  const values = await at.server.complete(at.pipeline(), `${stage}with.verify = "|"\n`);
  for (const value of [`"auto"`, `"read-back"`, `"none"`]) assert.ok(values.has(value), value);
  assert.match(await at.server.hover(at.pipeline(), `${stage}with = { bucket = "b|" }\n`), /Bucket to upload to/);
  const config = await at.server.complete(at.config(), `#:schema ./schema/config.schema.json\n[backup]\n|\n`);
  assert.match(config.get("idle_days") ?? "", /Days without a change/);
});
