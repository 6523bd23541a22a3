import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { TIMESTAMP_LINE } from "../../../../core/options.ts";
import { contextOf, type CutAt, cutRecords, type NearLine } from "../../../../plugins/sources/log_tail/records.ts";
import { encodingOf, UTF_8 } from "../../../../plugins/sources/log_tail/text.ts";

const T = "2026-01-02 03:04:05";
const START = new RegExp(TIMESTAMP_LINE);
const BEFORE = { rule: 0, line: "before" };
const linesOf = (context: readonly NearLine[]) => context.map(({ line }) => line);

function cut(text: string, at: CutAt = "end", find: string[] = ["ERROR"]) {
  const rules = { start: START, find, context: [{ find: ["Sample"], pattern: /Sample: \w+/ }, { find: ["cycle"] }] };
  return cutRecords(UTF_8.view(Buffer.from(text)), { encoding: UTF_8, rules, at, context: [BEFORE] });
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
  assert.deepEqual(records.map((record) => linesOf(record.context)), [
    [`${T} Sample: A`, `${T} cycle 2`],
    [`${T} cycle 2`, `${T} Sample: B`],
  ]);
  assert.deepEqual(linesOf(context), [`${T} cycle 2`, `${T} Sample: B`]);
  assert.deepEqual(cut(`${T} ERROR x\n`).records[0].context, [BEFORE]);
  const rules = { start: START, find: [], context: [{ find: ["cycle"] }] };
  assert.deepEqual(contextOf(UTF_8.view(Buffer.from(log)), { encoding: UTF_8, rules, context: [] }).context, [
    { rule: 0, line: `${T} cycle 2` },
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

Deno.test("cutRecords() hands on the lines of the context as they stand in the log, whatever the order of the rules", () => {
  const log = `${T} cycle 2\n${T} Sample: A cycle 3\n${T} ERROR x\n${T} cycle 4\n${T} ERROR y\n`;
  assert.deepEqual(cut(log).records.map(({ context }) => context), [
    [{ rule: 0, line: `${T} Sample: A cycle 3` }, { rule: 1, line: `${T} Sample: A cycle 3` }],
    [{ rule: 0, line: `${T} Sample: A cycle 3` }, { rule: 1, line: `${T} cycle 4` }],
  ]);
  const across = cutRecords(`${T} Sample: B\n${T} ERROR z\n`, {
    encoding: UTF_8,
    rules: { start: START, find: ["ERROR"], context: [{ find: ["Sample"] }, { find: ["cycle"] }] },
    at: "end",
    context: cut(log).context,
  });
  assert.deepEqual(linesOf(across.context), [`${T} cycle 4`, `${T} Sample: B`]);
});

Deno.test("cutRecords() takes so many records at most, and ends behind the last", () => {
  const log = `${T} ERROR a\n${T} INFO b\n${T} ERROR c\n  d\n${T} cycle 1\n${T} ERROR e\n`;
  const rules = { start: START, find: ["ERROR"], context: [{ find: ["cycle"] }] };
  const options = { encoding: UTF_8, rules, at: "end" as const, context: [], most: 2 };
  const first = cutRecords(log, options);
  assert.deepEqual(first.records.map(({ text }) => text), [`${T} ERROR a`, `${T} ERROR c\n  d`]);
  assert.deepEqual([first.isFull, first.end, first.context], [true, log.indexOf(`${T} cycle`), []]);
  const second = cutRecords(log.slice(first.end), options);
  assert.deepEqual(second.records.map(({ text }) => text), [`${T} ERROR e`]);
  assert.deepEqual([second.isFull, linesOf(second.context)], [false, [`${T} cycle 1`]]);
});

Deno.test("cutRecords() cuts a record that is too long, and looks for its beginning no further back", () => {
  const rules = { start: START, find: ["ERROR"], context: [] };
  const options = { encoding: UTF_8, rules, context: [], longest: 100 };
  const trace = "  at Fusion\n".repeat(50);
  const first = cutRecords(`${T} ERROR a\n${trace}${T} INFO b\n`, { ...options, at: "record" });
  assert.deepEqual(first.records.map(({ text }) => text), [`${T} ERROR a\n${trace}`.slice(0, 99)]);
  assert.equal(first.isCut, true);
  let looked = 0;
  const start = Object.assign(/^\d/, { test: (line: string) => (looked++, /^\d/.test(line)) });
  const untimed = cutRecords(trace + "  ha", { ...options, rules: { ...rules, start }, at: "record" });
  assert.deepEqual([untimed.end, untimed.isCut, looked <= 100 / "  at Fusion\n".length + 1], [
    trace.length,
    true,
    true,
  ]);
  for (const at of ["record", "line"] as const) {
    assert.deepEqual(cutRecords("x".repeat(100), { ...options, at }).end, 100, "one line alone");
    assert.deepEqual(cutRecords("x".repeat(99), { ...options, at }).end, 0);
  }
});

Deno.test("cutRecords() looks at the beginning of a line only, and decodes what is not plain", () => {
  const long = `${T} cycle ${"x".repeat(10_000)}`;
  const log = UTF_8.view(Buffer.from(`${long}\n${T} Sample: Düse\n${"y".repeat(5000)} cycle 9\n${T} ERROR 測\r\n`));
  const rules = {
    start: START,
    find: ["ERROR"],
    context: [{ find: ["cycle"], pattern: /cycle/ }, { find: ["Sample"] }],
  };
  const { records: [{ text, context }] } = cutRecords(log, { encoding: UTF_8, rules, at: "end", context: [] });
  assert.equal(text, `${T} ERROR 測`);
  assert.deepEqual(linesOf(context), [long.slice(0, 4096), `${T} Sample: Düse`]);
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
        let context: readonly NearLine[] = [];
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
