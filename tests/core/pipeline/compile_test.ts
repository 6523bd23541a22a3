import assert from "node:assert/strict";
import { type AnyStage, defineStage, type Plugin } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { pathOption, z } from "../../../core/options.ts";
import type { Diagnostic } from "../../../core/pipeline/diagnostic.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { loadConfig } from "../../../core/pipeline/config.ts";
import { compileText, fakeRegistry, labConfig } from "../../kit/fake_stages.ts";

const HEAD = 'name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "/s" }\n';

function stage(...lines: string[]): string {
  return `${HEAD}[[stage]]\n${lines.join("\n")}\n`;
}

function refused(text: string, options?: Parameters<typeof compileText>[1]): Diagnostic[] {
  const { pipeline, diagnostics } = compileText(text, options);
  assert.equal(pipeline, undefined);
  assert.ok(diagnostics.length > 0);
  return diagnostics;
}

function only(text: string, options?: Parameters<typeof compileText>[1]): Diagnostic {
  const found = refused(text, options);
  assert.equal(found.length, 1, found.map((d) => `${d.code} ${d.message}`).join("\n"));
  return found[0];
}

Deno.test("compilePipeline() compiles the shipped backup pipeline", () => {
  const { pipeline, diagnostics } = compileText(EMBEDDED_PRESETS.backup, { file: "backup.toml" });
  assert.deepEqual(diagnostics, []);
  assert.ok(pipeline);
  assert.equal(pipeline.name, "backup");
  assert.deepEqual(pipeline.source.options, { root: "/lab/source", idle: 14 * 86_400_000 });
  assert.deepEqual(pipeline.sourceRoot, { root: "/lab/source", domain: undefined });
  assert.deepEqual(pipeline.stages.map((one) => one.id), [
    "validate",
    "lock",
    "manifest-append",
    "truenas",
    "verify",
    "checksum-sidecar",
    "s3",
    "record",
    "delete",
  ]);
  assert.deepEqual(pipeline.places.map((place) => [place.id, place.kind]), [["truenas", "directory"], [
    "s3",
    "objects",
  ]]);
  assert.deepEqual(pipeline.before[0].options, { argv: [] });
  assert.deepEqual(pipeline.onItemFailed[0].options, { status: "failed" });
  const copy = pipeline.stages[3];
  assert.deepEqual(copy.retry, { attempts: 3, firstMs: 2000, maxMs: undefined, on: ["transient"] });
  assert.equal(copy.options.to, "/nas/backup");
  assert.equal(copy.forItem, undefined);
  assert.equal(pipeline.document.source.line(copy.position.line), 'use   = "copy"');
});

Deno.test("compilePipeline() refuses unknown plugins, and says so when it is of another kind", () => {
  const unknown = only(stage('use = "verfy"'));
  assert.deepEqual([unknown.code, unknown.line, unknown.column, unknown.hint], [
    "pipeline/unknown-plugin",
    6,
    7,
    `did you mean "verify"`,
  ]);
  assert.match(only(stage('use = "idle-folders"')).message, /Cannot use "idle-folders" as a stage: it is a source/);
});

Deno.test("compilePipeline() checks options by the plugin's schema: unknown, missing, of the wrong type", () => {
  const unknown = only(stage('use = "copy"', 'with = { to = "/x", domian = "a" }'));
  assert.deepEqual([unknown.code, unknown.line, unknown.column, unknown.length, unknown.hint], [
    "options/unknown-key",
    7,
    21,
    6,
    `did you mean "domain"`,
  ]);
  const nested = only(stage('use = "delete"', "with = { require = { place = 2 } }"));
  assert.deepEqual([nested.code, nested.column, nested.hint], ["options/unknown-key", 22, `did you mean "places"`]);
  const missing = only(stage('use = "copy"', 'with = { domain = "a" }'));
  assert.deepEqual([missing.code, missing.line], ["options/missing-key", 7]);
  assert.match(missing.message, /Cannot use stage "copy": "to" is missing, wanted a text/);
  assert.equal(only(stage('use = "copy"')).line, 5, "without with, the stage itself is named");
  const type = only(stage('use = "delete"', 'with = { require = { places = "2" } }'));
  assert.deepEqual([type.code, type.column, type.hint], ["options/wrong-type", 31, "write 2 without quotes"]);
  const choice = only(stage('use = "s3-upload"', 'with = { bucket = "b", verify = "automatic" }'));
  assert.equal(choice.code, "options/bad-value");
  assert.match(choice.message, /wanted one of "auto", "read-back", "none"/);
});

