import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fact, StageFacts } from "../../../core/contract.ts";
import { flow, type FlowStage } from "../../../core/lint/flow.ts";
import { type LatticeState, NOTHING, transfer } from "../../../core/safety/lattice.ts";
import { isAtMost } from "../../kit/facts.ts";

const PLACES = ["a", "b"];
const fact: fc.Arbitrary<Fact> = fc.record({
  fact: fc.constantFrom<Fact["fact"]>(
    "hashed",
    "hashed",
    "written",
    "written",
    "proved",
    "proved",
    "sealed",
    "recorded",
    "locked",
  ),
  place: fc.constantFrom(...PLACES),
  strength: fc.constantFrom<"strong" | "weak">("strong", "strong", "weak"),
}).map(({ fact, place, strength }) => fact === "recorded" || fact === "locked" ? { fact } : { fact, place, strength });
const facts: fc.Arbitrary<StageFacts> = fc.record({
  gives: fc.array(fact, { maxLength: 5 }),
  kills: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Fact[]>([]) },
    { weight: 3, arbitrary: fc.array(fact, { maxLength: 1 }) },
    { weight: 1, arbitrary: fc.constant("everything" as const) },
  ),
  destroys: fc.option(fc.record({ place: fc.constantFrom("source", ...PLACES), places: fc.constant(1) }), {
    nil: undefined,
    freq: 12,
  }),
});

/** Stages in topological order; each comes after some of those before it. */
const graph = fc.array(
  fc.record({ facts, warn: fc.integer({ min: 0, max: 9 }), after: fc.array(fc.nat(5), { maxLength: 3 }) }),
  {
    minLength: 1,
    maxLength: 6,
  },
).map((rows) =>
  rows.map((row, index): FlowStage => ({
    id: `s${index}`,
    facts: row.facts,
    onError: row.warn === 0 ? "warn" : "fail",
    after: [...new Set(row.after.filter((at) => at < index).map((at) => `s${at}`))],
  }))
);

/** Every order in which the stages may run. */
function* orders(stages: readonly FlowStage[], done: readonly FlowStage[] = []): Generator<readonly FlowStage[]> {
  if (done.length === stages.length) yield done;
  for (const stage of stages) {
    if (done.includes(stage) || !stage.after.every((id) => done.some((other) => other.id === id))) continue;
    yield* orders(stages, [...done, stage]);
  }
}

/** What holds before each stage when the stages run one after the other. */
function inOrder(order: readonly FlowStage[]): Map<string, LatticeState> {
  let state = NOTHING;
  return new Map(order.map((stage) => {
    const before = state;
    state = transfer(state, stage.facts, { onErrorWarn: stage.onError === "warn" });
    return [stage.id, before];
  }));
}

Deno.test("flow() claims nothing before a stage that some order of the branches does not give", () => {
  fc.assert(
    fc.property(graph, (stages) => {
      const steps = flow(stages);
      for (const order of orders(stages)) {
        const states = inOrder(order);
        for (const { stage, state } of steps) {
          assert.ok(
            isAtMost(state, states.get(stage.id) as LatticeState),
            `${stage.id} in ${order.map((one) => one.id)}`,
          );
        }
      }
    }),
    { numRuns: 1500 },
  );
});

Deno.test("flow() is exact where there are no branches", () => {
  fc.assert(
    fc.property(graph, (stages) => {
      const line = stages.map((stage, index) => ({ ...stage, after: index === 0 ? [] : [stages[index - 1].id] }));
      const states = inOrder(line);
      for (const { stage, state } of flow(line)) {
        const wanted = states.get(stage.id) as LatticeState;
        assert.ok(isAtMost(state, wanted));
        assert.ok(isAtMost(wanted, state), `before ${stage.id}`);
      }
    }),
    { numRuns: 1500 },
  );
});

const stage = (id: string, after: string[], own: StageFacts): FlowStage => ({ id, after, facts: own, onError: "fail" });
const copy = (place: string): StageFacts => ({ gives: [{ fact: "hashed" }, { fact: "written", place }] });
const verify = (place: string): StageFacts => ({
  needs: [{ fact: "written", place }],
  gives: [{ fact: "proved", place }],
});

Deno.test("flow() joins branches: what each of them proved stands behind both", () => {
  const steps = flow([
    stage("nas", [], copy("nas")),
    stage("verify", ["nas"], verify("nas")),
    stage("s3", [], { gives: [...copy("s3").gives ?? [], { fact: "proved", place: "s3" }] }),
    stage("join", ["verify", "s3"], {}),
  ]);
  assert.deepEqual([...steps[3].state.levels], [["nas", "strong"], ["s3", "strong"]]);
  assert.deepEqual([...steps[3].written], ["nas", "s3"]);
});

Deno.test("flow() lets concurrent branches suffer each other's kills, within the branch and behind the join", () => {
  const steps = flow([
    stage("nas", [], copy("nas")),
    stage("verify", ["nas"], verify("nas")),
    stage("hook", ["nas"], { kills: "everything" }),
    stage("seal", ["verify"], {}),
    stage("join", ["seal", "hook"], {}),
  ]);
  const at = (id: string) => steps.find((step) => step.stage.id === id)?.state as LatticeState;
  assert.equal(at("verify").hashed, false);
  assert.equal(at("seal").levels.size, 0);
  assert.equal(at("join").levels.size, 0);
});

Deno.test("flow() keeps what was killed before its giver ran", () => {
  const steps = flow([
    stage("hook", [], { kills: "everything" }),
    stage("nas", ["hook"], copy("nas")),
    stage("verify", ["nas"], verify("nas")),
    stage("end", ["verify"], {}),
  ]);
  assert.equal(steps[3].state.levels.get("nas"), "strong");
});

Deno.test("flow() claims no record while a branch may write a place that nobody has proved by then", () => {
  const steps = flow([
    stage("all", [], {
      gives: [...copy("nas").gives ?? [], ...verify("nas").gives ?? [], { fact: "sealed", place: "nas" }],
    }),
    stage("record", ["all"], { gives: [{ fact: "recorded" }] }),
    stage("late", ["all"], copy("far")),
    stage("end", ["record"], {}),
  ]);
  const at = (id: string) => steps.find((step) => step.stage.id === id)?.state as LatticeState;
  assert.equal(at("end").levels.get("nas"), "strong");
  assert.equal(at("end").recorded, undefined);
});
