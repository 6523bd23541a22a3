import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import plugin from "../../tools/lint_plugin.ts";

/** Findings of the plugin on `source` as if it stood in `file` of this repository: `rule: message`. */
function lint(file: string, source: string): string[] {
  const path = fromFileUrl(new URL(`../../${file}`, import.meta.url));
  return Deno.lint.runPlugin(plugin, path, source).map((found) =>
    `${found.id.replace("labferry/", "")}: ${found.message}`
  );
}

function assertFinds(file: string, source: string, ...wanted: RegExp[]): void {
  const found = lint(file, source);
  assert.equal(found.length, wanted.length, `in ${file}: ${source}\nfound ${JSON.stringify(found, null, 1)}`);
  wanted.forEach((pattern, at) => assert.match(found[at], pattern));
}

function assertClean(file: string, source: string): void {
  assert.deepEqual(lint(file, source), [], `in ${file}: ${source}`);
}

Deno.test("import-arrows lets each layer import what DESIGN 2 gives it", () => {
  assertClean("stages/copy.ts", `import { z } from "../core/options.ts"; import x from "zod"; import "./_blocks.ts";`);
  assertClean("plugins/standards/a.ts", `import { x } from "./a/rules.ts";`);
  assertClean("plugins/standards/a/rules.ts", `import { x } from "./names.ts"; import "../../../core/errors.ts";`);
  assertClean("stages/copy/blocks.ts", `import { x } from "../copy.ts";`);
  assertClean("stages/mod.ts", `import { copy } from "./copy.ts"; import type { Plugin } from "../core/contract.ts";`);
  assertClean("plugins/stores/s3.ts", `import type { ObjectStore } from "../../core/objects/object_store.ts";`);
  assertClean("plugins/stores/s3.ts", `import { a } from "./_s3/parts.ts";`);
  assertClean("plugins/stores/_s3/parts.ts", `import { a } from "./_sign.ts"; import { b } from "./xml.ts";`);
  assertClean(
    "core/run/engine.ts",
    `import { a } from "../ports.ts"; import config from "../../deno.json" with { type: "json" };`,
  );
  assertClean("commands/run.ts", `import { stages } from "../stages/mod.ts"; export * from "../core/run/engine.ts";`);
  assertClean("cli.ts", `const { demo } = await import("./commands/demo.ts");`);
  assertClean("demo/demo.ts", `import { plugins } from "../plugins/mod.ts";`);
  assertClean("testing/world.ts", `import { a } from "../core/run/engine.ts"; import "../stages/mod.ts";`);
  assertClean("commands/test.ts", `const kit = await import("../testing/mod.ts");`);
  assertClean("tests/core/x_test.ts", `import { a } from "../../core/io/_private.ts";`);
});

