import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fact, StageFacts } from "../../../core/contract.ts";
import { missingForDestroy } from "../../../core/safety/demands.ts";
import {
  applyGives,
  applyKills,
  givenBy,
  holds,
  type LatticeState,
  levelAt,
  NOTHING,
  takesAway,
  transfer,
} from "../../../core/safety/lattice.ts";
import { after, copy, DELETE, isAtMost, LOCK, ready, RECORD, seal, verify } from "../../kit/facts.ts";

Deno.test("transfer() builds up the lattice none < written < proved", () => {
  assert.equal(levelAt(NOTHING, "nas"), "none");
  assert.equal(levelAt(after(copy("nas")), "nas"), "written");
  assert.equal(levelAt(after(copy("nas"), verify("nas", "weak")), "nas"), "weak");
  assert.equal(levelAt(after(copy("nas"), verify("nas")), "nas"), "strong");
  const all = ready();
  assert.ok(all.locked && all.hashed && all.recorded && all.sealed.has("nas"));
});

Deno.test("transfer() gives no fact that rests on one that does not stand", () => {
  assert.equal(levelAt(after(verify("nas")), "nas"), "none");
  assert.equal(levelAt(after({ gives: [{ fact: "written", place: "nas" }] }, verify("nas")), "nas"), "written");
  assert.equal(after(copy("nas"), seal("nas")).sealed.size, 0);
  assert.equal(after(copy("nas"), verify("nas"), RECORD).recorded, undefined);
  assert.equal(after(copy("nas"), verify("nas"), seal("nas"), copy("s3"), RECORD).recorded, undefined);
});

Deno.test("transfer() takes gives in any order within one stage", () => {
  const upload: StageFacts = {
    gives: [{ fact: "proved", place: "s3" }, { fact: "written", place: "s3" }, { fact: "hashed" }],
  };
  assert.equal(levelAt(after(upload), "s3"), "strong");
});

Deno.test("transfer() kills but does not give when the stage is conditional or on_error is warn", () => {
  const facts: StageFacts = { kills: [{ fact: "locked" }], gives: [{ fact: "hashed" }] };
  for (const options of [{ conditional: true }, { onErrorWarn: true }]) {
    const state = transfer(after(LOCK), facts, options);
    assert.deepEqual([state.locked, state.hashed], [false, false]);
  }
});

Deno.test("transfer() lets a new write take proof, seal and record of that place", () => {
  const state = transfer(ready(), copy("nas"));
  assert.equal(levelAt(state, "nas"), "written");
  assert.equal(levelAt(state, "s3"), "strong");
  assert.equal(state.sealed.size, 0);
  assert.equal(state.recorded, undefined);
});

Deno.test("transfer() caps the proof of an unflushed write at weak", () => {
  assert.equal(levelAt(after(copy("nas", "weak"), verify("nas")), "nas"), "weak");
  assert.equal(
    levelAt(after(copy("nas", "weak"), { kills: [{ fact: "written" }] }, copy("nas"), verify("nas")), "nas"),
    "strong",
  );
});

Deno.test("transfer() takes no proof for one of the item where only some files are written", () => {
  const part: StageFacts = { gives: [{ fact: "hashed" }, { fact: "written", place: "nas", strength: "none" }] };
  const state = after(part, verify("nas"), seal("nas"), RECORD);
  assert.equal(levelAt(state, "nas"), "written");
  assert.equal(state.sealed.size, 0);
  assert.equal(state.recorded, undefined);
});

Deno.test("applyKills() follows the table of SAFETY: what falls with what", () => {
  const cases: { kills: StageFacts["kills"]; left: Partial<Record<string, unknown>> }[] = [
    { kills: [{ fact: "hashed" }], left: { hashed: false, nas: "written", s3: "written", sealed: 0, recorded: false } },
    {
      kills: [{ fact: "written", place: "nas" }],
      left: { hashed: true, nas: "none", s3: "strong", sealed: 0, recorded: false },
    },
    {
      kills: [{ fact: "proved", place: "s3" }],
      left: { hashed: true, nas: "strong", s3: "written", sealed: 1, recorded: false },
    },
    {
      kills: [{ fact: "sealed", place: "nas" }],
      left: { hashed: true, nas: "strong", s3: "strong", sealed: 0, recorded: false },
    },
    { kills: [{ fact: "recorded" }], left: { hashed: true, nas: "strong", s3: "strong", sealed: 1, recorded: false } },
    { kills: [{ fact: "written" }], left: { hashed: true, nas: "none", s3: "none", sealed: 0, recorded: false } },
    { kills: "everything", left: { hashed: false, nas: "none", s3: "none", sealed: 0, recorded: false } },
  ];
  for (const { kills, left } of cases) {
    const state = applyKills(ready(), { kills });
    assert.deepEqual(
      {
        hashed: state.hashed,
        nas: levelAt(state, "nas"),
        s3: levelAt(state, "s3"),
        sealed: state.sealed.size,
        recorded: state.recorded !== undefined,
      },
      left,
      JSON.stringify(kills),
    );
    assert.equal(state.locked, true, "only unlock and the end of the run take the lock");
  }
  assert.equal(applyKills(ready(), { kills: [{ fact: "locked" }] }).locked, false);
});

