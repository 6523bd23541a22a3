/**
 * Facts of the shipped stages and states they lead to, for tests of the lattice.
 * @module
 */
import type { StageFacts } from "../../core/contract.ts";
import { type LatticeState, type Level, levelAt, NOTHING, transfer } from "../../core/safety/lattice.ts";

export const LOCK: StageFacts = { gives: [{ fact: "locked" }] };
export const RECORD: StageFacts = { needsAllProved: true, gives: [{ fact: "recorded" }] };
export const DELETE: StageFacts = { kills: [{ fact: "hashed" }], destroys: { place: "source", places: 2 } };

export function copy(place: string, strength?: "weak"): StageFacts {
  return { gives: [{ fact: "hashed" }, { fact: "written", place, ...(strength ? { strength } : {}) }] };
}

export function verify(place: string, strength: "strong" | "weak" = "strong"): StageFacts {
  return {
    needs: [{ fact: "hashed" }, { fact: "written", place }],
    gives: [{ fact: "proved", place, strength }],
  };
}

export function seal(place: string): StageFacts {
  return { gives: [{ fact: "sealed", place }] };
}

/** What stands when these stages have run one after the other. */
export function after(...stages: StageFacts[]): LatticeState {
  return stages.reduce<LatticeState>((state, facts) => transfer(state, facts), NOTHING);
}

const LEVELS: readonly Level[] = ["none", "written", "weak", "strong"];

/** Whether `a` claims nothing that `b` does not claim. */
export function isAtMost(a: LatticeState, b: LatticeState): boolean {
  return (!a.hashed || b.hashed) && (!a.locked || b.locked) && (!a.recorded || b.recorded !== undefined) &&
    [...a.levels].every(([place, level]) => LEVELS.indexOf(level) <= LEVELS.indexOf(levelAt(b, place))) &&
    [...a.sealed].every((place) => b.sealed.has(place));
}

/** Everything a destroy of the source wants: locked, recorded, proved at `nas` and `s3`. */
export function ready(): LatticeState {
  return after(LOCK, copy("nas"), verify("nas"), seal("nas"), copy("s3"), verify("s3"), RECORD);
}
