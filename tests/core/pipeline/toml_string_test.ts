import assert from "node:assert/strict";
import fc from "fast-check";
import { nodeAt, parseToml } from "../../../core/pipeline/toml_document.ts";
import { spanWithin } from "../../../core/pipeline/toml_string.ts";

/** The text of the file that a part of the value of `k` was written as. */
function written(text: string, part: string): string {
  const { document } = parseToml({ file: "f", text });
  assert.ok(document);
  const node = nodeAt(document, ["k"]);
  assert.ok(node?.kind === "scalar" && typeof node.value === "string");
  const span = spanWithin(document.source, node, { start: node.value.indexOf(part), length: part.length });
  return [...document.source.line(span.line)].slice(span.column - 1, span.column - 1 + span.length).join("");
}

Deno.test("spanWithin() finds a part of a string where it was written", () => {
  const texts = [
    'k = "ab${x}c"',
    "k = 'ab\\${x}c'",
    'k = "\\t\\u00e9\\U0001F600\\"${x}"',
    'k = "😀é${x}"',
    'k = """\nab\\\n   ${x}"""',
    'k = """\r\nab\r\n${x}\r\n"""',
    "k = '''\nab\n\n${x}'''",
    'k = """a""b${x}"""',
  ];
  for (const text of texts) assert.equal(written(text, "${x}"), "${x}", JSON.stringify(text));
});

Deno.test("spanWithin() finds a part behind any escapes", () => {
  const unit = fc.constantFrom("a", "é", "😀", "\\n", "\\t", '\\"', "\\\\", "\\u00e9", "\\U0001F600", " ", "#", "'");
  fc.assert(fc.property(fc.array(unit), fc.array(unit), (before, after) => {
    assert.equal(written(`k = "${before.join("")}\${x.y}${after.join("")}"`, "${x.y}"), "${x.y}");
  }));
});
