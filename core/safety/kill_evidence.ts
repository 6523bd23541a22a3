/** Evidence dies with what it rests on (SAFETY, the lattice): the engine's side of what a stage says it kills. @module */
import type { StageFacts } from "../contract.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { EvidenceStore } from "../journal/journal.ts";

/** Rows written in one transaction. */
const ROWS_AT_ONCE = 500;

/**
 * Takes away the evidence a stage may have made untrue by running. Without `hashed` no proof says anything; the copies
 * stay written, to be proved against what is hashed next.
 */
export async function killEvidence(
  evidence: EvidenceStore,
  incarnation: string,
  kills: NonNullable<StageFacts["kills"]>,
): Promise<void> {
  if (kills === "everything") return await evidence.remove(incarnation);
  for (const { fact, place } of kills) {
    if (fact === "hashed") await unproveAll(evidence, incarnation);
    else if (place !== undefined) await evidence.remove(incarnation, place);
  }
}

async function unproveAll(evidence: EvidenceStore, incarnation: string): Promise<void> {
  await evidence.remove(incarnation, SOURCE_PLACE);
  for (const place of await evidence.places(incarnation)) {
    let rows: Evidence[] = [];
    for await (const row of evidence.list(incarnation, place, { level: "proved" })) {
      rows.push({ ...row, level: "written", guarantee: "none", medium: undefined });
      if (rows.length < ROWS_AT_ONCE) continue;
      await evidence.put(incarnation, rows);
      rows = [];
    }
    if (rows.length > 0) await evidence.put(incarnation, rows);
  }
}
