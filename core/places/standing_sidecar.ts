/** A sidecar that already stands where one is to be written (SAFETY S7: nothing that says more is lost). @module */
import { PipelineError } from "../errors.ts";
import { compareBytes } from "../io/paths.ts";
import type { ItemScope, SidecarLine } from "./place.ts";

/** Refuses to touch a sidecar that a `complete` record of the ledger names. */
export function assertNotRecorded(scope: ItemScope, found: string, where: string): void {
  if (scope.recordedSidecar === null || scope.recordedSidecar !== found) return;
  throw new PipelineError(
    "seal/conflict",
    `Cannot replace the sidecar "${where}": the ledger's complete record names it, and the evidence now makes another`,
    { hint: "The study changed after it was completed. Keep the changed files under another study name." },
  );
}

/**
 * Whether every line is also a line of the sidecar that the evidence makes, so that nothing is lost with the old one.
 * A list that cannot be read, or is in another order, says something else.
 */
export async function isRestated(
  scope: ItemScope,
  place: string,
  lines: AsyncIterable<SidecarLine>,
): Promise<boolean> {
  const known = scope.evidence.list(scope.item.id, place)[Symbol.asyncIterator]();
  let next = await known.next();
  try {
    for await (const line of lines) {
      while (!next.done && compareBytes(next.value.path, line.path) < 0) next = await known.next();
      if (next.done || next.value.path !== line.path || next.value.sha256 !== line.sha256) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof PipelineError && error.code.startsWith("sidecar/")) return false;
    throw error;
  } finally {
    await known.return?.();
  }
}

/** What a sidecar of somebody else is called once it was moved aside: its name and the beginning of its hash. */
export function asideName(name: string, sha256: string): string {
  return `${name}.${sha256.slice(0, 16)}`;
}
