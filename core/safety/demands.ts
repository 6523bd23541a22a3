/**
 * What a stage, a record and a destroy demand of the lattice (SAFETY), and in words what is missing. Lint and the
 * engine ask the same functions.
 * @module
 */
import type { Fact, StageFacts } from "../contract.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import { holds, isProved, type LatticeState, type Level, levelAt } from "./lattice.ts";

/** Something that is wanted and does not stand. */
export interface Missing {
  kind: "fact" | "unproved" | "unsealed" | "nothing-written" | "unlocked" | "unrecorded" | "too-few" | "destroyed";
  /** The fact that is wanted, where it is one. */
  fact?: Fact;
  /** In words, to stand behind "…: ". */
  words: string;
}

/** A fact in words: `written at "truenas"`. */
export function factWords(fact: Fact): string {
  const at = fact.place === undefined ? "" : ` at "${fact.place}"`;
  return fact.fact === "proved" && fact.strength === "weak" ? `proved${at} (weak is enough)` : `${fact.fact}${at}`;
}

/** The needs of a stage that do not stand. */
export function missingNeeds(state: LatticeState, facts: StageFacts): Missing[] {
  return (facts.needs ?? []).filter((fact) => !holds(state, fact)).map((fact) => ({
    kind: "fact",
    fact,
    words: `${factWords(fact)} is missing${foundWords(state, fact)}`,
  }));
}

function foundWords(state: LatticeState, fact: Fact): string {
  if (fact.place === undefined || (fact.fact !== "proved" && fact.fact !== "sealed")) return "";
  return `, found ${levelWords(levelAt(state, fact.place))}`;
}

function levelWords(level: Level): string {
  return {
    none: "not written",
    written: "written but not proved",
    weak: "proved weakly only",
    strong: "proved",
  }[level];
}

/**
 * What a `complete` record lacks: every place written must be proved, one of them sealed; a folder, where one is
 * written, since that is where people look for the sidecar.
 * @param written places that any stage so far may have written; those of the state count in any case.
 * @param folders which places are folders.
 */
export function missingForRecord(
  state: LatticeState,
  written: Iterable<string> = [],
  { folders = new Set() }: { folders?: ReadonlySet<string> } = {},
): Missing[] {
  const places = [...new Set([...written, ...state.levels.keys()])].filter((place) => !state.destroyed.has(place));
  if (places.length === 0) {
    return [{ kind: "nothing-written", words: "no place is written, so there is nothing to record as complete" }];
  }
  const missing: Missing[] = [];
  for (const place of places) {
    const level = levelAt(state, place);
    if (isProved(level)) continue;
    const fact: Fact = { fact: "proved", place };
    missing.push({ kind: "unproved", fact, words: `proved at "${place}" is missing, found ${levelWords(level)}` });
  }
  const toSeal = places.filter((place) => folders.has(place));
  if (state.sealed.size === 0) {
    missing.push({
      kind: "unsealed",
      fact: { fact: "sealed" },
      words: "sealed is missing: no place has a checksum sidecar",
    });
  } else if (toSeal.length > 0 && !toSeal.some((place) => state.sealed.has(place))) {
    const [place] = toSeal;
    const found = [...state.sealed].map((id) => `"${id}"`).join(", ");
    missing.push({
      kind: "unsealed",
      fact: { fact: "sealed", place },
      words: `sealed is missing: no folder has a checksum sidecar, found one at ${found} only`,
    });
  }
  return missing;
}

export interface DestroyDemand {
  /** The place whose files go. */
  victim: string;
  /** `require.places`; fewer than 1 counts as 1. */
  places: number;
  /** Failure domain of a place; the default is the place itself. */
  domainOf?: (place: string) => string;
  /** Places to speak of in the message even if nothing is written there. */
  known?: readonly string[];
}

/**
 * What a destroy lacks (SAFETY, "destroy at t"): `locked`, `recorded`, and at least `max(1, places)` places other than
 * the victim, in distinct domains, proved; at least one of them strongly. Empty when it may go ahead.
 */
export function missingForDestroy(state: LatticeState, demand: DestroyDemand): Missing[] {
  const { victim } = demand;
  const wanted = Math.max(1, demand.places);
  const missing: Missing[] = [];
  if (state.destroyed.has(victim)) {
    missing.push({ kind: "destroyed", words: `"${victim}" was destroyed before` });
  }
  if (!state.locked) {
    missing.push({ kind: "unlocked", fact: { fact: "locked" }, words: "locked is missing: the item is not locked" });
  }
  if (state.recorded === undefined) {
    missing.push({
      kind: "unrecorded",
      fact: { fact: "recorded" },
      words: "recorded is missing: the ledger has no complete record of it",
    });
  }
  const counted = survivors(state, demand);
  if (sufficient(counted, wanted)) return missing;
  const places = [...new Set([...demand.known ?? [], ...state.levels.keys()])]
    .filter((place) => place !== victim && place !== SOURCE_PLACE && !state.destroyed.has(place));
  const list = places.map((place) => `"${place}" is ${levelWords(levelAt(state, place))}`).join(", ");
  const reason = counted.domains.size >= wanted
    ? "a weak proof counts only beside a strong one"
    : `found ${counted.domains.size} in distinct domains`;
  const unproved = places.find((place) => levelAt(state, place) !== "strong");
  missing.push({
    kind: "too-few",
    fact: { fact: "proved", ...(unproved === undefined ? {} : { place: unproved }) },
    words: `proved at ${wanted} place${wanted === 1 ? "" : "s"} other than "${victim}" is missing, ${reason} (${
      list || "no other place is written"
    })`,
  });
  return missing;
}

/** Whether these domains keep a file: `max(1, places)` of them, one of them strongly. */
export function sufficient(
  found: { domains: ReadonlySet<string>; strong: ReadonlySet<string> },
  places: number,
): boolean {
  return found.domains.size >= Math.max(1, places) && found.strong.size > 0;
}

/** The domains that would keep the item after the victim is gone: all that proved it, and those that did strongly. */
export function survivors(
  state: LatticeState,
  demand: Pick<DestroyDemand, "victim" | "domainOf">,
): { domains: Set<string>; strong: Set<string> } {
  const domainOf = demand.domainOf ?? ((place: string) => place);
  const domains = new Set<string>();
  const strong = new Set<string>();
  for (const [place, level] of state.levels) {
    if (place === demand.victim || place === SOURCE_PLACE || state.destroyed.has(place) || !isProved(level)) continue;
    domains.add(domainOf(place));
    if (level === "strong") strong.add(domainOf(place));
  }
  return { domains, strong };
}
