/** Runs the notify pipeline over what waits in an outbox. @module */
import type { Secrets } from "../core/contract.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { RunReport } from "../core/run/report.ts";
import type { EngineServices } from "../core/run/services.ts";
import type { Locations } from "./locations.ts";
import type { Project } from "./project.ts";

export interface Delivery {
  /** The notify pipeline. */
  compiled: CompiledPipeline;
  secrets: Secrets;
  project: Project;
  /** What is not delivered by then is not told. */
  until: AbortSignal;
}

/** `sent`: how many events people were told of. */
export async function runNotify(
  services: EngineServices,
  { compiled, secrets, project, until, locations }: Delivery & { locations: Pick<Locations, "stateDir"> },
): Promise<RunReport & { sent: number }> {
  const report = await runPipeline({
    compiled,
    config: project.config.view,
    stateDir: locations.stateDir,
    dryRun: false,
    stop: until,
    abort: until,
  }, { ...services, secrets });
  return { ...report, sent: report.items.filter(({ outcome }) => outcome === "done").length };
}
