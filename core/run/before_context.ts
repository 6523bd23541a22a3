/** What stages of `[[before]]` are given: the run, and of an item nothing, since there is none yet. @module */
import type { Item } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { ExecOptions, RunContext, WriteContext } from "../ports.ts";
import type { Acts } from "./lease.ts";
import { execPinned } from "./pinned_exec.ts";
import type { EngineServices } from "./services.ts";
import { servicesView } from "./views.ts";

/** What the context of a stage before the run is made for. */
interface BeforeContextFor {
  run: RunContext;
  item: Item;
  stage: string;
  signal: AbortSignal;
  /** What the stage may do; undefined for `plan`, where what acts is not there. */
  acts?: Acts;
}

/** The context of one stage before the run. What is asked of an item, a place or the ledger fails with `before/no-item`. */
export function beforeContext(
  services: EngineServices,
  { run, item, stage, signal, acts }: BeforeContextFor,
): WriteContext {
  const refuse = (what: string): never => {
    throw new PipelineError(
      "before/no-item",
      `Cannot use ${what} in stage "${stage}": it stands in [[before]], where there is no item and no place yet`,
      { hint: "Move the stage to [[stage]]." },
    );
  };
  const later = (what: string) => () => Promise.resolve().then(() => refuse(what));
  const look = {
    run,
    ...servicesView(services, signal),
    item,
    dryRun: false,
    force: false,
    stage,
    source: { walk: () => refuse("the source"), files: () => refuse("the source") },
    evidence: { list: () => refuse("evidence"), totals: later("evidence") },
    place: (id: string) => refuse(`place "${id}"`),
    ledger: later("the ledger"),
    destroyBatches: () => refuse("the source"),
    lock: later("the lock"),
    record: later("the ledger"),
    destroy: later("the source"),
    finishDestroy: later("the source"),
    checkpoint: later("a checkpoint"),
    readCheckpoint: later("a checkpoint"),
  };
  const exec = acts?.lend("exec()", (options: ExecOptions) => execPinned(services, options, signal));
  return Object.freeze({ ...look, ...(exec && { exec }) }) as WriteContext;
}