Deno.test("compilePipeline() points at the option of a [stage.with] table too", () => {
  const found = only(`${stage('use = "delete"')}[stage.with.require]\nplaces = 0\n`);
  assert.deepEqual([found.line, found.column, found.code], [8, 10, "options/bad-value"]);
});

Deno.test("compilePipeline() names config file and key where a template needs what is not set", () => {
  const { loaded } = loadConfig({ path: "/etc/c.toml", text: "", system: "posix" });
  const found = refused(EMBEDDED_PRESETS.backup, { config: loaded });
  assert.deepEqual(found.map((d) => d.code), Array(4).fill("template/not-set"));
  const nas = found.find((d) => d.message.includes("truenas_root"));
  assert.match(nas?.message ?? "", /"truenas_root" is not set in \[paths\] of \/etc\/c\.toml/);
  assert.match(nas?.sourceLine ?? "", /to = "\$\{paths\.truenas_root\}"/);
  assert.deepEqual([nas?.column, nas?.length], [17, 21], "the caret stands under the template");
});

Deno.test("compilePipeline() finds a template's position behind escapes and in multi-line strings", () => {
  const escaped = only(stage('use = "mail-tree"', 'with = { to = "\\u00e9\\t\\"${paths.nope}" }'), {
    registry: fakeRegistry([mailTree()]),
  });
  assert.deepEqual([escaped.line, escaped.column, escaped.length], [7, 26, 13]);
  const folded = only(stage('use = "mail-tree"', 'with.to = """', "one", "two \\", "   ${paths.nope}", '"""'), {
    registry: fakeRegistry([mailTree()]),
  });
  assert.deepEqual([folded.line, folded.column], [10, 4]);
  const literal = only(stage('use = "mail-tree"', "with.to = '\\d${paths.nope}'"), {
    registry: fakeRegistry([mailTree()]),
  });
  assert.deepEqual([literal.line, literal.column], [7, 14]);
});

function mailTree(more: Partial<AnyStage> = {}): AnyStage {
  return { ...fakeRegistry().get("stage", "mail"), name: "mail-tree", takes: "tree", ...more };
}

Deno.test("compilePipeline() refuses a stage that takes other items than the source yields", () => {
  const found = only(stage('use = "mail"', 'with = { to = "x" }'));
  assert.equal(found.code, "pipeline/wrong-item");
  assert.match(found.message, /it takes events, and the source \(line 3\) yields trees/);
  assert.ok(
    compileText('name = "p"\n[source]\nuse = "log-lines"\n[[stage]]\nuse = "mail"\nwith = { to = "x" }\n').pipeline,
  );
});

Deno.test("compilePipeline() lets only fit stages stand in [[before]] and [[on_item_failed]]", () => {
  const before = only(`${stage('use = "lock"')}[[before]]\nuse = "lock"\n`);
  assert.deepEqual([before.code, before.line, before.hint], ["pipeline/misplaced", 8, "[[before]] takes: hook"]);
  const failed = only(`${stage('use = "lock"')}[[on_item_failed]]\nuse = "lock"\n`);
  assert.equal(failed.hint, "[[on_item_failed]] takes: hook, manifest-append");
});

