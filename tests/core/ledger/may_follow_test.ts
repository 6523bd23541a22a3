import assert from "node:assert/strict";
import { mayFollow } from "../../../core/ledger/may_follow.ts";
import type { LedgerEntry, LedgerRecord } from "../../../core/ledger/record.ts";
import { entry, started } from "./_entry.ts";

const T1 = "2026-03-02T00:00:00.000Z";
const T2 = "2026-03-03T00:00:00.000Z";
const record = (more: Partial<LedgerEntry> = {}): LedgerRecord => ({ ...entry("a", more), prev: "0".repeat(64) });
const why = (previous: LedgerRecord | undefined, next: LedgerEntry) => {
  const verdict = mayFollow(previous, next);
  return verdict.ok ? "ok" : verdict.why;
};

Deno.test("S4 mayFollow() lets anything but a deletion follow what is not complete", () => {
  const failed: LedgerRecord = { ...started("a", { status: "failed" }), prev: "" };
  for (const previous of [undefined, failed]) {
    assert.equal(why(previous, started("a")), "ok");
    assert.equal(why(previous, entry("a", { incarnation: "other" })), "ok");
    assert.match(why(previous, entry("a", { source_deleting_at: T1 })), /tells of a deletion/);
  }
});

Deno.test("S4 mayFollow() lets a destroy begin, end and be withdrawn after complete", () => {
  for (
    const [begun, ended] of [
      ["source_deleting_at", "source_deleted_at"],
      ["truenas_evicting_at", "truenas_evicted_at"],
    ] as const
  ) {
    assert.equal(why(record(), entry("a", { [begun]: T1 })), "ok");
    assert.equal(why(record({ [begun]: T1 }), entry("a", { [begun]: T1, [ended]: T2 })), "ok");
    assert.equal(why(record({ [begun]: T1 }), entry("a")), "ok", "withdrawn");
    assert.match(why(record(), entry("a", { [begun]: T1, [ended]: T2 })), /before it/);
    assert.match(why(record({ [begun]: T1 }), entry("a", { [begun]: T2 })), /would be forgotten/);
  }
});

Deno.test("S4 mayFollow() does not let a writer that knows nothing of an open destroy erase it", () => {
  const open = record({ source_deleting_at: T1 });
  assert.match(why(open, entry("a", { completed_at: T2 })), /would be forgotten/);
  assert.match(why(open, entry("a", { truenas_evicting_at: T2 })), /another place|forgotten/);
  assert.match(why(open, entry("a", { source_deleting_at: T1, truenas_evicting_at: T2 })), /another place/);
  assert.equal(why(open, entry("a", { source_deleting_at: T1, completed_at: T2 })), "ok");
});

Deno.test("S4 mayFollow() does not forget that a source was deleted; an evicted copy may come back once proved", () => {
  const deleted = { source_deleting_at: T1, source_deleted_at: T1 };
  assert.match(why(record(deleted), entry("a")), /would be forgotten/);
  assert.equal(why(record(deleted), entry("a", { ...deleted, truenas_evicting_at: T2 })), "ok");
  const evicted = record({ truenas_evicting_at: T1, truenas_evicted_at: T1 });
  assert.match(why(evicted, entry("a")), /would be forgotten/);
  assert.equal(why(evicted, entry("a", { truenas_verified_at: T2 })), "ok");
});

Deno.test("S3 mayFollow() lets a study that was put back be complete again, and no other content", () => {
  const deleted = { source_deleting_at: T1, source_deleted_at: T1 };
  const back = { incarnation: "other", completed_at: T2 };
  assert.equal(why(record(deleted), entry("a", back)), "ok");
  assert.equal(why(record(), entry("a", back)), "ok", "the folder was replaced before it was freed");
  assert.match(why(record(deleted), entry("a", { ...back, sidecar_sha256: "07".repeat(32) })), /another content/);
  const unsealed = { sidecar_sha256: null };
  assert.match(why(record({ ...deleted, ...unsealed }), entry("a", { ...back, ...unsealed })), /another content/);
  assert.match(why(record({ source_deleting_at: T1 }), entry("a", back)), /another content/, "a destroy is open");
  assert.match(why(record(), entry("a", { ...back, source_deleting_at: T2 })), /another content/);
  assert.match(why(record(deleted), entry("a", { completed_at: T2 })), /would be forgotten/, "the same incarnation");
  const { s3 } = entry("a").places;
  assert.match(why(record(deleted), entry("a", { ...back, places: { s3 } })), /lost the place/);
});

Deno.test("S4 mayFollow() refuses a complete record that proves less", () => {
  const { truenas, s3 } = entry("a").places;
  assert.match(why(record(), entry("a", { file_count: 2 })), /fewer than before/);
  assert.match(why(record(), entry("a", { total_bytes: 1 })), /fewer than before/);
  assert.match(why(record(), entry("a", { sidecar_sha256: null })), /lost its sidecar/);
  assert.match(why(record(), entry("a", { places: { truenas } })), /lost the place "s3"/);
  const weak = { truenas: { ...truenas, guarantee: "cached-read" as const }, s3 };
  assert.match(why(record(), entry("a", { places: weak })), /proved less strongly/);
  assert.match(why(record(), entry("a", { places: { truenas, s3: { ...s3, verified_at: null } } })), /less strongly/);
  const more = { truenas, s3, tape: { ...s3, uri: "tape:1" } };
  assert.equal(why(record(), entry("a", { places: more, completed_at: T1 })), "ok");
  const evicting = { truenas_evicting_at: T1, truenas_evicted_at: T1 };
  assert.equal(
    why(record({ truenas_evicting_at: T1 }), entry("a", { ...evicting, places: { s3 } })),
    "ok",
    "the freed place may leave the record",
  );
});