Deno.test("import-arrows refuses an arrow against the layers", () => {
  assertFinds(
    "stages/copy.ts",
    `import { a } from "./verify.ts";`,
    /import-arrows: "stages\/copy.ts" imports "stages\/verify.ts"/,
  );
  assertFinds("plugins/standards/b.ts", `import { x } from "./a/rules.ts";`, /import-arrows/);
  assertFinds("plugins/standards/a/rules.ts", `import { x } from "../b.ts";`, /import-arrows/);
  assertFinds("stages/copy.ts", `import { a } from "../core/io/local.ts";`, /stage files may import core\/contract.ts/);
  assertFinds("stages/copy.ts", `import type { A } from "../core/journal/journal.ts";`, /import-arrows/);
  assertFinds("plugins/sources/log.ts", `export * from "../../core/objects/object_store.ts";`, /import-arrows/);
  assertFinds("plugins/stores/s3.ts", `import { a } from "./local.ts";`, /import-arrows/);
  assertFinds("core/run/engine.ts", `const a = await import("../../stages/copy.ts");`, /core files may import core\//);
  assertFinds("core/errors.ts", `export { a } from "../plugins/mod.ts";`, /import-arrows/);
  assertFinds("core/errors.ts", `type A = import("../commands/run.ts").A;`, /import-arrows/);
  assertFinds("mod.ts", `export * from "./stages/mod.ts";`, /SDK files may import core\//);
  assertFinds("demo/demo.ts", `import { a } from "../stages/copy.ts";`, /import-arrows/);
  assertFinds("commands/run.ts", `import { a } from "../stages/copy.ts";`, /import-arrows/);
  assertFinds("bench/local.ts", `import { a } from "../tests/kit/temp.ts";`, /import-arrows/);
  assertFinds("commands/run.ts", `const kit = await import("../testing/mod.ts");`, /command line files may import/);
  assertFinds("core/run/engine.ts", `import { a } from "labferry/testing";`, /imports "testing\/mod.ts": core files/);
  assertFinds("testing/world.ts", `import { a } from "../tests/kit/temp.ts";`, /kit for tests files may import/);
});

Deno.test("import-arrows keeps files that begin with _ to their own folder", () => {
  assertClean("core/journal/sqlite.ts", `import { a } from "./_database.ts";`);
  assertFinds("core/run/engine.ts", `import { a } from "../journal/_database.ts";`, /private to "core\/journal\/"/);
});

Deno.test("literal-import refuses a computed import outside of tests and tools", () => {
  assertClean("plugins/stores/s3.ts", `const sdk = await import("@aws-sdk/client-s3");`);
  assertClean("plugins/stores/s3.ts", "const sdk = await import(`@aws-sdk/client-s3`);");
  assertClean("tests/stages/mod_test.ts", `const stage = await import(path);`);
  assertFinds("core/registry.ts", `const stage = await import(path);`, /literal-import: A computed import/);
  assertFinds("commands/new.ts", "const stage = await import(`./${name}.ts`);", /literal-import/);
});

Deno.test("cli-only keeps arguments, exit and the console in cli.ts", () => {
  assertClean("cli.ts", `console.log(Deno.args); Deno.exit(1);`);
  assertClean("tools/test.ts", `console.log(Deno.args); Deno.exit(1);`);
  assertClean("commands/run.ts", `out.console.log("x"); const args = command.args;`);
  assertFinds("commands/run.ts", `console.log("x");`, /cli-only: Only cli.ts touches the console/);
  assertFinds("core/run/engine.ts", `globalThis.console.error("x");`, /the console/);
  assertFinds("core/run/engine.ts", `Deno.exit(3);`, /Deno.exit/);
  assertFinds("stages/hook.ts", `run(() => { const a = process.argv; });`, /process.argv/);
  assertFinds("demo/demo.ts", `const a = Deno["args"];`, /Deno.args/);
});

Deno.test("no-ambient-io refuses files, network and processes in stages and plugins", () => {
  assertFinds("stages/copy.ts", `await Deno.open("x");`, /no-ambient-io: Deno.open is ambient I\/O/);
  assertFinds("stages/copy.ts", `const { open } = Deno; await Deno["readFile"]("x");`, /Deno.readFile/);
  assertFinds("stages/copy.ts", `import { open } from "node:fs/promises";`, /node:fs\/promises/);
  assertFinds("plugins/sources/log.ts", `const fs = await import("node:fs");`, /node:fs/);
  assertFinds("plugins/standards/smtp.ts", `await fetch("http://x");`, /fetch/);
  assertFinds("plugins/standards/smtp.ts", `new WebSocket("ws://x");`, /WebSocket/);
  assertFinds("plugins/stores/s3.ts", `await Deno.open("x");`, /Deno.open/);
  assertClean("plugins/notifiers/webhook.ts", `await fetch("http://x");`);
  assertClean("plugins/stores/s3.ts", `import { Agent } from "node:https"; const key = Deno.env.get("AWS_REGION");`);
  assertClean("stages/copy.ts", `if (error instanceof Deno.errors.NotFound) f(Deno.build.os);`);
  assertClean("stages/copy.ts", `import { createHash } from "node:crypto"; import type { Stats } from "node:fs";`);
  assertClean("core/io/local.ts", `await Deno.open("x");`);
});

Deno.test("no-sleep-in-tests refuses timers in tests only", () => {
  assertFinds("tests/core/x_test.ts", `await new Promise((r) => setTimeout(r, 10));`, /no-sleep-in-tests: setTimeout/);
  assertFinds("testing/world.ts", `globalThis.setInterval(() => {}, 10);`, /setInterval/);
  assertFinds(
    "tests/core/x_test.ts",
    `import { setTimeout as sleep } from "node:timers/promises";`,
    /node:timers\/promises/,
  );
  assertClean("tests/core/x_test.ts", `const signal = AbortSignal.timeout(5000); clock.setTimeout(() => {}, 5);`);
  assertClean("core/io/clock.ts", `setTimeout(() => {}, 10);`);
});

const thrown = (code: string, message: string) => `throw new PipelineError(${code}, ${message});`;

Deno.test("error-message accepts the grammar in strings, templates, sums and choices", () => {
  for (
    const message of [
      `'Cannot read "a": not found'`,
      '`Cannot copy "${from}": read ${got} of ${bytes} bytes`',
      '`Cannot copy "${from}": ${reason}`',
      "`Cannot read ${path}.`.slice(1)",
      `"Cannot lock: held " + "by " + holder`,
      "`Cannot ${doing}: ${reason}`",
      `late ? "Cannot read: late" : \`Cannot read: \${why}\``,
      "message",
      "`${what}: the study's lock is held`",
    ]
  ) assertClean("core/x.ts", thrown(`"copy/short-read"`, message));
});

Deno.test("error-message refuses a final period, a contraction, and another beginning", () => {
  const refused: [string, RegExp][] = [
    [`"Cannot read: gone."`, /no final period/],
    ["`Cannot read ${a}: gone.`", /no final period/],
    [`"Cannot read: " + "gone!"`, /no final period/],
    [`late ? "Cannot read: late." : "Cannot read"`, /no final period/],
    [`"Cannot read: it doesn't exist"`, /no contraction, found "doesn't"/],
    ["`Cannot read ${a}: it’s gone`", /no contraction, found "it’s"/],
    [`"Failed to read the file"`, /begins with "Cannot <verb>"/],
    ["`Unable to read ${file}`", /begins with "Cannot <verb>"/],
  ];
  for (const [message, wanted] of refused) assertFinds("core/x.ts", thrown(`"copy/short-read"`, message), wanted);
});

Deno.test("error-message refuses a code that is not area/problem", () => {
  const message = `"Cannot read: gone"`;
  assertClean("core/x.ts", thrown(`late ? "copy/late" : "copy/short-read"`, message));
  assertClean("core/x.ts", thrown("code", message));
  assertClean("core/x.ts", thrown("`${area}/gone`", message));
  for (const code of ["copy", "copy/Short", "copy/short_read", "copy/", "a/b/c", "copy short/read"]) {
    assertFinds("core/x.ts", thrown(`"${code}"`, message), /reads area\/problem/);
  }
  assertClean("tests/core/x_test.ts", thrown(`"x"`, `"y."`));
});

Deno.test("no-default-export refuses a default export where no loader asks for one", () => {
  assertFinds("stages/copy.ts", `export default 1;`, /no-default-export: A module has named exports only/);
  assertFinds("stages/copy.ts", `export { a as default };`, /no-default-export/);
  assertClean("stages/copy.ts", `export const copy = 1; export { copy as other };`);
  assertClean("tools/lint_plugin.ts", `export default {};`);
  assertClean("tests/cases/external/stage.ts", `export default (api) => api.defineStage({});`);
});

Deno.test("plain-types refuses enums, namespaces and private members", () => {
  assertFinds("core/x.ts", `enum A { B }`, /plain-types: Write a union of strings/);
  assertFinds("core/x.ts", `namespace A { export const b = 1; }`, /Write a module/);
  assertFinds("core/x.ts", `class A { private b = 1; }`, /Write #name, not private/);
  assertFinds("core/x.ts", `class A { protected b() {} }`, /Write #name, not protected/);
  assertFinds("core/x.ts", `class A { constructor(private b: number) {} }`, /Write #name, not private/);
  assertClean("core/x.ts", `class A { #b = 1; readonly c = 2; private constructor(readonly d: number) {} }`);
  assertClean("types/std.d.ts", `declare module "x" { export const a: number; }`);
});
