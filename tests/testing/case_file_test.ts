import assert from "node:assert/strict";
import { renderDiagnostics } from "../../core/pipeline/diagnostic.ts";
import { readCase } from "../../testing/case_file.ts";

const said = (text: string, file = "backup.x.case.toml") =>
  renderDiagnostics(readCase({ file, text }).diagnostics).split("\n").map((line) => line.trimEnd());

Deno.test("readCase() takes the pipeline from the file's name, or from what the case says", () => {
  const text = `summary = "s"\n[[run]]\nexit_code = 0\n`;
  const of = (file: string, text: string) => {
    const { read, diagnostics } = readCase({ file, text });
    assert.deepEqual(diagnostics, []);
    return [read?.name, read?.pipeline];
  };
  assert.deepEqual(of("/c/pipelines/backup.nas_away.case.toml", text), ["backup.nas_away", "backup"]);
  assert.deepEqual(of("C:\\c\\pipelines\\backup.case.toml", text), ["backup", "backup"]);
  assert.deepEqual(of("away.case.toml", `pipeline = "my.toml"\n${text}`), ["away", "my.toml"]);
});

Deno.test("readCase() says what is wrong where it stands, with the nearest key", () => {
  assert.deepEqual(said(`summary = "s"\n[[run]]\nexit_cod = 0\n`), [
    'backup.x.case.toml:3:1: error case/unknown-key: Cannot use key "exit_cod" in "run[1]" of the case: no such key is known',
    "  exit_cod = 0",
    "  ^^^^^^^^",
    '  hint: did you mean "exit_code"',
  ]);
  assert.deepEqual(said(`summary = "s"\n[[run]]\nexit_code = 0\nitems = { a = "dnoe" }\n`), [
    'backup.x.case.toml:4:15: error case/bad-value: Cannot use "run[1].items.a" of the case: found the text "dnoe", ' +
    'wanted one of "done", "failed", "dropped", "waiting", "unchanged"',
    '  items = { a = "dnoe" }',
    "                ^^^^^^",
    '  hint: did you mean "done"',
  ]);
  assert.deepEqual(said(`summary = "s"\n`), [
    'backup.x.case.toml:1:1: error case/missing-key: Cannot use the case: "run" is missing, wanted a list',
    '  summary = "s"',
    "  ^",
    "  hint: add [[run]] with exit_code = …: a case is what must come of one run or more",
  ]);
  for (const header of ["run", "run.meanwhile"]) {
    const found = said(`summary = "s"\n[[${header}]\n`);
    assert.match(found[0], /^backup\.x\.case\.toml:2:1: error toml\/syntax/);
    assert.equal(found.at(-1), `  hint: write [[${header}]]`);
  }
});

Deno.test("readCase() checks the keys of the config, and leaves the scratch world its own", () => {
  const run = `[[run]]\nexit_code = 0\n`;
  assert.match(
    said(`summary = "s"\n[config.backup]\nidel_days = 1\n${run}`).join("\n"),
    /^backup\.x\.case\.toml:3:1: error case\/unknown-key: .*"idel_days"[^]*did you mean "idle_days"$/,
  );
  assert.match(
    said(`summary = "s"\n[config.paths]\ntruenas_root = "/mnt/nas"\n${run}`).join("\n"),
    /^backup\.x\.case\.toml:3:1: error case\/fixed-key: Cannot set "paths\.truenas_root" in a case/,
  );
});

Deno.test("readCase() refuses what happens at no place or at no moment", () => {
  const meanwhile = (lines: string) =>
    said(`summary = "s"\n[[run]]\nexit_code = 0\n[[run.meanwhile]]\n${lines}\n`).join("\n");
  assert.equal(meanwhile(`after = "truenas"\nwrite = { "source/a/b" = "text" }`), "");
  assert.match(
    meanwhile(`write = { "soruce/a" = "text" }`),
    /:5:11: error case\/unknown-place: .*did you mean "source"$/s,
  );
  assert.match(meanwhile(`remove = ["nas"]`), /:5:11: error case\/unknown-place: .*add the path behind "nas\/"/s);
  assert.match(meanwhile(`flip = ["nas/../x"]`), /case\/unknown-place/);
  assert.match(meanwhile(`write = { "/second/a" = "text" }`), /case\/unknown-place/);
  assert.match(meanwhile(`after = "truenas"`), /:4:3: error case\/nothing-happens/);
  assert.match(meanwhile(`after = "truenas"\nlose_journal = true`), /:5:1: error case\/wrong-moment/);
  assert.match(meanwhile(`after = "a"\nbefore = "b"\ncrash = "kill"`), /case\/wrong-moment/);
  assert.match(meanwhile(`item = "a"\ncrash = "kill"`), /:5:1: error case\/wrong-moment/);
  assert.match(meanwhile(`clock = "2h"`), /:5:9: error case\/bad-value: .*wanted a sign, a number/);
});