Deno.test("S4 applyKills() keeps the record through a destroy and takes all that was known of the victim", () => {
  const gone = applyKills(ready(), DELETE);
  assert.ok(gone.recorded);
  assert.equal(gone.hashed, false);
  assert.ok(gone.destroyed.has("source"));
  const evicted = applyKills(ready(), { destroys: { place: "nas", places: 1 } });
  assert.equal(levelAt(evicted, "nas"), "none");
  assert.equal(levelAt(evicted, "s3"), "strong");
  assert.equal(evicted.sealed.has("nas"), false);
  assert.ok(evicted.recorded);
  const wrecked = applyKills(ready(), { kills: "everything", destroys: { place: "source", places: 1 } });
  assert.equal(wrecked.recorded, undefined);
});

Deno.test("transfer() never hashes a source that is destroyed", () => {
  assert.equal(transfer(applyKills(ready(), DELETE), copy("x")).hashed, false);
});

const PLACES = ["a", "b", "c"];
const arbitraryFact: fc.Arbitrary<Fact> = fc.record({
  fact: fc.constantFrom<Fact["fact"]>("hashed", "written", "proved", "sealed", "recorded", "locked"),
  place: fc.constantFrom(...PLACES),
  strength: fc.constantFrom<"strong" | "weak" | "none">("strong", "weak", "none"),
});
const arbitraryFacts: fc.Arbitrary<StageFacts> = fc.record({
  gives: fc.array(arbitraryFact, { maxLength: 4 }),
  kills: fc.oneof(
    { weight: 5, arbitrary: fc.array(arbitraryFact, { maxLength: 2 }) },
    { weight: 1, arbitrary: fc.constant("everything" as const) },
  ),
  destroys: fc.option(fc.record({ place: fc.constantFrom("source", ...PLACES), places: fc.nat(3) }), {
    nil: undefined,
    freq: 6,
  }),
});
const arbitraryState = fc.array(arbitraryFacts, { maxLength: 12 }).map((stages) => after(...stages));

/** What SAFETY says must never be claimed together with its absence. */
function isConsistent(state: LatticeState): boolean {
  const proved = [...state.levels].filter(([, level]) => level === "weak" || level === "strong").map(([place]) =>
    place
  );
  return (proved.length === 0 || state.hashed) && [...state.sealed].every((place) => proved.includes(place)) &&
    [...state.partial].every((place) => levelAt(state, place) === "written") &&
    [...state.unflushed].every((place) => levelAt(state, place) !== "strong") &&
    (state.recorded === undefined || state.destroyed.size > 0 ||
      [...state.recorded].every((place) => proved.includes(place)));
}

Deno.test("transfer() keeps a state consistent whatever stages do", () => {
  fc.assert(fc.property(arbitraryState, (state) => assert.ok(isConsistent(state), show(state))), { numRuns: 2000 });
});

Deno.test("applyKills() never adds a fact, and givenBy() never takes one", () => {
  fc.assert(
    fc.property(arbitraryState, arbitraryFacts, (state, facts) => {
      const killed = applyKills(state, facts);
      assert.ok(isAtMost(killed, state));
      assert.ok(isAtMost(killed, applyGives(killed, givenBy(killed, facts))));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("missingForDestroy() allows with more knowledge what it allows with less", () => {
  fc.assert(
    fc.property(arbitraryState, arbitraryFacts, fc.boolean(), (drawn, { kills }, isReady) => {
      const state = isReady ? ready() : drawn;
      const demand = { victim: "source", places: 2 };
      const allows = (known: LatticeState) => missingForDestroy(known, demand).length === 0;
      assert.ok(allows(state) || !allows(applyKills(state, { kills })), show(state));
    }),
    { numRuns: 1000 },
  );
});

function show(state: LatticeState): string {
  return JSON.stringify(state, (_, value) => value instanceof Set || value instanceof Map ? [...value] : value);
}

Deno.test("holds() wants a strong proof unless a weak one is enough", () => {
  const weak = after(copy("nas"), verify("nas", "weak"));
  assert.equal(holds(weak, { fact: "proved", place: "nas" }), false);
  assert.equal(holds(weak, { fact: "proved", place: "nas", strength: "weak" }), true);
  assert.equal(holds(weak, { fact: "proved" }), false);
  assert.equal(holds(after(copy("nas")), { fact: "written" }), true);
});

Deno.test("takesAway() says whether a stage takes a fact away, directly or through what it rests on", () => {
  assert.equal(takesAway(copy("nas"), { fact: "proved", place: "nas" }), true);
  assert.equal(takesAway(copy("nas"), { fact: "proved", place: "s3" }), false);
  assert.equal(takesAway(copy("nas"), { fact: "recorded" }, ["nas"]), true);
  assert.equal(takesAway(copy("nas"), { fact: "recorded" }, ["s3"]), false);
  assert.equal(takesAway({ kills: "everything" }, { fact: "sealed", place: "nas" }), true);
  assert.equal(takesAway({ kills: "everything" }, { fact: "locked" }), false);
  assert.equal(takesAway(DELETE, { fact: "recorded" }, ["nas"]), false);
});
