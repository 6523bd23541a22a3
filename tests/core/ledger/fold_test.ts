import assert from "node:assert/strict";
import { join } from "@std/path";
import fc from "fast-check";
import { foldFile, foldLedger, foldLines, monthOf } from "../../../core/ledger/fold.ts";
import { formatLedgerLine, parseLedgerLine } from "../../../core/ledger/line.ts";
import type { LedgerRecord } from "../../../core/ledger/record.ts";
import { tempDir } from "../../kit/temp.ts";
import { entry, started } from "./_entry.ts";
import { plainDisk } from "./_plain_disk.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const record = (name: string, mark: string, complete: boolean): LedgerRecord => ({
  ...(complete ? entry(name, { host: mark }) : started(name, { host: mark })),
  prev: "0".repeat(64),
});

const good = fc.record({
  name: fc.constantFrom("a", "b", "c", "日本", "__proto__"),
  mark: fc.string({ maxLength: 5 }),
  complete: fc.boolean(),
}).map(({ name, mark, complete }) => record(name, mark.toWellFormed(), complete));

/** Lines that are no records: halves of records, noise, JSON of another kind. */
const bad = fc.oneof(
  fc.tuple(good, fc.integer({ min: 1, max: 400 })).map(([one, cut]) => formatLedgerLine(one).slice(0, cut)),
  fc.constantFrom("", "null", "[]", '"text"', "{}", '{"backup_name":"a"}', "\0\0\0\0", "{}{}"),
  fc.string({ maxLength: 30 }).map((text) => `?${text.replaceAll("\n", " ").toWellFormed()}`),
);

Deno.test("foldLedger() gives the same as a reference for any interleaving of records and torn lines", async () => {
  const disk = plainDisk();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.oneof(good, good, bad), { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (months, cutTail) => {
        await using dir = await tempDir();
        const wanted = new Map<string, LedgerRecord>();
        const torn: string[] = [];
        for (const [index, lines] of months.entries()) {
          const file = `2026-0${index + 1}.jsonl`;
          const texts = lines.map((line) => typeof line === "string" ? line : formatLedgerLine(line));
          for (const [at, line] of lines.entries()) {
            if (typeof line === "string") torn.push(`${file}:${at + 1}`);
            else wanted.set(line.backup_name, line);
          }
          let text = texts.map((line) => `${line}\n`).join("");
          if (cutTail && index === months.length - 1) {
            text += '{"backup_name":"a","run_';
            torn.push(`${file}:${lines.length + 1}`);
          }
          await Deno.writeTextFile(join(dir.path, file), text);
        }
        await Deno.writeTextFile(join(dir.path, "notes.jsonl"), formatLedgerLine(record("other", "", true)));
        const fold = await foldLedger(disk, dir.path);
        assert.deepEqual(fold.records, wanted);
        assert.deepEqual(fold.torn.map(({ file, line }) => `${file}:${line}`), torn);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("formatLedgerLine() and parseLedgerLine() are inverse for every record", () => {
  fc.assert(fc.property(good, (one) => {
    const line = formatLedgerLine(one);
    assert.ok(!/[\n\r]/.test(line));
    assert.deepEqual(parseLedgerLine(bytes(line)), one);
  }));
});

Deno.test("parseLedgerLine() gives the fields in the order of a line, so that people find them", () => {
  const one = { ...entry("a"), prev: "0".repeat(64) };
  const keys = Object.keys(JSON.parse(formatLedgerLine(one)));
  const found = parseLedgerLine(bytes(JSON.stringify(Object.fromEntries(Object.entries(one).toReversed()))));
  assert.deepEqual(Object.keys(found), keys);
});

Deno.test("parseLedgerLine() fills what older lines lack and keeps what it does not know", () => {
  const line = '{"backup_name":"a","started_at":"2026-01-01T00:00:00Z","status":"complete","tape":{"id":1}}\r';
  const found = parseLedgerLine(bytes(line));
  assert.ok(typeof found !== "string");
  assert.deepEqual(
    [found.run_name, found.truenas_path, found.file_count, found.places, found.incarnation],
    ["a", null, 0, {}, ""],
  );
  assert.deepEqual((found as unknown as { tape: unknown }).tape, { id: 1 });
});

Deno.test("parseLedgerLine() says why a line is no record", () => {
  const cases: [string, RegExp][] = [
    ['{"backup_name":"a"', /not JSON/],
    ["7", /not a JSON object/],
    ['{"backup_name":""}', /"backup_name" is ""/],
    ['{"backup_name":"a","started_at":"soon"}', /"started_at" is "soon"/],
    ['{"backup_name":"a","started_at":"2026-01-01T00:00:00Z","status":"done"}', /"status" is "done", wanted one of/],
    ["\0\0\0", /loss of power/],
  ];
  for (const [line, wanted] of cases) assert.match(String(parseLedgerLine(bytes(line))), wanted);
  const base = { backup_name: "a", started_at: "2026-01-01T00:00:00Z", status: "complete" };
  for (
    const wrong of [
      { file_count: -1 },
      { total_bytes: 1.5 },
      { s3_uri: 3 },
      { completed_at: "x" },
      { places: [] },
      { places: { s3: { uri: "u", verified_at: null, guarantee: "sure" } } },
      { incarnation: 1 },
    ]
  ) {
    assert.equal(typeof parseLedgerLine(bytes(JSON.stringify({ ...base, ...wrong }))), "string", JSON.stringify(wrong));
  }
  assert.match(String(parseLedgerLine(new Uint8Array([0xff, 0xfe]))), /not JSON/);
});

Deno.test("foldLines() reports a line too long to be a record without keeping it", async () => {
  const fold = await foldLines([undefined, bytes(formatLedgerLine(record("a", "", true)))], { file: "f" });
  assert.deepEqual([...fold.records.keys()], ["a"]);
  assert.match(fold.torn[0].reason, /longer than 4 MiB/);
});

Deno.test("foldFile() skips over megabytes of noise with flat memory", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, "2026-01.jsonl");
  const noise = new Uint8Array(6 * 2 ** 20).fill(0x41);
  await Deno.writeFile(file, noise);
  await Deno.writeTextFile(file, `\n${formatLedgerLine(record("a", "", true))}\n`, { append: true });
  const fold = await foldFile(plainDisk(), file);
  assert.deepEqual([...fold.records.keys()], ["a"]);
  assert.deepEqual(fold.torn.map(({ line }) => line), [1]);
});

Deno.test("monthOf() is the month in UTC", () => {
  assert.equal(monthOf("2026-01-01T00:30:00+01:00"), "2025-12.jsonl");
  assert.equal(monthOf("2026-12-31T23:59:59.999Z"), "2026-12.jsonl");
});

Deno.test("foldLedger() of a folder that is not there is empty", async () => {
  const fold = await foldLedger(plainDisk(), "/nonexistent/ledger");
  assert.equal(fold.records.size, 0);
});
