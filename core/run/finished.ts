/** A destroy that was begun is closed by the stage that began it (SAFETY S4). @module */
import { PipelineError } from "../errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { isUnderWay } from "../safety/record_end.ts";
import { EVICTION } from "./backups.ts";
import type { ItemSession } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

const DELETION = { begun: "source_deleting_at", ended: "source_deleted_at" } as const;

/**
 * Throws when a stage that destroys has ended and the ledger still shows the destroy as begun: the files may be gone, the
 * folder stands, and no later stage would say so. @throws {PipelineError} `stage/not-finished`
 */
export async function assertFinished(
  run: RunState,
  session: ItemSession,
  { id, facts, external }: CompiledStage,
): Promise<void> {
  if (facts.destroys === undefined || run.request.dryRun) return;
  const record = await session.ledger();
  const isOpen = record !== undefined && record.incarnation === session.item.id &&
    isUnderWay(record, run.isOverBackups ? EVICTION : DELETION);
  if (!isOpen) return;
  throw new PipelineError(
    "stage/not-finished",
    `Cannot go on behind stage "${id}"${
      external ? ` of "${external.file}"` : ""
    }: it began to free "${session.item.name}" ` +
      "and did not finish, wanted finishDestroy() in its last step",
    {
      hint: "What is gone is proved elsewhere. The stage must call ctx.finishDestroy once its files are removed; " +
        "tell its author. The next run goes on with it",
    },
  );
}
