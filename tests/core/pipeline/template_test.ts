import assert from "node:assert/strict";
import fc from "fast-check";
import { PipelineError } from "../../../core/errors.ts";
import {
  checkItemSegment,
  itemValues,
  resolveTemplate,
  resolveTree,
  resolveTreeOrThrow,
  type TemplateScope,
} from "../../../core/pipeline/template.ts";
import { labConfig } from "../../kit/fake_stages.ts";

function scope(more: Partial<TemplateScope> = {}): TemplateScope {
  return { config: labConfig().view, configFile: "/etc/config.toml", env: { HOME: "/home/lab", EMPTY: "" }, ...more };
}

function value(text: string, more: Partial<TemplateScope> = {}) {
  const result = resolveTemplate(text, scope(more));
  assert.deepEqual(result.problems, []);
  return result.value;
}

function problem(text: string, more: Partial<TemplateScope> = {}) {
  const result = resolveTemplate(text, scope(more));
  assert.equal(result.problems.length, 1, JSON.stringify(result));
  assert.equal(result.value, undefined);
  return result.problems[0];
}

Deno.test("resolveTemplate() reads config after defaults, environment and item", () => {
  assert.equal(value("${paths.source_root}"), "/lab/source");
  assert.equal(value("${ paths.source_root }/x"), "/lab/source/x");
  assert.equal(value("${backup.idle_days}d"), "14d");
  assert.equal(value("${notify.smtp.security}"), "starttls");
  assert.equal(value("${env.HOME}/x"), "/home/lab/x");
  assert.equal(value("a-${item.name}", { item: itemValues({ name: "Study1", data: {} }) }), "a-Study1");
  assert.equal(value("${item.data.n}", { item: itemValues({ name: "s", data: { n: 3 } }) }), "3");
  assert.equal(value("plain $HOME { }"), "plain $HOME { }");
});

Deno.test("resolveTemplate() keeps the type of a sole template", () => {
  assert.deepEqual(value("${hooks.backup}"), []);
  assert.equal(value("${backup.idle_days}"), 14);
  assert.equal(value("${notify.enabled}"), false);
  assert.equal(value("${notify.enabled}!"), "false!");
});

Deno.test("resolveTemplate() refuses a list within a text, and a section", () => {
  const list = problem("run ${hooks.backup}");
  assert.deepEqual([list.code, list.start, list.length], ["template/not-text", 4, 15]);
  assert.equal(problem("${notify.smtp}").code, "template/not-a-value");
});

Deno.test("S16 resolveTemplate() refuses unknown and empty values, where they stand, with the nearest name", () => {
  const key = problem("x/${paths.source_rot}/y");
  assert.deepEqual([key.code, key.start, key.length, key.hint], [
    "template/unknown",
    2,
    19,
    `did you mean "source_root"`,
  ]);
  assert.equal(problem("${path.source_root}").hint, `did you mean "paths"`);
  assert.equal(problem("${envv.HOME}").hint, `did you mean "env"`);
  assert.equal(problem("${env.HOM}").hint, `did you mean "HOME"`);
  assert.equal(problem("${env.NOPE_NOT_HERE}").code, "template/unknown");
  assert.equal(problem("${env.EMPTY}").code, "template/empty");
  assert.equal(problem("${env.constructor}").code, "template/unknown");
  assert.equal(problem("${constructor.name}").code, "template/unknown");
  assert.equal(problem("${paths.constructor}").code, "template/unknown");
  const unset = problem("${monitor.log_path}");
  assert.equal(unset.code, "template/not-set");
  assert.match(unset.message, /"log_path" is not set in \[monitor\] of \/etc\/config\.toml/);
  assert.match(unset.hint ?? "", /add to \[monitor\] of \/etc\/config\.toml: log_path/);
});

