/**
 * Facts along the graph of stages: a lower bound of what holds before each stage, whatever order branches run in.
 * @module
 */
import type { Fact, StageFacts } from "../contract.ts";
import {
  applyGives,
  applyKills,
  givenBy,
  type LatticeState,
  missingForRecord,
  missingNeeds,
  NOTHING,
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
 * Computes what holds before each stage. Stages must be in topological order.
 *
 * The state before a stage is that of its ancestors run in order, each followed by the kills of every stage that may
 * run at the same time: the minimum over all orders in which the branches may run.
 */
export function flow<S extends FlowStage>(stages: readonly S[]): FlowStep<S>[] {
  const graph = relate(stages);
  const sound = new Map<string, readonly Fact[]>();
  const mended = new Map<string, readonly Fact[]>();
  return stages.map((stage) => {
    const { ancestors, concurrent } = graph.get(stage.id) as Relations<S>;
    const fold = (contributions: ReadonlyMap<string, readonly Fact[]>): LatticeState => {
      let state = NOTHING;
      for (const ancestor of ancestors) {
        state = applyGives(applyKills(state, ancestor.facts), contributions.get(ancestor.id) ?? []);
        state = suffer(state, (graph.get(ancestor.id) as Relations<S>).concurrent);
      }
      return suffer(state, concurrent);
    };
    const options = { onErrorWarn: stage.onError === "warn" };
    const written = new Set([...ancestors, ...concurrent].flatMap((other) => placesWritten(other.facts)));
    const state = fold(sound);
    sound.set(stage.id, givenBy(applyKills(state, stage.facts), stage.facts, options));
    const hopeful = fold(mended);
    const assumed = missingNeeds(hopeful, stage.facts).flatMap((missing) => missing.fact ? [missing.fact] : []);
    const helped = applyGives(applyKills(hopeful, stage.facts), assumed);
    const lacksProof = stage.facts.needsAllProved === true && missingForRecord(hopeful, written).length > 0;
    const records = lacksProof && stage.onError === "fail"
      ? (stage.facts.gives ?? []).filter((fact) => fact.fact === "recorded")
      : [];
    mended.set(stage.id, [...assumed, ...givenBy(helped, stage.facts, options), ...records]);
    return { stage, state, mended: hopeful, ancestors, concurrent, written };
  });
}

function suffer(state: LatticeState, stages: readonly FlowStage[]): LatticeState {
  return stages.reduce((next, stage) => applyKills(next, stage.facts), state);
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
