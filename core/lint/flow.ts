/**
 * Facts along the graph of stages: a lower bound of what holds before each stage, whatever order branches run in.
 * @module
 */
import type { Fact, StageFacts } from "../contract.ts";
import { missingForRecord, missingNeeds } from "../safety/demands.ts";
import {
  applyGives,
  applyKills,
  givenBy,
  isProved,
  type LatticeState,
  NOTHING,
  takesAway,
  transfer,
  type TransferOptions,
} from "../safety/lattice.ts";

/** What the flow needs to know of a stage. */
export interface FlowStage {
  id: string;
  after: readonly string[];
  facts: StageFacts;
  onError: "fail" | "warn";
}

export interface FlowStep<S extends FlowStage> {
  stage: S;
  /** What holds before the stage, at least. */
  state: LatticeState;
  /** The same, if everything refused further up were mended: it keeps one mistake from being reported at each stage below. */
  mended: LatticeState;
  /** Stages that always run before this one, in order. */
  ancestors: readonly S[];
  /** Stages that may run at the same time. */
  concurrent: readonly S[];
  /** Places that an ancestor, or a stage running at the same time, may have written. */
  written: ReadonlySet<string>;
}

/**
 * Computes what holds before each stage, whatever order branches run in. Stages must be in topological order.
 *
 * A fact given by an ancestor holds unless some stage that may run after its giver, and need not run after this stage,
 * takes it away. That is the minimum over all orders in which the branches may run.
 */
export function flow<S extends FlowStage>(stages: readonly S[]): FlowStep<S>[] {
  const graph = relate(stages);
  const sound = new Map<string, readonly Given[]>();
  const mended = new Map<string, readonly Given[]>();
  // As long as no branch has begun there is one order, and the lattice itself says what holds.
  let line: LatticeState | undefined = NOTHING;
  return stages.map((stage) => {
    const { ancestors, concurrent } = graph.get(stage.id) as Relations<S>;
    const written = new Set([...ancestors, ...concurrent].flatMap((other) => placesWritten(other.facts)));
    if (concurrent.length > 0) line = undefined;
    const known = { graph, given: sound };
    const state = line ?? stateBefore(stage, known);
    const given = line ? givenIn(state, stage) : givenInAnyOrder(state, stage, writesThatMayStand(stage, known));
    sound.set(stage.id, asGiven(state, stage, { given }));
    if (line) line = transfer(line, stage.facts, asRun(stage));
    const hopeful = stateBefore(stage, { graph, given: mended });
    mended.set(stage.id, asGiven(hopeful, stage, { given: mendedGives(hopeful, stage, written) }));
    return { stage, state, mended: hopeful, ancestors, concurrent, written };
  });
}

/** How a stage is run, as far as its facts go. */
function asRun({ onError }: FlowStage): TransferOptions {
  return { onErrorWarn: onError === "warn" };
}

function givenIn(state: LatticeState, stage: FlowStage): Fact[] {
  return givenBy(applyKills(state, stage.facts), stage.facts, asRun(stage));
}

/** The same, but nothing is recorded while something may have been written that is not proved. */
function givenInAnyOrder(state: LatticeState, stage: FlowStage, writes: readonly Fact[]): Fact[] {
  const given = givenIn(state, stage);
  const { levels } = applyGives(applyKills(state, stage.facts), given);
  const isUnsure = writes.some(({ place = "" }) => !isProved(levels.get(place) ?? "none"));
  return isUnsure ? given.filter((fact) => fact.fact !== "recorded") : given;
}

/** A fact with the places that stood when it was given: a record rests on all of them. */
interface Given {
  fact: Fact;
  places: readonly string[];
}

function asGiven(before: LatticeState, stage: FlowStage, { given }: { given: readonly Fact[] }): Given[] {
  const places = [...applyGives(applyKills(before, stage.facts), given).levels.keys()];
  return given.map((fact) => ({ fact, places }));
}

