/** Source `capacity`: the oldest backups of a place, one at a time, only while the place is short of space. @module */
import { defineSource } from "../../core/contract.ts";
import type { Item, ItemOutcome } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import type { Finding } from "../../core/errors.ts";
import { formatSize, pathOption, z } from "../../core/options.ts";
import type { AckContext, ArchivedBackup, SourceContext } from "../../core/ports.ts";
import { Gauge, type Wanted } from "./_gauge.ts";

export const capacity = defineSource({
  kind: "source",
  name: "capacity",
  summary: "Yields the oldest complete backups of a place, one at a time, while less than a share of it is free.",
  yields: "backup",
  endless: false,
  options: z.strictObject({
    place_root: pathOption().meta({
      description: "Root folder of the place, as the pipeline that wrote it names it.",
      example: "//truenas/backups",
    }),
    below: z.number().min(0).max(100).meta({
      description: "Backups are yielded while less than this is free.",
      unit: "per cent",
      example: 20,
    }),
  }),
  example:
    `[source]\nuse  = "capacity"\nwith = { place_root = "\${paths.truenas_root}", below = "\${cleanup.free_threshold_pct}" }\n`,
  root: (options) => ({ root: options.place_root }),
  open({ place_root, below }) {
    const wanted: Wanted = { root: place_root, below };
    /** What became of the items that were yielded. */
    const ends = new Map<string, { outcome: ItemOutcome; error?: { message: string } }>();
    return {
      async *items(ctx) {
        const gauge = await Gauge.begin(ctx, wanted);
        if (ctx.run.dryRun) {
          ctx.log.info(
            "A plan compares lists of checksums and reads no file: a run proves every file elsewhere before a backup goes, " +
              "and keeps what it cannot prove",
          );
        }
        const stay: Finding[] = [];
        for await (const backup of ctx.archived()) {
          ctx.signal.throwIfAborted();
          await gauge.look(ctx);
          if (gauge.isEnough) {
            // Those that were begun stand first, and go on whatever is free.
            if (!backup.begun) break;
            if (backup.refused !== undefined) continue;
          }
          const refuse = (why: string) => {
            stay.push({ rule: "cleanup/refused", severity: "error", path: backup.name, message: why });
          };
          const item = backup.refused ?? await takeUp(ctx, backup, gauge);
          if (typeof item === "string") {
            ctx.log.info(`"${backup.name}" stays: ${item}`);
            refuse(item);
            continue;
          }
          if (!backup.begun) gauge.assertNotInVain();
          yield item;
          const end = ends.get(item.id);
          if (end?.outcome === "done") await gauge.evicted(ctx, backup);
          else {
            refuse(end?.error?.message ?? `it ended as ${end?.outcome}`);
            await gauge.failed(ctx, backup);
          }
        }
        await gauge.look(ctx);
        if (!gauge.isEnough) throw gauge.notEnough(ctx, stay);
      },
      ack({ id }, outcome, ctx: AckContext) {
        ends.set(id, { outcome, error: ctx.error });
        return Promise.resolve();
      },
    };
  },
});

/** An item, or why there is none: one bad backup never stops the others (SAFETY S19). */
async function takeUp(ctx: SourceContext, backup: ArchivedBackup, gauge: Gauge): Promise<Item | string> {
  try {
    const { bytes, completedAt } = backup;
    const item = await ctx.item(backup, { bytes, completed_at: completedAt });
    const begun = backup.begun ? "begun by an earlier run, " : "";
    return { ...item, note: `${begun}${formatSize(bytes)} of ${completedAt.slice(0, 10)}, ${gauge.note(bytes)}` };
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!(error instanceof PipelineError) || error.stopsRun !== undefined) throw error;
    return error.message;
  }
}
