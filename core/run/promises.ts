/** Promised evidence of a dry run (SAFETY S17): written to the dry run's own copy of the journal, never to the live one. @module */
import type { StageFacts, Todo } from "../contract.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { ItemScope } from "../places/place.ts";
import type { RunState } from "./run_state.ts";

/** Stands for a hash nobody has computed yet. */
const PROMISED_SHA256 = "0".repeat(64);

/** Promises what a planned step would mint, so that downstream stages can plan. */
export async function promise(
  run: RunState,
  scope: ItemScope,
  { facts, step }: { facts: StageFacts; step: Todo },
): Promise<void> {
  const files = step.files?.filter((file) => !file.emptyFolder) ?? [];
  if (files.length === 0) return;
  for (const { fact, place = SOURCE_PLACE } of facts.gives ?? []) {
    if (fact !== "hashed" && fact !== "written" && fact !== "proved") continue;
    const known = await scope.evidence.getMany(scope.item.id, place, files.map((file) => file.path));
    const promised = files.filter((file) => fact === "proved" || !known.has(file.path)).map((file): Evidence => ({
      path: file.path,
      size: file.size,
      sha256: known.get(file.path)?.sha256 ?? PROMISED_SHA256,
      place,
      placeUuid: "promised",
      uri: "promised",
      level: fact === "written" ? "written" : "proved",
      guarantee: "none",
      at: new Date(run.services.clock.now()).toISOString(),
    }));
    await scope.evidence.put(scope.item.id, promised);
    if (place !== SOURCE_PLACE) run.promise(scope.item.id, place);
  }
}
