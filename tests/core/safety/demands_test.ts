import assert from "node:assert/strict";
import {
  factWords,
  missingForDestroy,
  missingForRecord,
  missingNeeds,
  sufficient,
  survivors,
} from "../../../core/safety/demands.ts";
import { applyKills, type LatticeState, NOTHING, transfer } from "../../../core/safety/lattice.ts";
import { after, copy, DELETE, LOCK, ready, RECORD, seal, verify } from "../../kit/facts.ts";

Deno.test("missingForDestroy() is empty exactly when lock, record and enough proofs stand", () => {
  assert.deepEqual(missingForDestroy(ready(), { victim: "source", places: 2 }), []);
  const kinds = (state: LatticeState, places = 2) =>
    missingForDestroy(state, { victim: "source", places }).map((missing) => missing.kind);
  assert.deepEqual(kinds(NOTHING), ["unlocked", "unrecorded", "too-few"]);
  assert.deepEqual(kinds(applyKills(ready(), { kills: [{ fact: "locked" }] })), ["unlocked"]);
  assert.deepEqual(kinds(applyKills(ready(), { kills: [{ fact: "recorded" }] })), ["unrecorded"]);
  assert.deepEqual(kinds(ready(), 3), ["too-few"]);
  assert.deepEqual(kinds(applyKills(ready(), DELETE)).includes("destroyed"), true);
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
  assert.match(missingForDestroy(ready(), demand)[0].words, /found 1 in distinct domains/);
  assert.deepEqual(missingForDestroy(ready(), { ...demand, places: 1 }), []);
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
  const folders = new Set(["nas"]);
  assert.deepEqual(missingForRecord(sealed, [], { folders }), []);
  const elsewhere = after(copy("nas"), verify("nas"), copy("s3"), verify("s3"), seal("s3"));
  assert.deepEqual(missingForRecord(elsewhere), []);
  const [unsealed] = missingForRecord(elsewhere, [], { folders });
  assert.match(unsealed.words, /sealed is missing: no folder has a checksum sidecar, found one at "s3" only/);
  assert.match(missingForRecord(sealed, ["tape"])[0].words, /proved at "tape" is missing, found not written/);
});

Deno.test("missingNeeds() and factWords() say which fact at which place", () => {
  const [missing] = missingNeeds(after(copy("nas")), { needs: [{ fact: "proved", place: "nas" }] });
  assert.equal(missing.words, `proved at "nas" is missing, found written but not proved`);
  assert.equal(factWords({ fact: "locked" }), "locked");
});