Deno.test("compilePipeline() wants the ledger's folder where a stage writes the ledger", () => {
  const { loaded } = loadConfig({ path: "/etc/c.toml", text: "", system: "posix" });
  const found = only(stage('use = "manifest-append"', 'with = { status = "in_progress" }'), { config: loaded });
  assert.deepEqual([found.code, found.line], ["config/not-set", 6]);
  assert.match(found.message, /"manifest_root" is not set in \[paths\] of \/etc\/c\.toml/);
});

Deno.test("compilePipeline() resolves relative paths in options against the folder of the config", () => {
  const { pipeline } = compileText(stage('use = "copy"', 'with = { to = "copies" }'));
  assert.equal(pipeline?.stages[0].options.to, "/etc/labferry/copies");
  assert.equal(only(stage('use = "copy"', 'with = { to = "~/copies" }')).code, "options/bad-path");
});

Deno.test("S16 compilePipeline() refuses ${env.…} that is unset or empty, and expands once", () => {
  const text = stage('use = "copy"', 'with = { to = "${env.NAS}" }');
  assert.equal(compileText(text, { env: { NAS: "/mnt/nas" } }).pipeline?.stages[0].options.to, "/mnt/nas");
  assert.equal(only(text).code, "template/unknown");
  assert.equal(only(text, { env: { NAS: "" } }).code, "template/empty");
  assert.equal(compileText(text, { env: { NAS: "/${paths.x}" } }).pipeline?.stages[0].options.to, "/${paths.x}");
});

Deno.test("S16 compilePipeline() gives options per item where a template names the item", () => {
  const registry = fakeRegistry([mailTree()]);
  const { pipeline } = compileText(stage('use = "mail-tree"', 'with = { to = "${item.name}-${s3.bucket}" }'), {
    registry,
  });
  const forItem = pipeline?.stages[0].forItem;
  assert.ok(forItem);
  assert.deepEqual(forItem({ name: "Study1", data: {} }), { to: "Study1-archive" });
  assert.deepEqual(forItem({ name: "${paths.x}", data: {} }), { to: "${paths.x}-archive" });
  for (const name of ["..", "a/b", ""]) {
    assert.throws(
      () => forItem({ name, data: {} }),
      (error) => error instanceof PipelineError && error.code === "template/unsafe",
      name,
    );
  }
});

Deno.test("compilePipeline() refuses a template of the item in the source, in hooks and in the root of a place", () => {
  assert.equal(only(HEAD.replace("/s", "${item.name}") + '[[stage]]\nuse = "lock"\n').code, "template/no-item");
  assert.equal(
    only(`${stage('use = "lock"')}[[before]]\nuse = "hook"\nwith = { argv = ["\${item.name}"] }\n`).code,
    "template/no-item",
  );
  assert.equal(only(stage('use = "copy"', 'with = { to = "/x/${item.name}" }')).code, "pipeline/place-per-item");
});

Deno.test("compilePipeline() reports what a plugin throws at its stage", () => {
  const failing = mailTree({
    facts() {
      throw new PipelineError("mail/odd", `Cannot mail "x": it is odd`, { hint: "do not" });
    },
  });
  const found = only(stage('use = "mail-tree"', 'with = { to = "x" }'), { registry: fakeRegistry([failing]) });
  assert.deepEqual([found.code, found.message, found.hint, found.line], [
    "mail/odd",
    `Cannot mail "x": it is odd`,
    "do not",
    6,
  ]);
  const broken = mailTree({
    places() {
      throw new TypeError("undefined is not a function");
    },
  });
  assert.equal(
    only(stage('use = "mail-tree"', 'with = { to = "x" }'), { registry: fakeRegistry([broken]) }).code,
    "pipeline/plugin-error",
  );
});

Deno.test("compilePipeline() reports mistakes of many stages at once, in one pass", () => {
  const text = `${HEAD}[[stage]]
use = "copi"
[[stage]]
use = "verify"
with = { plce = "x" }
[[stage]]
use = "copy"
with = { to = "\${paths.nope}" }
`;
  assert.deepEqual(refused(text).map((d) => [d.line, d.code]), [
    [6, "pipeline/unknown-plugin"],
    [9, "options/unknown-key"],
    [12, "template/unknown"],
  ]);
});

