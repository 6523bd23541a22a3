import assert from "node:assert/strict";
import { join } from "@std/path";
import type { CommandContext } from "../../cli/command.ts";
import { withFailureEvent } from "../../cli/failed_run.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
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

Deno.test("withFailureEvent() queues which items failed, by what code, and what to do about each", async () => {
  await using dir = await tempDir();
  const journalFile = join(dir.path, "journal.db");
  const silent = () => {};
  const context = {
    terminal: { now: () => Date.parse("2026-03-01T04:00:00.000Z"), host: "fusion-pc" },
    locations: { journalFile, configFile: join(dir.path, "config.toml") },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    logs: { scrubber: { value: (value: unknown) => value, text: (text: string) => text } },
  } as unknown as CommandContext;
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
