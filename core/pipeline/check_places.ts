/** Whether the places a stage declares are its own. @module */
import type { PlaceDeclaration } from "../contract.ts";
import type { DiagnosticWords } from "./diagnostic.ts";

/**
 * Returns what is wrong with the places of the stage of this id; undefined when they are sound. A place has the id of the
 * stage that writes it: one under another's would stand in for that, and what was proved at the one be read at the other.
 */
export function placesFault(
  places: readonly PlaceDeclaration[],
  { id, use }: { id: string; use: string },
): DiagnosticWords & { code: string; message: string } | undefined {
  const code = "pipeline/foreign-place";
  const hint = `its author must declare one place, under the id that places() is given; until then, leave "${use}" out`;
  const foreign = places.find((place) => place.id !== id);
  if (foreign) {
    const message = `Cannot use the places of stage "${id}": "${use}" declares place "${foreign.id}", wanted "${id}"`;
    return { code, message, hint };
  }
  if (places.length < 2) return undefined;
  const message =
    `Cannot use the places of stage "${id}": "${use}" declares "${id}" ${places.length} times, wanted once`;
  return { code, message, hint };
}
