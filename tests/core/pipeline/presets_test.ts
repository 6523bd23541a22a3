import assert from "node:assert/strict";
import { join } from "@std/path";
import { lintPipeline } from "../../../core/lint/safety.ts";
import { PipelineError } from "../../../core/errors.ts";
import { compilePipeline } from "../../../core/pipeline/compile.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { echoPipeline, findPipeline, presetNames } from "../../../core/pipeline/presets.ts";
import { createRegistry } from "../../../core/registry.ts";
import { plugins } from "../../../plugins/mod.ts";
import { stages } from "../../../stages/mod.ts";
import { readPresets, renderEmbeddedPresets } from "../../../tools/embed_presets.ts";
import { compileText, LAB_CONFIG, labConfig } from "../../kit/fake_stages.ts";
import { assertLinear } from "../../kit/growth.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..", "..");

Deno.test("EMBEDDED_PRESETS is what pipelines/*.toml hold", async () => {
  const onDisk = await readPresets(ROOT);
  assert.deepEqual(EMBEDDED_PRESETS, onDisk, "run: deno run -A tools/embed_presets.ts");
  const module = await Deno.readTextFile(join(ROOT, "core", "pipeline", "embedded_presets.ts"));
  assert.equal(module.replaceAll("\r\n", "\n"), renderEmbeddedPresets(onDisk));
});

for (const [name, text] of Object.entries(EMBEDDED_PRESETS)) {
  Deno.test(`the shipped ${name} pipeline passes lint with the shipped stages`, () => {
    const { pipeline, diagnostics } = compilePipeline({
      text,
      file: `${name}.toml`,
      config: labConfig(`${LAB_CONFIG}[monitor]\nlog_path = "/lab/Fusion.log"\n`),
      registry: createRegistry([...stages, ...plugins]),
      env: {},
    });
    assert.deepEqual(diagnostics, []);
    assert.ok(pipeline);
    assert.deepEqual(lintPipeline(pipeline), []);
  });
}

function files(texts: Record<string, string>) {
  return {
    folder: "/etc/labferry",
    system: "posix" as const,
    readText: (path: string) => Promise.resolve(texts[path]),
  };
}

Deno.test("findPipeline() takes the file beside the config before the embedded preset", async () => {
  assert.ok(presetNames().includes("backup"));
  const embedded = await findPipeline("backup", files({}));
  assert.deepEqual([embedded.origin, embedded.file], ["embedded", "embedded:pipelines/backup.toml"]);
  assert.equal(embedded.text, EMBEDDED_PRESETS.backup);
  const own = await findPipeline("backup", files({ "/etc/labferry/pipelines/backup.toml": "name = 'mine'" }));
  assert.deepEqual(own, { origin: "file", file: "/etc/labferry/pipelines/backup.toml", text: "name = 'mine'" });
});

Deno.test("findPipeline() takes a path as a path", async () => {
  const found = await findPipeline("./my.toml", files({ "./my.toml": "x" }));
  assert.deepEqual(found, { origin: "file", file: "./my.toml", text: "x" });
  await assert.rejects(
    findPipeline("backup.toml", files({})),
    (error) => error instanceof PipelineError && error.code === "pipeline/not-found" && error.stopsRun === 2,
  );
});

Deno.test("findPipeline() names the nearest preset", async () => {
  await assert.rejects(
    findPipeline("bakcup", files({})),
    (error) => error instanceof PipelineError && error.hint === `did you mean "backup"` && error.stopsRun === 2,
  );
  await assert.rejects(findPipeline("toString", files({})), PipelineError);
});

function compiled(text: string, env: Record<string, string> = {}) {
  const { pipeline, diagnostics } = compileText(text, { env });
  assert.deepEqual(diagnostics, []);
  assert.ok(pipeline);
  return pipeline;
}

Deno.test("echoPipeline() gives TOML that means the same, and is its own echo", () => {
  const first = compiled(EMBEDDED_PRESETS.backup);
  const echo = echoPipeline(first);
  assert.match(echo, /^name = "backup"\n/);
  assert.match(echo, /to = "\/nas\/backup"/);
  assert.doesNotMatch(echo, /\$\{/);
  const second = compiled(echo);
  assert.equal(echoPipeline(second), echo);
  assert.deepEqual(
    second.stages.map((one) => [one.id, one.options, one.after]),
    first.stages.map((one) => [one.id, one.options, one.after]),
  );
  assert.deepEqual(lintPipeline(second), []);
});

Deno.test("echoPipeline() keeps branches, retry, templates of item and environment, and literal ${", () => {
  const text = `name = "p"
[source]
use = "idle-folders"
with = { root = "\${env.ROOT}" }
[[stage]]
use = "lock"
timeout = "90s"
[[stage]]
use = "hook"
after = []
retry = { attempts = 2, max = "1min" }
with = { argv = ["\${item.name}", "$\${x}", "\${s3.bucket}"] }
`;
  const env = { ROOT: "/secret/root" };
  const echo = echoPipeline(compiled(text, env));
  assert.doesNotMatch(echo, /secret/);
  assert.match(echo, /root = "\$\{env\.ROOT\}"/);
  assert.match(echo, /timeout = "90000ms"/);
  const again = compiled(echo, env);
  assert.deepEqual(again.stages[1].options, { argv: ["item-a", "${x}", "archive"] });
  assert.deepEqual(again.stages[1].retry?.maxMs, 60_000);
  assert.deepEqual(again.stages[1].after, []);
});

Deno.test("echoPipeline() scrubs options named like secrets and passwords in URLs", () => {
  const base = compiled(
    'name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "/s" }\n[[stage]]\nuse = "lock"\n',
  );
  const written = {
    password: "hunter2",
    secret_access_key: "hunter3",
    api_token: ["hunter4"],
    url: "https://lab:hunter5@example.org/x",
    key_prefix: "fine",
    nested: { smtp_password: "hunter6", from_env: "${env.TOKEN}", session_token: "${env.TOKEN}" },
  };
  const echo = echoPipeline({ ...base, stages: [{ ...base.stages[0], written }] });
  assert.doesNotMatch(echo, /hunter/);
  assert.match(echo, /lab:\*\*\*@example\.org/);
  assert.match(echo, /key_prefix = "fine"/);
  assert.match(echo, /session_token = "\$\{env\.TOKEN\}"/);
});

Deno.test("echoPipeline() takes a time that grows with an option and no faster", () => {
  const base = compiled(
    'name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "/s" }\n[[stage]]\nuse = "lock"\n',
  );
  assertLinear((text) => echoPipeline({ ...base, stages: [{ ...base.stages[0], written: { text } }] }));
});
