import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fact, StageFacts } from "../../../core/contract.ts";
import {
  applyGives,
  applyKills,
  factWords,
  givenBy,
  holds,
  isAtMost,
  type LatticeState,
  levelAt,
  minimum,
  missingForDestroy,
  missingForRecord,
  missingNeeds,
  NOTHING,
  sufficient,
  survivors,
  transfer,
} from "../../../core/safety/lattice.ts";

const LOCK: StageFacts = { gives: [{ fact: "locked" }] };
const copy = (place: string, strength?: "weak"): StageFacts => ({
  gives: [{ fact: "hashed" }, { fact: "written", place, ...(strength ? { strength } : {}) }],
});
const verify = (place: string, strength: "strong" | "weak" = "strong"): StageFacts => ({
  needs: [{ fact: "hashed" }, { fact: "written", place }],
  gives: [{ fact: "proved", place, strength }],
});
const seal = (place: string): StageFacts => ({ gives: [{ fact: "sealed", place }] });
const RECORD: StageFacts = { needsAllProved: true, gives: [{ fact: "recorded" }] };
const DELETE: StageFacts = { kills: [{ fact: "hashed" }], destroys: { place: "source", places: 2 } };

function after(...stages: StageFacts[]): LatticeState {
  return stages.reduce((state, facts) => transfer(state, facts), NOTHING);
}

const READY = () => after(LOCK, copy("nas"), verify("nas"), seal("nas"), copy("s3"), verify("s3"), RECORD);

Deno.test("transfer() builds up the lattice none < written < proved", () => {
  assert.equal(levelAt(NOTHING, "nas"), "none");
  assert.equal(levelAt(after(copy("nas")), "nas"), "written");
  assert.equal(levelAt(after(copy("nas"), verify("nas", "weak")), "nas"), "weak");
  assert.equal(levelAt(after(copy("nas"), verify("nas")), "nas"), "strong");
  const ready = READY();
  assert.ok(ready.locked && ready.hashed && ready.recorded && ready.sealed.has("nas"));
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
  const state = transfer(READY(), copy("nas"));
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
    const state = applyKills(READY(), { kills });
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
  assert.equal(applyKills(READY(), { kills: [{ fact: "locked" }] }).locked, false);
});

Deno.test("S4 applyKills() keeps the record through a destroy and takes all that was known of the victim", () => {
  const gone = applyKills(READY(), DELETE);
  assert.ok(gone.recorded);
  assert.equal(gone.hashed, false);
  assert.ok(gone.destroyed.has("source"));
  const evicted = applyKills(READY(), { destroys: { place: "nas", places: 1 } });
  assert.equal(levelAt(evicted, "nas"), "none");
  assert.equal(levelAt(evicted, "s3"), "strong");
  assert.equal(evicted.sealed.has("nas"), false);
  assert.ok(evicted.recorded);
  const wrecked = applyKills(READY(), { kills: "everything", destroys: { place: "source", places: 1 } });
  assert.equal(wrecked.recorded, undefined);
});

Deno.test("transfer() never hashes a source that is destroyed", () => {
  assert.equal(transfer(applyKills(READY(), DELETE), copy("x")).hashed, false);
});

Deno.test("missingForDestroy() is empty exactly when lock, record and enough proofs stand", () => {
  assert.deepEqual(missingForDestroy(READY(), { victim: "source", places: 2 }), []);
  const kinds = (state: LatticeState, places = 2) =>
    missingForDestroy(state, { victim: "source", places }).map((missing) => missing.kind);
  assert.deepEqual(kinds(NOTHING), ["unlocked", "unrecorded", "too-few"]);
  assert.deepEqual(kinds(applyKills(READY(), { kills: [{ fact: "locked" }] })), ["unlocked"]);
  assert.deepEqual(kinds(applyKills(READY(), { kills: [{ fact: "recorded" }] })), ["unrecorded"]);
  assert.deepEqual(kinds(READY(), 3), ["too-few"]);
  assert.deepEqual(kinds(applyKills(READY(), DELETE)).includes("destroyed"), true);
});

