import assert from "node:assert/strict";
import { notArchived, notAsPlanned, notEvicted, notProved, toEvict } from "../../../demo/tour/full_nas.ts";
import { item } from "./_reports.ts";

Deno.test("toEvict() takes the oldest first, and not one more than needed", () => {
  const oldest = [{ name: "a", bytes: 30 }, { name: "b", bytes: 20 }, { name: "c", bytes: 10 }];
  const of = (free: number, below: number) => toEvict(oldest, { free, total: 100, below });
  assert.deepEqual(of(10, 50), ["a", "b"]);
  assert.deepEqual(of(10, 40), ["a"]);
  assert.deepEqual(of(10, 10), []);
  assert.deepEqual(of(10, 90), ["a", "b", "c"]);
});

Deno.test("notArchived() names further studies that are not done", () => {
  assert.deepEqual(notArchived({ items: [item("a", "done"), item("b", "failed")] }, ["a", "b", "c"]), [
    "b: failed, wanted done",
    "c: not taken up, wanted done",
  ]);
});

Deno.test("notAsPlanned() wants those that have to go, in their order, and no other", () => {
  const items = [item("a", "done"), item("b", "done")];
  const report = { exit_code: 0, dry_run: true, items };
  assert.deepEqual(notAsPlanned(report, ["a", "b"]), []);
  assert.deepEqual(notAsPlanned(report, ["b", "a"]), ["the dry run of cleanup: a done, b done; wanted b done, a done"]);
  assert.deepEqual(notAsPlanned({ ...report, dry_run: false, exit_code: 1 }, ["a"]), [
    "cleanup ended with 1, wanted 0",
    "cleanup: a done, b done; wanted a done",
  ]);
  assert.deepEqual(notAsPlanned({ ...report, items: [] }, []), [
    "the dry run of cleanup: nothing; wanted something to go",
  ]);
});

Deno.test("notProved() names an eviction that no proof of every file came before", () => {
  const kept = [{ name: "a", hashes: new Map([["k1", "h1"], ["k2", "h2"]]) }];
  const proof = { use: "prove-archived", files: 2 };
  const evict = { use: "evict", files: 2 };
  const of = (...stages: { use: string; files: number }[]) => notProved({ items: [item("a", "done", stages)] }, kept);
  assert.deepEqual(of(proof, evict), []);
  assert.deepEqual(of({ ...proof, files: 1 }, evict), ["a was evicted after 1 of 2 files were proved at S3"]);
  assert.equal(of(evict, proof).length, 1);
  assert.equal(of(evict).length, 1);
  assert.equal(notProved({ items: [item("b", "done", [proof, evict])] }, kept).length, 1);
  const failed = item("a", "failed", [{ ...proof, files: 0 }, { ...evict, outcome: "not-reached" }]);
  assert.deepEqual(notProved({ items: [failed] }, kept), []);
});

Deno.test("notEvicted() compares the folders and the ledger with what had to go", () => {
  const record = (truenas_evicted_at: string | null) => ({ status: "complete" as const, truenas_evicted_at });
  const gone = record("2026-01-02T03:04:05Z");
  const there = record(null);
  const names = ["a", "b"];
  const evicted = ["a"];
  const good = new Map([["a", gone], ["b", there]]);
  assert.deepEqual(notEvicted(names, { evicted, left: ["b"], records: good }), []);
  assert.deepEqual(notEvicted(names, { evicted, left: ["a"], records: new Map([["a", there], ["b", gone]]) }), [
    "a is still on the NAS",
    "the ledger does not say that a was evicted",
    "b is no longer on the NAS",
    "the ledger says that b was evicted",
  ]);
});
