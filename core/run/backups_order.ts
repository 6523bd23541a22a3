/**
 * What lint refuses, asked once more at the start of a run over backups: the copy that goes may be the last but one, so
 * that no such run begins with stages in an order that could lose it (SAFETY S5).
 * @module
 */
import { PipelineError } from "../errors.ts";
import { flow } from "../lint/flow.ts";
import type { CompiledPipeline } from "../pipeline/compile.ts";
import { missingForDestroy } from "../safety/demands.ts";

/** @throws {PipelineError} `run/unsafe-order` (exit 2) */
export function assertOrder({ name, stages, places }: Pick<CompiledPipeline, "name" | "stages" | "places">): void {
  const domains = new Map(places.map((place) => [place.id, place.domain ?? place.id]));
  for (const { stage, state } of flow(stages)) {
    const { destroys } = stage.facts;
    if (destroys === undefined) continue;
    const [missing] = missingForDestroy(state, {
      victim: destroys.place,
      places: destroys.places,
      domainOf: (place) => domains.get(place) ?? place,
    });
    if (missing === undefined) continue;
    throw new PipelineError("run/unsafe-order", `Cannot run "${name}": in stage "${stage.id}" ${missing.words}`, {
      stopsRun: 2,
      hint: `Nothing was touched. What to change, with its line: labferry lint ${name}`,
    });
  }
}
