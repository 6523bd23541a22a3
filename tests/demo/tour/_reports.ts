/** Parts of run reports, with what matters to a check. */
import type { ItemReport, StageReport } from "../../../core/run/report.ts";

/** An item; a stage needs no more than its `use`. */
export function item(
  name: string,
  outcome: ItemReport["outcome"],
  stages: readonly (Pick<StageReport, "use"> & Partial<StageReport>)[] = [],
): ItemReport {
  return {
    name,
    outcome,
    stages: stages.map((stage) => ({
      id: stage.use,
      outcome: "done",
      applied: 0,
      skipped: 0,
      files: 0,
      bytes: 0,
      ms: 0,
      ...stage,
    })),
  };
}
