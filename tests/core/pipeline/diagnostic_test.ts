import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import {
  diagnose,
  diagnosticToJson,
  hasErrors,
  renderDiagnostic,
  renderDiagnostics,
  sortDiagnostics,
  sourceText,
  throwOnErrors,
} from "../../../core/pipeline/diagnostic.ts";

function at(text: string, part: string, words: { hint?: string; severity?: "warning" } = {}) {
  const source = sourceText("f.toml", text);
  const start = source.text.indexOf(part);
  return diagnose({ source, span: source.span(start, start + part.length) }, {
    code: "a/b",
    message: "Cannot x",
    ...words,
  });
}

Deno.test("renderDiagnostic() shows position, line, carets and hint", () => {
  assert.equal(
    renderDiagnostic(at("a = 1\nbee = 22 # c", "22", { hint: `did you mean "23"` })),
    'f.toml:2:7: error a/b: Cannot x\n  bee = 22 # c\n        ^^\n  hint: did you mean "23"',
  );
});

Deno.test("renderDiagnostic() lines carets up behind tabs, wide and combining characters", () => {
  const rows: [string, string, string][] = [
    ["\ta\t= x", "x", "  \t \t  ^"],
    ["k = '日本' # x", "x", "  " + " ".repeat("k = '".length + 4 + "' # ".length) + "^"],
    ["k = '日本'", "日本", "  " + " ".repeat(5) + "^^^^"],
    ["e\u0301 = x", "x", "      ^"],
    ["k = '😀' x", "x", "  " + " ".repeat(9) + "^"],
  ];
  for (const [text, part, carets] of rows) assert.equal(renderDiagnostic(at(text, part)).split("\n")[2], carets, text);
});

Deno.test("renderDiagnostic() never prints a control character of the file", () => {
  const rendered = renderDiagnostic(at("k = '\u001b[31m' x", "x", { hint: "a\u0007" }));
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(rendered, /[\u0000-\u0008\u000B-\u001F\u007F]/);
});

Deno.test("sourceText().span() stays on one line, within the text, at least one long", () => {
  const source = sourceText("f", "ab\r\ncd\n");
  assert.deepEqual(source.span(1, 99), { line: 1, column: 2, length: 1 });
  assert.deepEqual(source.span(4, 4), { line: 2, column: 1, length: 1 });
  assert.deepEqual(source.span(99, 120), { line: 3, column: 1, length: 1 });
  assert.deepEqual(source.span(3, 4), { line: 1, column: 3, length: 1 });
  assert.equal(source.line(1), "ab");
  assert.equal(source.line(9), "");
  assert.deepEqual(sourceText("f", "").span(0, 5), { line: 1, column: 1, length: 1 });
});

Deno.test("sortDiagnostics() orders by file, line and column and keeps equal ones in order", () => {
  const d = (file: string, line: number, code: string) => ({ ...at("x", "x"), file, line, code });
  const sorted = sortDiagnostics([d("b", 1, "1"), d("a", 9, "2"), d("a", 2, "3"), d("a", 2, "4")]);
  assert.deepEqual(sorted.map((one) => one.code), ["3", "4", "2", "1"]);
});

Deno.test("diagnosticToJson() gives every part", () => {
  assert.deepEqual(diagnosticToJson(at("a = 1", "1")), {
    code: "a/b",
    severity: "error",
    file: "f.toml",
    line: 1,
    column: 5,
    length: 1,
    message: "Cannot x",
    hint: null,
    nearest: null,
    wanted: null,
    source_line: "a = 1",
  });
});

Deno.test("throwOnErrors() throws all errors as one with exit code 2, and no warnings", () => {
  const warning = at("a = 1", "1", { severity: "warning" });
  throwOnErrors([warning]);
  assert.equal(hasErrors([warning]), false);
  assert.throws(() => throwOnErrors([warning, at("b = 2", "2"), at("c = 3", "c")]), (error) => {
    assert.ok(error instanceof PipelineError);
    assert.deepEqual([error.code, error.stopsRun], ["a/b", 2]);
    assert.equal(error.message, renderDiagnostics([at("b = 2", "2"), at("c = 3", "c")]));
    return true;
  });
});
