import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { explain, spanInWords } from "../../../core/objects/explain.ts";
import { ObjectStoreError, type StoreErrorKind } from "../../../core/objects/object_store.ts";

const NOW = Date.UTC(2026, 4, 1, 12, 0, 0);

function explained(kind: StoreErrorKind, options: { serverDate?: Date } = {}): PipelineError {
  const error = explain(new ObjectStoreError(kind, "words of the store", options), {
    verb: "upload",
    thing: "s3://b/k",
    now: NOW,
  });
  assert.ok(error instanceof PipelineError);
  return error;
}

Deno.test("explain() names both clocks and the difference", () => {
  const error = explained("clock-skew", { serverDate: new Date(NOW + 22 * 60_000) });
  assert.equal(error.code, "s3/clock-skew");
  assert.equal(
    error.message,
    'Cannot upload "s3://b/k": this computer says 2026-05-01T12:00:00.000Z, the store says 2026-05-01T12:22:00.000Z, ' +
      "this computer is 22 min behind, wanted less than 15 min apart",
  );
  assert.match(error.hint!, /clock/);
});

Deno.test("explain() has a code, words and a hint for every kind", () => {
  const codes: Record<StoreErrorKind, string> = {
    "not-found": "s3/not-found",
    "no-bucket": "s3/no-bucket",
    denied: "s3/denied",
    "bad-digest": "s3/bad-digest",
    precondition: "s3/conflict",
    conflict: "s3/busy",
    "clock-skew": "s3/clock-skew",
    throttled: "s3/throttled",
    unreachable: "s3/unreachable",
    "bad-request": "s3/refused",
    unsupported: "s3/unsupported",
    archived: "s3/archived",
    stopped: "run/stopped",
  };
  for (const [kind, code] of Object.entries(codes)) {
    const error = explained(kind as StoreErrorKind);
    assert.equal(error.code, code);
    assert.match(error.message, /^Cannot upload "s3:\/\/b\/k": .*[^.]$/);
    assert.ok(error.hint!.endsWith("."));
    assert.ok(error.cause instanceof ObjectStoreError);
  }
});

Deno.test("explain() calls transient what may pass by itself", () => {
  assert.equal(explained("throttled").retry, "transient");
  assert.equal(explained("unreachable").retry, "transient");
  assert.equal(explained("denied").retry, "permanent");
});

Deno.test("explain() returns other errors as they are", () => {
  const bug = new TypeError("a bug");
  assert.equal(explain(bug, { verb: "upload", thing: "x", now: NOW }), bug);
});

Deno.test("spanInWords() picks a fitting unit", () => {
  const spans = [90_000, 22 * 60_000, 5 * 3_600_000, 72 * 3_600_000].map(spanInWords);
  assert.deepEqual(spans, ["90 s", "22 min", "5 h", "3 days"]);
});
