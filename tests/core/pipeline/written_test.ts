import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { pathOption, z } from "../../../core/options.ts";
import { type Diagnostic, renderDiagnostic } from "../../../core/pipeline/diagnostic.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { compileText, fakeRegistry, LAB_CONFIG, labConfig } from "../../kit/fake_stages.ts";

const picky: AnyStage = defineStage({
  ...fakeRegistry().get("stage", "lock"),
  name: "picky",
  options: z.object({
    name: z.string().max(3).optional(),
    words: z.array(z.string().max(3)).default([]),
    days: z.number().max(3).optional(),
    root: pathOption().optional(),
    store: z.string().optional().meta({ plugin: "store" }),
  }),
});

function refused(withLine: string, { config = LAB_CONFIG, env = {} } = {}): Diagnostic {
  const text =
    `name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "/s" }\n[[stage]]\nuse = "picky"\n${withLine}\n`;
  const { diagnostics } = compileText(text, { config: labConfig(config), registry: fakeRegistry([picky]), env });
  assert.equal(diagnostics.length, 1, diagnostics.map((d) => d.message).join("\n"));
  return diagnostics[0];
}

Deno.test("a value of the config is refused where the config has it, and the line that reads it is named", () => {
  const { diagnostics: [found, ...others] } = compileText(EMBEDDED_PRESETS.backup, {
    config: labConfig(`${LAB_CONFIG}\n[backup]\nidle_days = 0.0000001\n`),
    file: "embedded:pipelines/backup.toml",
  });
  assert.deepEqual(others, []);
  assert.equal(
    renderDiagnostic(found),
    `/etc/labferry/config.toml:11:13: error options/bad-value: Cannot use "idle" of source "idle-folders": ` +
      `wanted a duration such as "15min" (units ms, s, min, h, d, w), found "1e-7d"; ` +
      `embedded:pipelines/backup.toml:13:48 reads it as "\${backup.idle_days}"\n` +
      `  idle_days = 0.0000001\n              ^^^^^^^^^`,
  );
});

Deno.test("an entry of a list of the config is pointed at by itself", () => {
  const config = `${LAB_CONFIG}[hooks]\nbackup = ["ok", "mount-it"]\n`;
  const found = refused('with = { words = "${hooks.backup}" }', { config });
  assert.deepEqual([found.file, found.line, found.column, found.length], ["/etc/labferry/config.toml", 10, 17, 10]);
  assert.match(found.message, /^Cannot use "words\[2\]" of .*; p\.toml:7:18 reads it as "\$\{hooks\.backup\}"$/);
});

Deno.test("a path and a plugin's name are pointed at in the config too", () => {
  const path = refused('with = { root = "~${s3.bucket}" }');
  assert.deepEqual([path.code, path.file, path.sourceLine], [
    "options/bad-path",
    "/etc/labferry/config.toml",
    'bucket = "archive"',
  ]);
  const name = refused('with = { store = "${s3.prefix}" }');
  assert.deepEqual([name.code, name.file, name.sourceLine], [
    "pipeline/unknown-plugin",
    "/etc/labferry/config.toml",
    'prefix = "fusion"',
  ]);
});

Deno.test("a default of the config has no line there: the pipeline is pointed at, and the message says so", () => {
  const found = refused('with = { days = "${backup.idle_days}" }');
  assert.deepEqual([found.file, found.line, found.column], ["p.toml", 7, 17]);
  assert.match(
    found.message,
    /; "\$\{backup\.idle_days\}" is not set in \/etc\/labferry\/config\.toml, so its default is in force$/,
  );
});

Deno.test("what the pipeline gives by itself, by the environment, or out of several keys stands in the pipeline", () => {
  for (
    const value of [
      "much too long",
      "${env.LONG}",
      "${s3.bucket}${s3.prefix}",
      "${s3.bucket}-${env.LONG}",
      "$${s3.bucket}",
    ]
  ) {
    const found = refused(`with = { name = "${value}" }`, { env: { LONG: "much too long" } });
    assert.deepEqual([found.file, found.line, found.column], ["p.toml", 7, 17], value);
    assert.doesNotMatch(found.message, /reads it/);
  }
});
