/**
 * What `after = […]` has torn apart. One such line lets many stages run at the same time, and each of them then lacks
 * something: the mend is in that line, not at each of them.
 * @module
 */
import type { CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import type { Diagnostic } from "../pipeline/diagnostic.ts";
import { topologicalOrder } from "../pipeline/pipeline_file.ts";
import { nodeAt } from "../pipeline/toml_document.ts";

/** A change of one or two lines, tried on the pipeline. */
interface Mend {
  /** Stages that wait for one more, by id. */
  waits: ReadonlyMap<string, string>;
  hint: string;
}

/**
 * Returns the findings, with the hint of the line to mend for all those that are gone once it is mended. `lint` is asked
 * what it finds then.
 */
export function adviseOnBranches(
  pipeline: CompiledPipeline,
  found: readonly Diagnostic[],
  lint: (pipeline: CompiledPipeline) => readonly Diagnostic[],
): Diagnostic[] {
  const wrong = found.filter(isError);
  if (wrong.length === 0) return [...found];
  let best: { left: ReadonlySet<string>; hint: string } | undefined;
  for (const mend of mendsOf(pipeline)) {
    const { stages } = topologicalOrder(pipeline.stages.map((stage) => waiting(stage, mend)));
    if (stages === undefined) continue;
    const left = new Set(lint({ ...pipeline, stages }).filter(isError).map(placeOf));
    if (left.size < (best?.left ?? new Set(wrong.map(placeOf))).size) best = { left, hint: mend.hint };
  }
  if (best === undefined) return [...found];
  const { left, hint } = best;
  return found.map((one) => isError(one) && !left.has(placeOf(one)) ? { ...one, hint } : one);
}

function isError({ severity }: Diagnostic): boolean {
  return severity === "error";
}

function placeOf({ code, line, column }: Diagnostic): string {
  return `${code} ${line}:${column}`;
}

function waiting(stage: CompiledStage, { waits }: Mend): CompiledStage {
  const more = waits.get(stage.id);
  return more === undefined ? stage : { ...stage, after: [...stage.after, more] };
}

/** For each `after = […]` that leaves out the stage above it: both branches joined by the stage below, or no branch. */
function* mendsOf(pipeline: CompiledPipeline): Generator<Mend> {
  const inFile = pipeline.stages.toSorted((a, b) => Number(a.path[1]) - Number(b.path[1]));
  const isWritten = (stage: CompiledStage) => nodeAt(pipeline.document, [...stage.path, "after"]) !== undefined;
  for (const [at, stage] of inFile.entries()) {
    const above = inFile[at - 1];
    const below = inFile[at + 1];
    if (above === undefined || !isWritten(stage) || stage.after.includes(above.id)) continue;
    const after = `after = ${JSON.stringify(stage.after).replaceAll(",", ", ")}`;
    if (below !== undefined && !isWritten(below)) {
      yield {
        waits: new Map([[below.id, above.id]]),
        hint: `"${stage.id}" (line ${stage.position.line}) runs beside "${above.id}", for its ${after}: let ` +
          `"${below.id}" wait for both, after = ["${above.id}", "${stage.id}"], or take that after out`,
      };
    }
    yield {
      waits: new Map([[stage.id, above.id]]),
      hint: `add "${above.id}" to ${after} of "${stage.id}" (line ${stage.position.line}), or take that after out`,
    };
  }
}
