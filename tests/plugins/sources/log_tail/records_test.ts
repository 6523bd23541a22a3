import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { TIMESTAMP_LINE } from "../../../../core/options.ts";
import { contextOf, type CutAt, cutRecords } from "../../../../plugins/sources/log_tail/records.ts";
import { encodingOf, UTF_8 } from "../../../../plugins/sources/log_tail/text.ts";

const T = "2026-01-02 03:04:05";
const START = new RegExp(TIMESTAMP_LINE);

function cut(text: string, at: CutAt = "end", find: string[] = ["ERROR"]) {
  const rules = { start: START, find, context: [{ find: ["Sample"], pattern: /Sample: \w+/ }, { find: ["cycle"] }] };
  return cutRecords(UTF_8.view(Buffer.from(text)), { encoding: UTF_8, rules, at, context: ["before", ""] });
}

Deno.test("cutRecords() takes out the records that hold a text, with the lines that belong to them", () => {
  const log = `tail of another\r\n${T} INFO a\r\n${T} ERROR b\r\n  at c\r\n  at d\r\n${T} INFO e\r\n[${T}] ERROR f\r\n`;
  const { records, end } = cut(log);
  assert.deepEqual(records.map(({ text }) => text), [`${T} ERROR b\n  at c\n  at d`, `[${T}] ERROR f`]);
  assert.equal(records[0].at, log.indexOf(`${T} ERROR b`));
  assert.equal(end, log.length);
});

Deno.test("cutRecords() cuts before the last record, behind the last line, or at the end", () => {
  const log = `${T} ERROR a\n${T} ERROR b\n  more\n  ha`;
  assert.deepEqual(cut(log, "record").records.map(({ text }) => text), [`${T} ERROR a`]);
  assert.deepEqual(cut(log, "line").records.map(({ text }) => text), [`${T} ERROR a`, `${T} ERROR b\n  more`]);
  assert.deepEqual(cut(log, "end").records.at(-1)?.text, `${T} ERROR b\n  more\n  ha`);
  assert.equal(cut("no line yet", "line").end, 0);
  assert.equal(cut("\n", "line").end, 1);
  assert.equal(cut("", "end").end, 0);
});

Deno.test("cutRecords() hands on the nearest line of each kind before a record", () => {
  const log =
    `${T} Sample: A\n${T} cycle 1\n${T} cycle 2\n${T} Sample lost\n${T} ERROR x\n${T} Sample: B\n${T} ERROR y\n`;
  const { records, context } = cut(log);
  assert.deepEqual(records.map((record) => record.context), [
    [`${T} Sample: A`, `${T} cycle 2`],
    [`${T} Sample: B`, `${T} cycle 2`],
  ]);
  assert.deepEqual(context, [`${T} Sample: B`, `${T} cycle 2`]);
  assert.deepEqual(cut(`${T} ERROR x\n`).records[0].context, ["before", ""]);
  const rules = { start: START, find: [], context: [{ find: ["cycle"] }] };
  assert.deepEqual(contextOf(UTF_8.view(Buffer.from(log)), { encoding: UTF_8, rules, context: [] }).context, [
    `${T} cycle 2`,
  ]);
});

Deno.test("encodingOf() reads UTF-8 and UTF-16 by their marks", () => {
  const text = `${T} ERROR Düse 測定 😀\r\n`;
  const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");
  const marked = [Buffer.from(`\ufeff${text}`), utf16, Buffer.from(utf16).swap16(), Buffer.from(text)];
  const names = marked.map((bytes) => {
    const encoding = encodingOf(bytes.subarray(0, 3));
    const view = encoding.view(bytes.subarray(encoding.bom));
    const rules = { start: START, find: ["測定"], context: [] };
    const { records } = cutRecords(view, { encoding, rules, at: "record", context: [] });
    assert.equal(records.length, 0, "the last record may grow");
    assert.equal(
      cutRecords(view, { encoding, rules, at: "line", context: [] }).records[0].text,
      text.trimEnd(),
    );
    return encoding.name;
  });
  assert.deepEqual(names, ["utf-8", "utf-16le", "utf-16be", "utf-8"]);
});

const LINE = fc.constantFrom(
  `${T} ERROR one\n`,
  `${T} INFO fine\r\n`,
  "  at some.where ERROR\n",
  `${T} Sample: A ü\n`,
  `${T} cycle 7\n`,
  "\n",
  `[${T}] ERROR 測定\r\n`,
);

Deno.test("cutRecords() gives the same records however the bytes are split", () => {
  fc.assert(
    fc.property(
      fc.array(LINE, { maxLength: 20 }),
      fc.array(fc.nat(60), { minLength: 1 }),
      fc.constantFrom([], ["ERROR"]),
      (lines, steps, find) => {
        const bytes = Buffer.from(lines.join(""));
        const rules = { start: START, find: [...find], context: [{ find: ["Sample", "cycle"] }] };
        const options = { encoding: UTF_8, rules };
        const whole = cutRecords(UTF_8.view(bytes), { ...options, at: "end", context: [] });
        const found = [];
        let context: string[] = [];
        for (let from = 0, to = 0, step = 0; from < bytes.length; step++) {
          to = Math.min(bytes.length, to + steps[step % steps.length] + 1);
          const at = to === bytes.length ? "end" : "record";
          const part = cutRecords(UTF_8.view(bytes.subarray(from, to)), { ...options, at, context });
          for (const record of part.records) found.push({ ...record, at: record.at + from });
          context = part.context;
          from += part.end;
        }
        assert.deepEqual(found, whole.records);
      },
    ),
  );
});