Deno.test("compilePipeline() enters unions, lists and records of a plugin's schema", () => {
  const rich = defineStage({
    ...mailTree(),
    name: "rich",
    options: z.object({
      rows: z.array(z.object({ path: pathOption(), n: z.number().default(1) })).default([]),
      map: z.record(z.string(), z.object({ to: pathOption() })).optional(),
      any: z.union([z.string(), z.number()]).optional(),
      open: z.looseObject({ a: z.string() }).optional(),
      meta: pathOption().meta({ description: "A path." }).optional(),
    }),
  });
  const registry = fakeRegistry([rich]);
  const { pipeline, diagnostics } = compileText(
    stage(
      'use = "rich"',
      'with = { rows = [{ path = "a" }], map = { x = { to = "b" } }, any = 3, open = { a = "1", b = 2 }, meta = "c" }',
    ),
    { registry },
  );
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(pipeline?.stages[0].options, {
    rows: [{ path: "/etc/labferry/a", n: 1 }],
    map: { x: { to: "/etc/labferry/b" } },
    any: 3,
    open: { a: "1", b: 2 },
    meta: "/etc/labferry/c",
  });
  const row = only(stage('use = "rich"', 'with.rows = [{ path = "a" }, { path = "b", m = 1 }]'), { registry });
  assert.deepEqual([row.code, row.line, row.column], ["options/unknown-key", 7, 44]);
  const union = only(stage('use = "rich"', "with.any = true"), { registry });
  assert.match(union.message, /wanted a text or a number/);
});

Deno.test("S18 compilePipeline() ends the key prefix of a place in one slash, however it is written", () => {
  for (const [prefix, wanted] of [["", ""], ["/", ""], ["a", "a/"], ["/a/b//", "a/b/"]]) {
    const text = stage('use = "s3-upload"', 'id = "s3"', `with = { bucket = "archive", prefix = "${prefix}" }`);
    const [place] = compileText(text).pipeline?.places ?? [];
    assert.ok(place?.kind === "objects");
    assert.equal(place.prefix, wanted);
  }
});

Deno.test("compilePipeline() compiles for Windows on any system", () => {
  const { loaded } = loadConfig({
    path: "C:\\labferry\\config.toml",
    text:
      "[paths]\nsource_root = 'D:\\Fusion'\ntruenas_root = '\\\\nas\\lab'\nmanifest_root = 'm'\n[s3]\nbucket = 'b'\nprefix = 'p'\n",
    system: "windows",
  });
  const { pipeline, diagnostics } = compileText(EMBEDDED_PRESETS.backup, { config: loaded });
  assert.deepEqual(diagnostics, []);
  assert.equal(pipeline?.sourceRoot?.root, "D:\\Fusion");
  assert.equal(pipeline?.stages[3].options.to, "\\\\nas\\lab\\", "the root of a share ends in a separator");
  assert.equal(labConfig().system, "posix");
});

Deno.test("compilePipeline() refuses an option that names a plugin nobody knows, with the nearest name", () => {
  const naming = defineStage({
    ...mailTree(),
    name: "naming",
    options: z.object({ store: z.string().default("cellar").meta({ plugin: "store" }) }),
  });
  const registry = fakeRegistry([naming, {
    kind: "store",
    name: "cellar",
    summary: "",
    options: z.object({}),
    example: "",
    open: () => Promise.reject(new TypeError("unused")),
  } as Plugin]);
  const found = (options: string) =>
    compileText(`${HEAD}[[stage]]\nuse = "naming"\n${options}`, { registry }).diagnostics.map((
      d,
    ) => [d.code, d.line, d.hint]);
  assert.deepEqual(found(`with = { store = "cellar2" }\n`), [["pipeline/unknown-plugin", 7, 'did you mean "cellar"']]);
  assert.deepEqual(found(`with = { store = "cellar" }\n`), []);
  assert.deepEqual(found(""), []);
});
