/** Source `idle-folders`: folders directly below a root that nobody has written to for a while. @module */
import { defineSource } from "../../core/contract.ts";
import type { Item } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import type { Finding } from "../../core/errors.ts";
import { duration, pathOption, z } from "../../core/options.ts";
import type { RunContext, TreeEntry } from "../../core/ports.ts";

const DEFAULT_SETTLE_MINUTES = 15;

export const idleFolders = defineSource({
  kind: "source",
  name: "idle-folders",
  summary: "Yields every folder below a root whose newest file is old enough and which no longer changes.",
  yields: "tree",
  endless: false,
  options: z.strictObject({
    root: pathOption().meta({ description: "Folder whose sub-folders are the items.", example: "D:/Fusion" }),
    idle: duration().prefault("14d").meta({
      description: "How old the newest modification of a file in the folder must be.",
      unit: "ms",
    }),
    settle: duration().optional().meta({
      description: "How long nothing may have been created, renamed or restored in it; without it, the config's " +
        "`backup.settle_minutes`.",
      unit: "ms",
      example: "15min",
    }),
  }),
  example:
    `[source]\nuse  = "idle-folders"\nwith = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }\n`,
  root: (options) => ({ root: options.root }),
  open(options, run) {
    const wanted = { idleMs: options.idle, settleMs: options.settle ?? settleFromConfig(run) };
    return {
      async *items(ctx) {
        const unreadable: Finding[] = [];
        for await (const folder of ctx.folders()) {
          ctx.signal.throwIfAborted();
          let item: Item | undefined;
          try {
            const why = notEligible(await newestStamps(ctx.walk(folder)), { ...wanted, now: ctx.clock.now() });
            if (why === undefined) item = await ctx.item(folder);
            else {ctx.log.info(`"${folder.name}" is left for later: ${why.message}`, {
                folder: folder.name,
                ...why.data,
              });}
          } catch (error) {
            ctx.signal.throwIfAborted();
            // The others go on (SAFETY S19); the run still fails at its end, since nobody knows what is in this one.
            const message = error instanceof Error ? error.message : String(error);
            unreadable.push({ rule: "source/unreadable", severity: "error", path: folder.name, message });
            ctx.log.error(`Cannot look into "${folder.name}": ${message}`, { folder: folder.path });
          }
          if (item !== undefined) yield item;
        }
        if (unreadable.length > 0) throw unreadableError(options.root, unreadable);
      },
    };
  },
});

/** How many folders a message names; the findings hold all of them. */
const NAMED = 5;

function unreadableError(root: string, findings: readonly Finding[]): PipelineError {
  const names = findings.slice(0, NAMED).map((finding) => `"${finding.path}"`).join(", ");
  const more = findings.length > NAMED ? ` and ${findings.length - NAMED} more` : "";
  return new PipelineError(
    "source/unreadable",
    `Cannot look into ${names}${more} below "${root}": ${findings[0].message}`,
    { findings, hint: "Check that this account may read them, then run again" },
  );
}

function settleFromConfig(run: RunContext): number {
  const minutes = run.config.backup?.settle_minutes;
  return (typeof minutes === "number" ? minutes : DEFAULT_SETTLE_MINUTES) * 60_000;
}

/** A point in time that an entry carries; ms since 1970. */
export interface Stamp {
  path: string;
  at: number;
}

/** The newest stamps of a folder. Undefined where it has none. */
export interface Stamps {
  /** Modification of a regular file. */
  modified?: Stamp;
  /** Change or birth of anything in it. */
  changed?: Stamp;
  /** A regular file without a modification time: nothing shows that it is idle. */
  undated?: string;
}

/**
 * Returns the newest stamps of a walk. Folders count by their change time: one that is moved in keeps the times of all
 * it holds, and shows in nothing else. The study's own folder is no entry of its walk, so our lock makes nobody wait.
 */
export async function newestStamps(entries: AsyncIterable<TreeEntry>): Promise<Stamps> {
  const stamps: Stamps = {};
  for await (const entry of entries) {
    if (entry.kind === "file") {
      // A name that is no valid text cannot be looked at; it fails the study before a byte is copied (SAFETY S14).
      if (entry.mtimeMs === null && entry.path.includes("\uFFFD")) continue;
      if (entry.mtimeMs === null) stamps.undated ??= entry.path;
      else stamps.modified = newer(stamps.modified, entry.path, entry.mtimeMs);
    }
    if (entry.birthtimeMs !== null) stamps.changed = newer(stamps.changed, entry.path, entry.birthtimeMs);
    if (entry.ctimeMs !== null) stamps.changed = newer(stamps.changed, entry.path, entry.ctimeMs);
  }
  return stamps;
}

function newer(known: Stamp | undefined, path: string, at: number): Stamp {
  return known === undefined || at > known.at ? { path, at } : known;
}

/** Why a folder is not eligible. */
export interface NotEligible {
  message: string;
  data: { reason: "not-idle" | "not-settled" | "undated"; path: string; age_ms?: number; eligible_at?: string };
}

/**
 * Returns why a folder must wait; undefined when it is idle and settled (SAFETY S13). A stamp in the future has a
 * negative age, so it never satisfies. A folder without any file is eligible, so that validation reports it.
 */
export function notEligible(
  stamps: Stamps,
  wanted: { idleMs: number; settleMs: number; now: number },
): NotEligible | undefined {
  const { idleMs, settleMs, now } = wanted;
  if (stamps.undated !== undefined) {
    const message = `the system gives no modification time for "${stamps.undated}", wanted one to see that it is idle`;
    return { message, data: { reason: "undated", path: stamps.undated } };
  }
  const idle = stamps.modified !== undefined && now - stamps.modified.at < idleMs ? stamps.modified : undefined;
  const fresh = stamps.changed !== undefined && now - stamps.changed.at < settleMs ? stamps.changed : undefined;
  const stamp = idle ?? fresh;
  if (stamp === undefined) return undefined;
  const eligible = isoStamp(
    Math.max(idle === undefined ? 0 : idle.at + idleMs, fresh === undefined ? 0 : fresh.at + settleMs),
  );
  const verb = idle === undefined ? "changed" : "modified";
  const age = now - stamp.at;
  const when = age < 0
    ? `${formatSpan(-age)} in the future (is the clock of the instrument or of this host wrong?)`
    : `${formatSpan(age)} ago`;
  return {
    message:
      `"${stamp.path}" was ${verb} ${when}, wanted at least ${formatSpan(idle === undefined ? settleMs : idleMs)}; ` +
      `eligible from ${eligible}`,
    data: {
      reason: idle === undefined ? "not-settled" : "not-idle",
      path: stamp.path,
      age_ms: age,
      eligible_at: eligible,
    },
  };
}

/** A stamp far outside the calendar (a broken clock) must not stop the source. */
function isoStamp(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "never";
}

/** `13.5 days`, `7.0 hours`, `12 min`, `30 s`. */
function formatSpan(ms: number): string {
  if (ms >= 2 * 86_400_000) return `${(ms / 86_400_000).toFixed(1)} days`;
  if (ms >= 2 * 3_600_000) return `${(ms / 3_600_000).toFixed(1)} hours`;
  if (ms >= 2 * 60_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 1000)} s`;
}
