/**
 * The lattice of facts (SAFETY) as pure functions. Lint walks it along a pipeline to a lower bound; the engine holds
 * the real thing per file. A fact is only ever given when what it rests on stands.
 * @module
 */
import type { Fact, StageFacts } from "../contract.ts";
import { SOURCE_PLACE, type Strength } from "../evidence.ts";

/** How well a file is known to be at a place: `none < written < weak < strong` (the last two are proved). */
export type Level = "none" | "written" | "weak" | "strong";

const RANK: Record<Level, number> = { none: 0, written: 1, weak: 2, strong: 3 };

/** What is known of an item. Immutable: every function returns a new one. */
export interface LatticeState {
  readonly hashed: boolean;
  readonly locked: boolean;
  /** Places the `complete` record rests on; undefined when there is no such record. */
  readonly recorded: ReadonlySet<string> | undefined;
  /** Places not in the map are at `none`. */
  readonly levels: ReadonlyMap<string, Level>;
  readonly sealed: ReadonlySet<string>;
  /** Places written without a flush: no proof of them is stronger than weak. */
  readonly unflushed: ReadonlySet<string>;
  /** Places that some of the files were written to: no proof there is one of the item. */
  readonly partial: ReadonlySet<string>;
  /** Places with an open or finished intent: nothing there counts any more. */
  readonly destroyed: ReadonlySet<string>;
}

/** Nothing is known. */
export const NOTHING: LatticeState = {
  hashed: false,
  locked: false,
  recorded: undefined,
  levels: new Map(),
  sealed: new Set(),
  unflushed: new Set(),
  partial: new Set(),
  destroyed: new Set(),
};

/** How a stage is run, as far as its facts go. */
export interface TransferOptions {
  /** The stage may not run, or may cover only a part: it kills but does not give. */
  conditional?: boolean;
  /** `on_error = "warn"`: it may fail and the item goes on: it kills but does not give. */
  onErrorWarn?: boolean;
}

export function levelAt(state: LatticeState, place: string): Level {
  return state.levels.get(place) ?? "none";
}

/** Whether the place proved the bytes, at least weakly. */
export function isProved(level: Level): boolean {
  return RANK[level] >= RANK.weak;
}

/** The facts a stage takes away by running: what it says it kills, what it rewrites, what it destroys. */
export function killsOf(facts: StageFacts): Fact[] | "everything" {
  if (facts.kills === "everything") return "everything";
  const kills = [...facts.kills ?? []];
  for (const fact of facts.gives ?? []) {
    // A new write to a place replaces what was proved and sealed there.
    if (fact.fact === "written") {
      kills.push({ fact: "proved", place: fact.place }, { fact: "sealed", place: fact.place });
    }
  }
  return kills;
}

/** The state after kills and destroys, before anything is given. */
export function applyKills(state: LatticeState, facts: StageFacts): LatticeState {
  const kills = killsOf(facts);
  let next: LatticeState = state;
  if (kills === "everything") {
    next = { ...NOTHING, locked: state.locked, destroyed: state.destroyed };
  } else {
    for (const fact of kills) next = kill(next, fact);
  }
  if (facts.destroys === undefined) return next;
  // What the destroy itself takes away never takes the record (SAFETY, `intent`); a stage that touches everything does.
  return destroy(kills === "everything" ? next : { ...next, recorded: state.recorded }, facts.destroys.place);
}

/**
 * Whether running a stage takes a fact away from a state in which everything stands.
 * @param places the places a record rests on; the fact's own place counts in any case.
 */
export function takesAway(facts: StageFacts, fact: Fact, places: readonly string[] = []): boolean {
  const all = new Set([...places, ...(fact.place === undefined ? [] : [fact.place])]);
  const full: LatticeState = {
    ...NOTHING,
    hashed: true,
    locked: true,
    recorded: all,
    levels: new Map([...all].map((place) => [place, "strong"])),
    sealed: all,
  };
  return !holds(applyKills(full, facts), fact);
}

/** Kills first, then gives. What the stage needs is not checked here: `missingNeeds` says what is missing. */
export function transfer(state: LatticeState, facts: StageFacts, options: TransferOptions = {}): LatticeState {
  const killed = applyKills(state, facts);
  return applyGives(killed, givenBy(killed, facts, options));
}

/**
 * The facts a stage really gives in a state from which its kills are already gone: those that rest on what stands. A
 * conditional stage gives none.
 */
export function givenBy(state: LatticeState, facts: StageFacts, options: TransferOptions = {}): Fact[] {
  if (options.conditional || options.onErrorWarn) return [];
  const given: Fact[] = [];
  let now = state;
  // A stage may give a fact and one that rests on it (an upload: hashed, written, proved), in any order.
  for (const fact of (facts.gives ?? []).toSorted((a, b) => GIVE_ORDER[a.fact] - GIVE_ORDER[b.fact])) {
    if (!rests(now, fact)) continue;
    given.push(fact);
    now = give(now, fact);
  }
  return given;
}

const GIVE_ORDER: Record<Fact["fact"], number> = {
  locked: 0,
  hashed: 1,
  written: 2,
  proved: 3,
  sealed: 4,
  recorded: 5,
};

