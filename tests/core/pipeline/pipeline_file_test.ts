import assert from "node:assert/strict";
import fc from "fast-check";
import type { Diagnostic } from "../../../core/pipeline/diagnostic.ts";
import { readPipelineFile, topologicalOrder } from "../../../core/pipeline/pipeline_file.ts";
import { parseToml } from "../../../core/pipeline/toml_document.ts";

const HEAD = 'name = "p"\n[source]\nuse = "idle-folders"\n';

function read(text: string) {
  const { document, diagnostics } = parseToml({ file: "p.toml", text });
  assert.deepEqual(diagnostics, []);
  assert.ok(document);
  return readPipelineFile(document);
}

function stages(...blocks: string[]): string {
  return HEAD + blocks.map((block) => `[[stage]]\n${block}\n`).join("");
}

function refused(text: string): Diagnostic[] {
  const { file, diagnostics } = read(text);
  assert.equal(file, undefined);
  return diagnostics;
}

function ids(text: string): string[] {
  const { file, diagnostics } = read(text);
  assert.deepEqual(diagnostics, []);
  return file?.stages.map((stage) => stage.id) ?? [];
}

Deno.test("readPipelineFile() reads names, ids, options and engine keys", () => {
  const { file } = read(stages(
    'use = "copy"\nid = "nas"\nwith = { to = "x" }\nretry = { attempts = 3, first = "2s", max = "1min", on = ["transient", "s3/denied"] }\ntimeout = "1h"\nparallel = 2\non_error = "warn"',
    'use = "verify"',
  ));
  assert.deepEqual(file?.stages[0], {
    use: "copy",
    id: "nas",
    with: { to: "x" },
    retry: { attempts: 3, firstMs: 2000, maxMs: 60_000, on: ["transient", "s3/denied"] },
    timeoutMs: 3_600_000,
    parallel: 2,
    onError: "warn",
    after: [],
    path: ["stage", 0],
    position: { line: 5, column: 7, length: 6 },
  });
  assert.deepEqual([file?.stages[1].id, file?.stages[1].onError, file?.stages[1].with], ["verify", "fail", {}]);
  assert.deepEqual(file?.stages[1].after, ["nas"]);
  assert.deepEqual(read(stages('use = "a"\nretry = { attempts = 2 }')).file?.stages[0].retry, {
    attempts: 2,
    firstMs: 1000,
    maxMs: undefined,
    on: ["transient"],
  });
});

Deno.test("readPipelineFile() reads [[before]] and [[on_item_failed]], whose ids are their own", () => {
  const { file } = read(`${stages('use = "hook"')}[[before]]\nuse = "hook"\n[[on_item_failed]]\nuse = "hook"\n`);
  assert.deepEqual([file?.before[0].id, file?.stages[0].id, file?.onItemFailed[0].id], ["hook", "hook", "hook"]);
});

Deno.test("readPipelineFile() refuses unknown keys with the nearest name", () => {
  const cases: [string, number, string][] = [
    [`summry = "x"\n${stages('use = "a"')}`, 1, "summary"],
    [stages('use = "a"\nrety = 3'), 6, "retry"],
    [stages('use = "a"\nretry = { attempts = 1, frist = "2s" }'), 6, "first"],
    [stages('use = "a"\nonerror = "warn"'), 6, "on_error"],
    [`${stages('use = "a"')}[[on_item_fail]]\nuse = "hook"\n`, 6, "on_item_failed"],
  ];
  for (const [text, line, name] of cases) {
    const [found] = refused(text);
    assert.deepEqual(
      [found.code, found.line, found.hint],
      ["pipeline/unknown-key", line, `did you mean "${name}"`],
      text,
    );
  }
});

Deno.test("readPipelineFile() reports a misspelt required key once", () => {
  const found = refused(stages('use = "a"\nretry = { attemps = 3 }'));
  assert.deepEqual(found.map((d) => d.code), ["pipeline/unknown-key"]);
});

Deno.test("readPipelineFile() says how to add the tables that are missing, empty or written as one", () => {
  const only = (text: string) => {
    const [found, ...others] = refused(text);
    assert.deepEqual(others, []);
    return found;
  };
  const source = '[source]\nuse = "a"\n';
  for (
    const [text, line] of [[HEAD, 1], [`name = "p"\nstage = []\n${source}`, 2], [
      `${HEAD}[stage]\nuse = "b"\n`,
      4,
    ]] as const
  ) {
    const found = only(text);
    assert.deepEqual([found.file, found.line], ["p.toml", line], text);
    assert.match(
      found.hint ?? "",
      /^add at least one table \[\[stage\]\], in double brackets, with use = .*list stages/,
    );
  }
  assert.match(only('name = "p"\n[[stage]]\nuse = "b"\n').hint ?? "", /^add a table \[source\] with use = /);
  assert.match(only(`${stages('use = "a"')}[before]\nuse = "b"\n`).hint ?? "", /double brackets: \[\[before\]\]$/);
});