Deno.test("missingForDestroy() wants one place even when zero are required, and never counts the victim", () => {
  const state = after(LOCK, copy("nas"), verify("nas"), seal("nas"), RECORD);
  assert.deepEqual(missingForDestroy(state, { victim: "source", places: 0 }), []);
  const words = missingForDestroy(state, { victim: "nas", places: 0 });
  assert.equal(words.length, 1);
  assert.match(words[0].words, /proved at 1 place other than "nas" is missing/);
});

Deno.test("missingForDestroy() counts places of one domain once", () => {
  const demand = { victim: "source", places: 2, domainOf: () => "room" };
  assert.match(missingForDestroy(READY(), demand)[0].words, /found 1 in distinct domains/);
  assert.deepEqual(missingForDestroy(READY(), { ...demand, places: 1 }), []);
});

Deno.test("missingForDestroy() counts weak proofs only beside a strong one", () => {
  const weak = after(LOCK, copy("nas"), verify("nas", "weak"), seal("nas"), copy("s3"), verify("s3", "weak"), RECORD);
  const [missing] = missingForDestroy(weak, { victim: "source", places: 2 });
  assert.match(missing.words, /a weak proof counts only beside a strong one/);
  const mixed = transfer(weak, verify("s3"));
  assert.deepEqual(missingForDestroy(mixed, { victim: "source", places: 2 }), []);
  assert.deepEqual([...survivors(mixed, { victim: "source" }).strong], ["s3"]);
  assert.equal(sufficient({ domains: new Set(["a", "b"]), strong: new Set() }, 1), false);
});

Deno.test("missingForRecord() names each place that is not proved, and the missing seal", () => {
  assert.deepEqual(missingForRecord(NOTHING).map((missing) => missing.kind), ["nothing-written"]);
  const state = after(copy("nas"), verify("nas"), copy("s3"));
  assert.deepEqual(missingForRecord(state).map((missing) => missing.kind), ["unproved", "unsealed"]);
  assert.match(missingForRecord(state)[0].words, /proved at "s3" is missing, found written but not proved/);
  const sealed = after(copy("nas"), verify("nas"), seal("nas"));
  assert.deepEqual(missingForRecord(sealed), []);
  assert.match(missingForRecord(sealed, ["tape"])[0].words, /proved at "tape" is missing, found not written/);
});

Deno.test("missingNeeds() and factWords() say which fact at which place", () => {
  const [missing] = missingNeeds(after(copy("nas")), { needs: [{ fact: "proved", place: "nas" }] });
  assert.equal(missing.words, `proved at "nas" is missing, found written but not proved`);
  assert.equal(factWords({ fact: "locked" }), "locked");
  assert.equal(holds(after(copy("nas"), verify("nas", "weak")), { fact: "proved", place: "nas" }), false);
  assert.equal(
    holds(after(copy("nas"), verify("nas", "weak")), { fact: "proved", place: "nas", strength: "weak" }),
    true,
  );
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

Deno.test("minimum() is the greatest state at most each, and a destroy it allows each allows", () => {
  fc.assert(
    fc.property(arbitraryState, arbitraryState, (a, b) => {
      const low = minimum([a, b]);
      assert.ok(isAtMost(low, a) && isAtMost(low, b));
      assert.deepEqual(minimum([a, a]), minimum([a]));
      const demand = { victim: "source", places: 2 };
      if (missingForDestroy(low, demand).length === 0) {
        assert.deepEqual([missingForDestroy(a, demand), missingForDestroy(b, demand)], [[], []]);
      }
    }),
    { numRuns: 1000 },
  );
  assert.equal(minimum([]), NOTHING);
});

function show(state: LatticeState): string {
  return JSON.stringify(state, (_, value) => value instanceof Set || value instanceof Map ? [...value] : value);
}