/** Adds facts that were found to hold. */
export function applyGives(state: LatticeState, given: readonly Fact[]): LatticeState {
  return given.reduce(give, state);
}

/** Whether what a fact is minted from stands (the column "needs" of SAFETY). */
function rests(state: LatticeState, fact: Fact): boolean {
  const place = fact.place ?? "";
  switch (fact.fact) {
    case "locked":
      return true;
    case "hashed":
      return !state.destroyed.has(SOURCE_PLACE);
    case "written":
      return place !== "" && place !== SOURCE_PLACE;
    case "proved":
      return state.hashed && RANK[levelAt(state, place)] >= RANK.written;
    case "sealed":
      return isProved(levelAt(state, place));
    case "recorded":
      return state.sealed.size > 0 && [...state.levels.values()].every(isProved);
  }
}

function give(state: LatticeState, fact: Fact): LatticeState {
  const place = fact.place ?? "";
  switch (fact.fact) {
    case "locked":
      return { ...state, locked: true };
    case "hashed":
      return { ...state, hashed: true };
    case "written": {
      const unflushed = fact.strength === "weak" ? new Set([...state.unflushed, place]) : state.unflushed;
      const partial = fact.strength === "none" ? new Set([...state.partial, place]) : state.partial;
      const next = { ...state, unflushed, partial, destroyed: without(state.destroyed, [place]) };
      return withLevel(next, place, highest(levelAt(state, place), "written"));
    }
    case "proved": {
      const claimed: Strength = state.partial.has(place) ? "none" : fact.strength ?? "strong";
      const strength = claimed === "strong" && state.unflushed.has(place) ? "weak" : claimed;
      return withLevel(state, place, highest(levelAt(state, place), strength === "none" ? "written" : strength));
    }
    case "sealed":
      return { ...state, sealed: new Set([...state.sealed, place]) };
    case "recorded":
      return { ...state, recorded: new Set(state.levels.keys()) };
  }
}

function kill(state: LatticeState, fact: Fact): LatticeState {
  // A fact without a place, where one could be named, is that fact at every place.
  const places = fact.place === undefined ? [...new Set([...state.levels.keys(), ...state.sealed])] : [fact.place];
  switch (fact.fact) {
    case "locked":
      return { ...state, locked: false };
    case "recorded":
      return { ...state, recorded: undefined };
    case "hashed":
      // A proof says "equal to the source as hashed": without that hash it says nothing.
      return [...state.levels.keys()].reduce<LatticeState>(unprove, { ...state, hashed: false });
    case "written":
      return places.reduce((next, place) => withLevel(unprove(next, place), place, "none"), state);
    case "proved":
      return places.reduce(unprove, state);
    case "sealed":
      return places.reduce(unseal, state);
  }
}

function unprove(state: LatticeState, place: string): LatticeState {
  const next = unseal(state, place);
  return isProved(levelAt(next, place)) ? withoutRecord(withLevel(next, place, "written"), place) : next;
}

function unseal(state: LatticeState, place: string): LatticeState {
  if (!state.sealed.has(place)) return state;
  return withoutRecord({ ...state, sealed: without(state.sealed, [place]) }, place);
}

/** The record falls with any place it rests on. */
function withoutRecord(state: LatticeState, place: string): LatticeState {
  return state.recorded?.has(place) ? { ...state, recorded: undefined } : state;
}

/** A destroy kills what was known of the place for everyone else, and keeps the record (SAFETY, `intent`). */
function destroy(state: LatticeState, place: string): LatticeState {
  const { recorded } = state;
  const killed = kill(state, place === SOURCE_PLACE ? { fact: "hashed" } : { fact: "written", place });
  return { ...killed, recorded, destroyed: new Set([...state.destroyed, place]) };
}

function withLevel(state: LatticeState, place: string, level: Level): LatticeState {
  const levels = new Map(state.levels);
  if (level !== "none") {
    levels.set(place, level);
    return { ...state, levels };
  }
  levels.delete(place);
  return { ...state, levels, unflushed: without(state.unflushed, [place]), partial: without(state.partial, [place]) };
}

function without(set: ReadonlySet<string>, gone: readonly string[]): Set<string> {
  return new Set([...set].filter((entry) => !gone.includes(entry)));
}

function highest(a: Level, b: Level): Level {
  return RANK[a] >= RANK[b] ? a : b;
}

/** Whether a fact stands in a state. */
export function holds(state: LatticeState, fact: Fact): boolean {
  switch (fact.fact) {
    case "hashed":
      return state.hashed;
    case "locked":
      return state.locked;
    case "recorded":
      return state.recorded !== undefined;
    case "written":
      return some(state, fact, (level) => RANK[level] >= RANK.written);
    case "proved":
      return fact.strength === "none"
        ? some(state, fact, (level) => RANK[level] >= RANK.written)
        : some(state, fact, (level) => RANK[level] >= RANK[fact.strength === "weak" ? "weak" : "strong"]);
    case "sealed":
      return fact.place === undefined ? state.sealed.size > 0 : state.sealed.has(fact.place);
  }
}

function some(state: LatticeState, fact: Fact, test: (level: Level) => boolean): boolean {
  return fact.place === undefined ? [...state.levels.values()].some(test) : test(levelAt(state, fact.place));
}