function stateBefore<S extends FlowStage>(
  stage: S,
  known: { graph: ReadonlyMap<string, Relations<S>>; given: ReadonlyMap<string, readonly Given[]> },
): LatticeState {
  const { ancestors, concurrent } = known.graph.get(stage.id) as Relations<S>;
  const running = [...ancestors, ...concurrent];
  const writes = writesThatMayStand(stage, known);
  const writtenAs = (wanted: Fact["strength"]) =>
    new Set(writes.filter(({ strength }) => strength === wanted).map(({ place = "" }) => place));
  let state: LatticeState = { ...NOTHING, unflushed: writtenAs("weak"), partial: writtenAs("none") };
  for (const giver of ancestors) {
    const { ancestors: done } = known.graph.get(giver.id) as Relations<S>;
    const later = running.filter((other) => other !== giver && !done.includes(other));
    const left = (known.given.get(giver.id) ?? []).filter(({ fact, places }) =>
      !later.some((other) => takesAway(other.facts, fact, places))
    );
    state = applyGives(state, left.map(({ fact }) => fact));
  }
  const gone = running.flatMap(({ facts }) => facts.destroys ? [facts.destroys.place] : []);
  return { ...state, destroyed: new Set(gone.filter((place) => !state.levels.has(place))) };
}

/**
 * What may have been written before a stage, unless it is certainly gone again: it is there even where nobody may
 * count on it, unproved or unflushed.
 */
function writesThatMayStand<S extends FlowStage>(
  stage: S,
  known: { graph: ReadonlyMap<string, Relations<S>>; given: ReadonlyMap<string, readonly Given[]> },
): Fact[] {
  const { ancestors, concurrent } = known.graph.get(stage.id) as Relations<S>;
  return [...ancestors, ...concurrent].flatMap((writer) => {
    // A stage beside this one that stands further down in the file has not been walked yet.
    const given = known.given.get(writer.id)?.map(({ fact }) => fact) ??
      (writer.onError === "warn" ? [] : writer.facts.gives ?? []);
    const behind = ancestors.filter((other) => known.graph.get(other.id)?.ancestors.includes(writer));
    return given.filter((fact) =>
      fact.fact === "written" && fact.place !== undefined && !behind.some((other) => takesAway(other.facts, fact))
    );
  });
}

/** What a stage would give if everything refused were mended: what it needs, and what it says it gives. */
function mendedGives(state: LatticeState, stage: FlowStage, written: ReadonlySet<string>): Fact[] {
  const { facts, onError } = stage;
  const assumed = missingNeeds(state, facts).flatMap((missing) => missing.fact ? [missing.fact] : []);
  const helped = applyGives(applyKills(state, facts), assumed);
  const given = givenBy(helped, facts, asRun(stage));
  const lacksProof = facts.needsAllProved === true && missingForRecord(state, written).length > 0;
  if (!lacksProof || onError === "warn") return [...assumed, ...given];
  const records = (facts.gives ?? []).filter((fact) => fact.fact === "recorded");
  return [...assumed, ...given.filter((fact) => fact.fact !== "recorded"), ...records];
}

/** Places a stage says it writes. */
export function placesWritten(facts: StageFacts): string[] {
  return (facts.gives ?? []).flatMap((fact) => fact.fact === "written" && fact.place !== undefined ? [fact.place] : []);
}

interface Relations<S> {
  ancestors: S[];
  concurrent: S[];
}

function relate<S extends FlowStage>(stages: readonly S[]): Map<string, Relations<S>> {
  const above = new Map<string, Set<string>>();
  for (const stage of stages) {
    const ids = new Set<string>();
    for (const id of stage.after) {
      ids.add(id);
      for (const far of above.get(id) ?? []) ids.add(far);
    }
    above.set(stage.id, ids);
  }
  const comesBefore = (a: S, b: S) => above.get(b.id)?.has(a.id) === true;
  return new Map(stages.map((stage) => [stage.id, {
    ancestors: stages.filter((other) => comesBefore(other, stage)),
    concurrent: stages.filter((other) => other !== stage && !comesBefore(other, stage) && !comesBefore(stage, other)),
  }]));
}