Deno.test("readPipelineFile() refuses what is missing or of the wrong kind", () => {
  const codes = (text: string) => refused(text).map((d) => `${d.code}@${d.line}`);
  assert.deepEqual(codes('[source]\nuse = "a"\n[[stage]]\nuse = "b"\n'), ["pipeline/missing-key@1"]);
  assert.deepEqual(codes('name = "p"\n[[stage]]\nuse = "b"\n'), ["pipeline/missing-key@1"]);
  assert.deepEqual(codes(HEAD), ["pipeline/missing-key@1"]);
  assert.deepEqual(codes(stages('id = "x"')), ["pipeline/missing-key@4"]);
  assert.deepEqual(codes(stages('use = "Copy"')), ["pipeline/bad-value@5"]);
  assert.deepEqual(codes(stages('use = "a"\nid = "1x"')), ["pipeline/bad-value@6"]);
  assert.deepEqual(codes(stages('use = "a"\ntimeout = 30')), ["pipeline/wrong-type@6"]);
  assert.deepEqual(codes(stages('use = "a"\ntimeout = "30"')), ["pipeline/bad-value@6"]);
  assert.deepEqual(codes(stages('use = "a"\non_error = "ignore"')), ["pipeline/bad-value@6"]);
  assert.deepEqual(codes(stages('use = "a"\nretry = { attempts = 0 }')), ["pipeline/bad-value@6"]);
  assert.deepEqual(codes(`${stages('use = "a"')}[[before]]\nuse = "b"\nafter = ["a"]\n`), ["pipeline/unknown-key@8"]);
  assert.deepEqual(codes('name = "p"\nstage = []\n[source]\nuse = "a"\n'), ["pipeline/bad-value@2"]);
  assert.deepEqual(codes('name = "p"\nsource = "idle"\n[[stage]]\nuse = "a"\n'), ["pipeline/wrong-type@2"]);
});

Deno.test("readPipelineFile() refuses two stages with one id at the second, and the id source", () => {
  const [twice] = refused(stages('use = "copy"', 'use = "verify"', 'use = "copy"'));
  assert.deepEqual([twice.code, twice.line], ["safety/duplicate-id", 9]);
  assert.match(twice.message, /the stage of line 5 has it/);
  const [named] = refused(stages('use = "a"\nid = "x"', 'use = "b"\nid = "x"'));
  assert.deepEqual([named.line, named.column], [9, 6], "the caret stands under the id");
  assert.deepEqual(refused(stages('use = "a"\nid = "source"')).map((d) => d.code), ["pipeline/reserved-id"]);
});

Deno.test("readPipelineFile() orders stages by after, and otherwise as they stand", () => {
  assert.deepEqual(ids(stages('use = "a"', 'use = "b"', 'use = "c"')), ["a", "b", "c"]);
  assert.deepEqual(ids(stages('use = "a"\nafter = ["c"]', 'use = "b"\nafter = []', 'use = "c"\nafter = ["b"]')), [
    "b",
    "c",
    "a",
  ]);
  assert.deepEqual(
    ids(stages('use = "a"', 'use = "b"\nafter = ["a"]', 'use = "c"\nafter = ["a"]', 'use = "d"\nafter = ["b", "c"]')),
    ["a", "b", "c", "d"],
  );
});

Deno.test("readPipelineFile() refuses after of an unknown id, of itself, and circles, naming them", () => {
  const [unknown] = refused(stages('use = "copy"', 'use = "verify"\nafter = ["copi"]'));
  assert.deepEqual([unknown.code, unknown.line, unknown.column, unknown.hint], [
    "pipeline/unknown-id",
    8,
    10,
    `did you mean "copy"`,
  ]);
  assert.deepEqual(refused(stages('use = "a"\nafter = ["a"]')).map((d) => d.code), ["pipeline/cycle"]);
  const [circle] = refused(stages('use = "a"', 'use = "b"\nafter = ["a", "d"]', 'use = "c"', 'use = "d"'));
  assert.deepEqual([circle.code, circle.line], ["pipeline/cycle", 8]);
  assert.match(circle.message, /"b" after "d" after "c" after "b"/);
});

Deno.test("topologicalOrder() puts every stage behind what it waits for, and keeps a valid order as it is", () => {
  const graph = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 10 }).map((rows) =>
    rows.map((after, index) => ({ id: `s${index}`, after: after.filter((at) => at < index).map((at) => `s${at}`) }))
  );
  fc.assert(fc.property(graph, fc.infiniteStream(fc.nat()), (stages, random) => {
    assert.deepEqual(topologicalOrder(stages).stages, stages);
    const shuffled = stages.toSorted(() => (random.next().value ?? 0) % 3 - 1);
    const { stages: ordered } = topologicalOrder(shuffled);
    assert.ok(ordered && ordered.length === stages.length);
    const place = new Map(ordered.map((stage, at) => [stage.id, at]));
    for (const stage of ordered) {
      for (const id of stage.after) assert.ok((place.get(id) ?? 99) < (place.get(stage.id) ?? -1));
    }
  }));
});