Deno.test("S16 resolveTemplate() expands once: what a value holds is never read again", () => {
  assert.equal(value("${env.X}", { env: { X: "${paths.source_root}" } }), "${paths.source_root}");
  assert.equal(value("${env.A}${env.B}", { env: { A: "${", B: "env.A}" } }), "${env.A}");
});

Deno.test("resolveTemplate() reads $${ as the two characters themselves", () => {
  assert.equal(value("$${paths.source_root}"), "${paths.source_root}");
  assert.equal(value("a$$${env.HOME}"), "a$${env.HOME}");
  assert.equal(value("$${${env.HOME}}"), "${/home/lab}");
});

Deno.test("resolveTemplate() refuses what is no template", () => {
  for (const text of ["${", "${}", "${ }", "${paths}", "${paths.}", "${a b.c}", "${.x}", "${paths.source_root"]) {
    assert.equal(problem(text).code, "template/syntax", text);
  }
  assert.match(problem("a ${paths.x").message, /the closing brace is missing/);
});

Deno.test("resolveTemplate() knows no item in the source and in hooks, and only name and data of one", () => {
  assert.equal(problem("${item.name}").code, "template/no-item");
  const item = itemValues({ name: "s", data: {} });
  assert.equal(problem("${item.nam}", { item }).hint, `did you mean "name"`);
  assert.equal(problem("${item.data.x}", { item }).code, "template/unknown");
  assert.equal(problem("${item.data.toString}", { item }).code, "template/unknown");
});

Deno.test("resolveTemplate() ignores the case of the environment where the system does", () => {
  assert.equal(value("${env.home}", { envIgnoresCase: true }), "/home/lab");
  assert.equal(problem("${env.home}").hint, `did you mean "HOME"`);
});

Deno.test("S16 checkItemSegment() takes one path segment and nothing else", () => {
  for (const good of ["Study 1", "a.b", "..a", "ä", "-x", "a…", 7]) {
    assert.equal(checkItemSegment(good), undefined, `${good}`);
  }
  const bad = [
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "/",
    "C:",
    "a:b",
    "a\u0000b",
    "a\nb",
    "a.",
    "a ",
    "...",
    "a\uD800",
    "a\uFFFD",
    null,
    true,
    {},
    NaN,
  ];
  for (const value of bad) {
    assert.match(checkItemSegment(value) ?? "fine", /wanted one path segment/, JSON.stringify(value));
  }
});

Deno.test("S16 resolveTemplate() lets no item value leave the folder it is put into", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", ".", "/", "\\", ":", " ", "\u0000", "$", "{", "}") }),
      (name) => {
        const { value, problems } = resolveTemplate(
          "/root/${item.name}/x",
          scope({ item: itemValues({ name, data: {} }) }),
        );
        if (problems.length > 0) return;
        assert.equal(new URL(`file://${encodeURI(String(value))}`).pathname.split("/").length, 4);
        assert.ok(!/[\\:\u0000]/.test(name) && name !== "" && name !== "." && name !== "..");
      },
    ),
  );
});

Deno.test("resolveTree() tells path and problem of each string, and leaves keys alone", () => {
  const told: [string, (string | number)[]][] = [];
  const names: string[] = [];
  const tree = resolveTree({ a: ["${env.HOME}", { "${k}": "${paths.nope}" }], n: 1 }, scope(), {
    problem: (found, path) => told.push([found.code, path]),
    names: (found) => names.push(...found),
  });
  assert.deepEqual(tree, { a: ["/home/lab", { "${k}": "${paths.nope}" }], n: 1 });
  assert.deepEqual(told, [["template/unknown", ["a", 1, "${k}"]]]);
  assert.deepEqual(names, ["env.HOME", "paths.nope"]);
});

Deno.test("resolveTreeOrThrow() throws the first problem", () => {
  assert.throws(
    () => resolveTreeOrThrow(["${paths.nope}"], scope()),
    (error) => error instanceof PipelineError && error.code === "template/unknown",
  );
});
