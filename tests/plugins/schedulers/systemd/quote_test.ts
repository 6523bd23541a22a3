import assert from "node:assert/strict";
import fc from "fast-check";
import { PipelineError } from "../../../../core/errors.ts";
import { barePath, execStart, quoteValue } from "../../../../plugins/schedulers/systemd/quote.ts";

const NAMED: Record<string, string> = { n: "\n", t: "\t", r: "\r", "\\": "\\", '"': '"' };

/** Reads quoted words as systemd.syntax(7) says: C escapes within quotes, then specifiers. */
function words(text: string): string[] {
  assert.doesNotMatch(text, /[\n\r]/, "one line");
  const found = [...text.matchAll(/"((?:[^"\\]|\\.)*)"(?: |$)/gs)];
  assert.equal(found.map((match) => match[0]).join(""), text);
  return found.map((match) =>
    match[1].replace(/\\(x[0-9a-f]{2}|.)/g, (_, code) => {
      if (code.length === 3) return String.fromCharCode(parseInt(code.slice(1), 16));
      assert.ok(code in NAMED, `\\${code}`);
      return NAMED[code];
    }).replace(/%(.?)/g, (_, next) => {
      assert.equal(next, "%", "no specifier");
      return "%";
    })
  );
}

const nasty = fc.array(
  fc.oneof(
    fc.constantFrom("\\", '"', "'", " ", "%", "%h", "$", "${HOME}", "\n", "\t", ";", "#", "ü", "界", "🔬"),
    fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("execStart() is read back as it was, whatever program and arguments hold", () => {
  fc.assert(
    fc.property(nasty, fc.array(nasty, { maxLength: 5 }), (program, args) => {
      const [first, ...rest] = words(execStart([`/${program}`, ...args]));
      const plain = rest.map((word) =>
        word.replace(/\$(.?)/gs, (_, next) => {
          assert.equal(next, "$", "no variable");
          return "$";
        })
      );
      if (first !== "/bin/sh") assert.deepEqual([first, ...plain], [`/${program}`, ...args]);
      else assert.deepEqual(plain, ["-c", 'exec "$0" "$@"', `/${program}`, ...args]);
      assert.doesNotMatch(first, /["'\\\p{Cc}]/u, "systemd takes no such program");
    }),
    { numRuns: 1000 },
  );
});

Deno.test("quoteValue() is read back as it was", () => {
  fc.assert(fc.property(nasty, (value) => assert.deepEqual(words(quoteValue(value)), [value])));
});

Deno.test("barePath() stays one line that ends where it should", () => {
  assert.equal(barePath("/lab/a b$c%d"), "/lab/a b$c%%d");
  assert.equal(barePath("/lab\\"), "/lab\\/");
  assert.equal(barePath("/lab "), "/lab /");
  for (const path of ["/a\nb", "/a\0", "/a\x1b"]) assert.throws(() => barePath(path), PipelineError);
  assert.throws(() => quoteValue("a\0b"), PipelineError);
});
