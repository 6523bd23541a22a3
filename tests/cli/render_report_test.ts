import assert from "node:assert/strict";
import { renderItem, renderReport, reportJson, summaryLine } from "../../cli/render_report.ts";
import { PipelineError } from "../../core/errors.ts";
import { toReportError } from "../../core/run/report.ts";
import type { RunReport } from "../../core/run/report.ts";

const ERROR = new PipelineError("copy/conflict", 'Cannot copy "a.tif": other bytes are there', {
  hint: "Look at both",
  findings: [{ rule: "R5", severity: "error", path: "x.txt", message: 'file "x.txt" does not belong here' }],
});

function report(change: Partial<RunReport> = {}): RunReport {
  return {
    pipeline: "backup",
    run_id: "01J",
    started_at: "2025-06-15T12:00:00.000Z",
    finished_at: "2025-06-15T12:01:05.000Z",
    exit_code: 1,
    dry_run: false,
    items: [
      {
        name: "good",
        outcome: "done",
        stages: [
          {
            id: "truenas",
            use: "copy",
            outcome: "done",
            applied: 2,
            skipped: 1,
            files: 3,
            bytes: 2048,
            ms: 1500,
            guarantee: "read-back",
          },
        ],
      },
      {
        name: "bad",
        outcome: "failed",
        error: toReportError(ERROR, "truenas"),
        stages: [
          { id: "truenas", use: "copy", outcome: "failed", applied: 0, skipped: 0, files: 0, bytes: 0, ms: 10 },
          { id: "s3", use: "s3-upload", outcome: "not-reached", applied: 0, skipped: 0, files: 0, bytes: 0, ms: 0 },
        ],
      },
    ],
    ...change,
  };
}

Deno.test("renderReport() shows every item, its stages and what went wrong", () => {
  const text = renderReport(report());
  assert.match(text, /done {6}good\n {2}STAGE {11}OUTCOME/);
  assert.match(text, /truenas \(copy\) {2}done {5}2 \+ 1 skipped +3 {2}2\.00 KiB {2}1\.5 s {2}read-back/);
  assert.match(
    text,
    /failed {4}bad\n(.*\n)*? {2}1 stage not reached\n {2}error in stage truenas: Cannot copy "a\.tif"/,
  );
  assert.match(text, /hint: Look at both/);
  assert.match(text, /backup: 1 done, 1 failed in 1 min 05 s, exit code 1 {2}\[01J\]\n$/);
});

Deno.test("renderReport() shows only failures when quiet", () => {
  assert.doesNotMatch(renderReport(report(), { quiet: true }), /good/);
  assert.equal(renderReport(report({ items: [], exit_code: 0 }), { quiet: true }), "");
});

Deno.test("renderReport() shows what stopped the run", () => {
  const text = renderReport(
    report({ items: [], error: { code: "place/not-marked", message: "Cannot use", hint: "mark it" } }),
  );
  assert.match(text, /error: Cannot use \[place\/not-marked\]\nhint: mark it\n\nbackup: no item was taken up/);
});

Deno.test("summaryLine() says that a dry run changed nothing", () => {
  assert.match(summaryLine(report({ dry_run: true })), /1 planned, 1 failed .*dry run, nothing was changed/);
});

Deno.test("summaryLine() counts the items of an endless run, which keeps none", () => {
  const line = summaryLine(report({ items: [], counts: { dropped: 2, done: 300 } }));
  assert.match(line, /^backup: 2 dropped, 300 done in/);
});

Deno.test("renderItem() says on one line what became of an item, and below what went wrong", () => {
  const [good, bad] = report().items;
  assert.equal(renderItem(good, { dryRun: false }), "done      good (truenas: 2 steps)\n");
  assert.match(
    renderItem(bad, { dryRun: false }),
    /^failed {4}bad\n {2}error in stage truenas: .*\n {4}.*\n {2}hint: .*\n$/,
  );
});

Deno.test("reportJson() is the report and nothing else", () => {
  assert.deepEqual(JSON.parse(reportJson(report())), JSON.parse(JSON.stringify(report())));
  const keys = Object.keys(JSON.parse(reportJson(report())));
  assert.deepEqual(keys, ["pipeline", "run_id", "started_at", "finished_at", "exit_code", "dry_run", "items"]);
});
