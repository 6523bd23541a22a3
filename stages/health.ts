/** Stage `health`: soft checks that a study is whole and no longer edited. @module */
import { defineStage } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { Finding } from "../core/errors.ts";
import { z } from "../core/options.ts";
import type { TreeEntry } from "../core/ports.ts";

const DAY_MS = 86_400_000;

export const health = defineStage({
  kind: "stage",
  name: "health",
  summary: "Checks that a study holds a scan and that its files were written within a plausible time.",
  takes: "tree",
  effect: "read",
  resume: "redo",
  failure: "failed_validation",
  options: z.strictObject({
    mtime_gap_days: z.number().positive().default(14).meta({
      description: "Longest time between the oldest and the newest modification of a file in the study.",
      unit: "days",
    }),
    on: z.enum(["fail", "warn"]).default("fail").meta({
      description: "Whether a finding fails the item or is a warning in the log.",
    }),
  }),
  example: `[[stage]]\nuse  = "health"\nwith = { mtime_gap_days = 14, on = "warn" }\n`,
  open(options) {
    return {
      // deno-lint-ignore require-yield
      async *plan(item, ctx) {
        const check = new HealthCheck(options.mtime_gap_days);
        for await (const entry of ctx.source.walk()) check.add(entry);
        const findings = check.findings(options.on === "fail" ? "error" : "warning");
        if (findings.length === 0) return;
        if (options.on === "fail") throw unhealthy(item.name, findings);
        // One record: whoever is told of it is told of one study.
        ctx.log.warn(`"${item.name}" may not be whole: ${findings[0].message}`, { findings });
      },
      apply: (step) => Promise.reject(new TypeError(`Cannot apply "${step.id}": health plans no step`)),
    };
  },
});

/** What the checks look at. */
export type HealthEntry = Pick<TreeEntry, "path" | "kind" | "mtimeMs">;

/**
 * Returns the health findings of a listing, in any order: `health/empty` when no experiment has a `Scan<N>` with a
 * `*.qptiff` file and a `.temp` folder, `health/mtime-gap` when the modification times of its regular files span more
 * than `mtimeGapDays`.
 */
export function healthFindings(
  entries: Iterable<HealthEntry>,
  options: { mtimeGapDays?: number; severity?: Finding["severity"] } = {},
): Finding[] {
  const check = new HealthCheck(options.mtimeGapDays ?? 14);
  for (const entry of entries) check.add(entry);
  return check.findings(options.severity ?? "warning");
}

/** The same, entry by entry, in memory that grows with the scans and not with the files. */
class HealthCheck {
  readonly #gapDays: number;
  readonly #images = new Set<string>();
  readonly #temps = new Set<string>();
  #oldest: { path: string; mtimeMs: number } | undefined;
  #newest: { path: string; mtimeMs: number } | undefined;

  constructor(gapDays: number) {
    this.#gapDays = gapDays;
  }

  add({ path, kind, mtimeMs }: HealthEntry): void {
    const scan = /^([^/]+\/Scan\d+)\/([^/]+)$/.exec(path);
    if (scan !== null && kind === "file" && /.\.qptiff$/s.test(scan[2])) this.#images.add(scan[1]);
    if (scan !== null && kind === "directory" && scan[2] === ".temp") this.#temps.add(scan[1]);
    if (kind !== "file" || mtimeMs === null) return;
    const file = { path, mtimeMs };
    // Equal times are settled by the path, so that the order of the listing makes no difference.
    if (this.#oldest === undefined || isBefore(file, this.#oldest)) this.#oldest = file;
    if (this.#newest === undefined || isBefore(this.#newest, file)) this.#newest = file;
  }

  findings(severity: Finding["severity"]): Finding[] {
    const findings: Finding[] = [];
    if (![...this.#images].some((scan) => this.#temps.has(scan))) {
      const message = "no experiment has a Scan<N> folder with both a *.qptiff file and a .temp folder";
      findings.push({ rule: "health/empty", severity, path: "", message });
    }
    if (this.#oldest !== undefined && this.#newest !== undefined) {
      const days = (this.#newest.mtimeMs - this.#oldest.mtimeMs) / DAY_MS;
      if (days > this.#gapDays) {
        findings.push(gap(this.#oldest, this.#newest, { days, allowed: this.#gapDays, severity }));
      }
    }
    return findings;
  }
}

interface Dated {
  path: string;
  mtimeMs: number;
}

function isBefore(a: Dated, b: Dated): boolean {
  return a.mtimeMs < b.mtimeMs || (a.mtimeMs === b.mtimeMs && a.path < b.path);
}

function gap(
  oldest: Dated,
  newest: Dated,
  { days, allowed, severity }: { days: number; allowed: number; severity: Finding["severity"] },
): Finding {
  const stamp = (file: Dated) => `"${file.path}" of ${isoStamp(file.mtimeMs)}`;
  const message = `files were modified over ${days.toFixed(1)} days, from ${stamp(oldest)} to ${stamp(newest)}, ` +
    `wanted at most ${allowed}: the study may still be edited`;
  return { rule: "health/mtime-gap", severity, path: newest.path, message };
}

function unhealthy(study: string, findings: readonly Finding[]): PipelineError {
  const reasons = findings.map((finding) => finding.message).join("; ");
  return new PipelineError("health/unhealthy", `Cannot accept "${study}": ${reasons}`, {
    findings,
    hint: 'Look at the study on the instrument. If it is as it should be, set on = "warn" or a longer mtime_gap_days',
  });
}

/** A stamp outside the calendar (a broken clock) must not stop the check. */
function isoStamp(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms since 1970`;
}
