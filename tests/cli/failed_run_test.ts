import assert from "node:assert/strict";
import { join } from "@std/path";
import type { CommandContext } from "../../cli/command.ts";
import { withFailureEvent } from "../../cli/failed_run.ts";
import { interruption } from "../../cli/interruption.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
import type { FailureEvent } from "../../cli/terminal.ts";
import type { RunReport } from "../../core/run/report.ts";
import { tempDir } from "../kit/temp.ts";

const REPORT = {
  pipeline: "backup",
  run_id: "01J0RUN",
  started_at: "2026-03-01T02:00:00.000Z",
  exit_code: 1,
  items: [
    {
      name: "study1",
      outcome: "failed",
      error: {
        code: "io/busy",
        message: "held",
        stage: "truenas",
        hint: "Wait.",
        findings: [
          { rule: "R1", severity: "error", path: "a", message: "bad" },
        ],
      },
    },
    { name: "study2", outcome: "done" },
  ],
} as unknown as RunReport;

function contextIn(folder: string) {
  const journalFile = join(folder, "journal.db");
  const silent = () => {};
  const context = {
    terminal: { now: () => Date.parse("2026-03-01T04:00:00.000Z"), host: "fusion-pc" },
    locations: { journalFile, configFile: join(folder, "config.toml") },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    logs: { scrubber: { value: (value: unknown) => value, text: (text: string) => text } },
  } as unknown as CommandContext;
  return { context, journalFile };
}

Deno.test("withFailureEvent() queues which items failed, by what code, and what to do about each", async () => {
  await using dir = await tempDir();
  const { context, journalFile } = contextIn(dir.path);
  const report = await withFailureEvent(
    "backup",
    { dryRun: false, context, isWanted: () => Promise.resolve(true) },
    () => Promise.resolve(REPORT),
  );
  assert.equal(report, REPORT);
  await using journal = await openJournal(journalFile);
  const [{ event, data }] = await journal.outbox.pending();
  assert.equal(event, "backup_failure");
  const { message, items } = data as { [key: string]: unknown };
  assert.equal(message, "1 item failed: study1");
  assert.deepEqual(items, [
    { name: "study1", stage: "truenas", code: "io/busy", message: "held", findings: ["R1  a: bad"], hint: "Wait." },
  ]);
});

Deno.test("withFailureEvent() tells of a run that was asked to stop as of one, not of items that failed", async () => {
  const stopped = { ...REPORT, exit_code: 130, items: [{ name: "study2", outcome: "done" }] } as unknown as RunReport;
  const ended = { ...REPORT, exit_code: 130 } as RunReport;
  for (
    const [work, message] of [
      [() => Promise.resolve(stopped), "The run was asked to stop"],
      [() => Promise.resolve(ended), "The run was asked to stop; 1 item failed: study1"],
      [() => Promise.reject(interruption()), "labferry was interrupted"],
    ] as const
  ) {
    await using dir = await tempDir();
    const { context, journalFile } = contextIn(dir.path);
    const isWanted = () => Promise.resolve(true);
    await withFailureEvent("backup", { dryRun: false, context, isWanted }, work).catch(() => {});
    await using journal = await openJournal(journalFile);
    const [{ data }] = await journal.outbox.pending();
    const { code, exit_code, ...more } = data as { [key: string]: unknown };
    assert.deepEqual([code, exit_code, more.message], ["run/stopped", 130, message]);
  }
});

Deno.test("withFailureEvent() tells one end once: what it could not queue when it was cut off is told by its own end", async () => {
  for (const isBroken of [false, true]) {
    await using dir = await tempDir();
    const { context, journalFile } = contextIn(dir.path);
    const failureEvent: FailureEvent = {};
    Object.assign(context.terminal, { failureEvent });
    if (isBroken) await Deno.writeTextFile(journalFile, "no database at all ".repeat(500));
    await withFailureEvent(
      "backup",
      { dryRun: false, context, isWanted: () => Promise.resolve(true) },
      async ({ cutOff }) => {
        await cutOff();
        assert.equal(failureEvent.unqueued?.length, isBroken ? 1 : undefined);
        if (isBroken) await Deno.remove(journalFile);
        return REPORT;
      },
    );
    await using journal = await openJournal(journalFile);
    assert.equal((await journal.outbox.pending()).length, 1);
    assert.equal(failureEvent.unqueued, undefined, "it is queued, and not told past the journal, too");
  }
});
