/** Delivers events past a journal that cannot be used: read-only, damaged, or on a full disk. @module */
import type { Secrets } from "../core/contract.ts";
import { emitEvent } from "../core/events/events.ts";
import type { NewEvent } from "../core/events/events.ts";
import { openMemoryJournal } from "../core/journal/sqlite.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { CommandContext } from "./command.ts";
import { count } from "./format.ts";
import type { Project } from "./project.ts";
import { withServices } from "./services.ts";

export interface DirectDelivery {
  /** The notify pipeline. */
  compiled: CompiledPipeline;
  secrets: Secrets;
  project: Project;
  context: Pick<CommandContext, "terminal" | "locations" | "log"> & {
    logs: Pick<CommandContext["logs"], "scrubber">;
  };
  /** What is not delivered by then is not told. */
  until: AbortSignal;
}

/**
 * Runs the notify pipeline over these events, with a journal in memory. They are tried once: nothing remembers them, nor
 * that they were told, so that a cooldown does not count. Whether all were told, as far as anybody wants to hear of them.
 */
export async function deliverDirectly(
  events: readonly NewEvent[],
  { compiled, secrets, project, context, until }: DirectDelivery,
): Promise<boolean> {
  if (events.length === 0) return true;
  const { locations, log } = context;
  const journal = await openMemoryJournal();
  return await withServices(project.registry, { dryRun: false, journal, context }, async (services) => {
    for (const event of events) await emitEvent(services.journal.outbox, event, { enabled: true });
    const { items, error } = await runPipeline({
      compiled,
      config: project.config.view,
      stateDir: locations.stateDir,
      dryRun: false,
      stop: until,
      abort: until,
    }, { ...services, secrets });
    const sent = items.filter(({ outcome }) => outcome === "done").length;
    if (sent > 0) log.info(`people were told of ${count(sent, "event")}, past the journal`);
    const lost = await services.journal.outbox.pending();
    if (lost.length === 0) return true;
    const why = error?.message ?? items.find((item) => item.error)?.error?.message ?? "no server took it in time";
    log.warn(`${count(lost.length, "event")} can be neither queued nor delivered: ${why}`);
    return false;
  });
}
