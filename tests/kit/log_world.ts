/** The monitor pipeline over a log in memory: the log is written, the time passes, and what was raised is looked at. */
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import type { EngineServices } from "../../core/run/services.ts";
import type { ItemReport, RunReport } from "../../core/run/report.ts";
import { World } from "../../testing/world.ts";

export const LOG = "/instrument/Fusion.log";
export const MONITOR = EMBEDDED_PRESETS.monitor;

/** A world whose config names the log. */
export async function logWorld(): Promise<World> {
  return await World.open({ config: `[monitor]\nlog_path = "${LOG}"\n[notify]\nenabled = true\n` });
}

export async function append(world: World, text: string, path = LOG): Promise<void> {
  await using file = await world.fs.openReadWrite(path);
  await file.seek((await file.stat()).size);
  await file.write(new TextEncoder().encode(text));
}

/** Runs the monitor; each time it waits, the next of the steps is done, and behind the last it is asked to stop. */
export async function monitor(
  world: World,
  steps: readonly (() => unknown)[],
  more: { pipeline?: string; dryRun?: boolean; wrap?: (services: EngineServices) => EngineServices } = {},
): Promise<{ report: RunReport; items: ItemReport[] }> {
  const stop = new AbortController();
  const items: ItemReport[] = [];
  const left = [...steps];
  const clock = {
    now: () => world.clock.now(),
    async sleep(ms: number, signal?: AbortSignal) {
      world.clock.time += ms;
      const step = left.shift();
      if (step === undefined) stop.abort(new DOMException("stopped", "AbortError"));
      else await step();
      signal?.throwIfAborted();
    },
  };
  const report = await world.run({
    pipeline: more.pipeline ?? MONITOR,
    dryRun: more.dryRun,
    stop: stop.signal,
    onItem: (item) => void items.push(item),
    wrap: (services) => more.wrap?.({ ...services, clock }) ?? { ...services, clock },
  });
  return { report, items };
}

/** Steps that do nothing, for time to pass. */
export const wait = (times: number): (() => void)[] => Array.from({ length: times }, () => () => {});

/** The details of the events that wait in the outbox, in order. */
export async function raised(world: World): Promise<Record<string, unknown>[]> {
  return (await world.journal.outbox.pending()).map(({ data }) => data as Record<string, unknown>);
}
