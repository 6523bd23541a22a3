/** How much a stage has before it, for progress. @module */
import { SOURCE_PLACE } from "../evidence.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { isForced } from "./contexts.ts";
import type { ItemSession } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

export interface Work {
  files: number;
  bytes: number;
}

/**
 * What a stage that moves bytes will handle of an item: one that writes a place all of the source but what evidence
 * holds there already, one that proves a place all that was written to it. Undefined for other stages, or when nobody
 * knows. Only people see it: nothing is decided by it.
 */
export async function expectedWork(
  run: RunState,
  session: ItemSession,
  stage: Pick<CompiledStage, "id" | "facts">,
): Promise<Work | undefined> {
  const { evidence, item } = session.scope;
  const { gives = [] } = stage.facts;
  const placeOf = (fact: string) => gives.find((given) => given.fact === fact)?.place;
  const written = placeOf("written");
  const place = written ?? placeOf("proved");
  if (place === undefined) return undefined;
  const there = await evidence.totals(item.id, place);
  if (written === undefined) return { files: there.files, bytes: there.bytes };
  const known = await evidence.totals(item.id, SOURCE_PLACE);
  const whole = run.listingOf(item.root) ?? (known.files > 0 ? known : undefined);
  if (whole === undefined) return undefined;
  const held = isForced(run.request.force, stage.id) ? { files: 0, bytes: 0 } : there;
  return { files: Math.max(0, whole.files - held.files), bytes: Math.max(0, whole.bytes - held.bytes) };
}
