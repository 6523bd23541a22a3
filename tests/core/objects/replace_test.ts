import assert from "node:assert/strict";
import { mustShareClock, storeClockOffset } from "../../../core/objects/clock_skew.ts";
import { proveObject } from "../../../core/objects/prove.ts";
import { replaceObject } from "../../../core/objects/replace.ts";
import { memoryStore } from "../../kit/memory_object_store.ts";
import { instantClock, patternBytes, testSession } from "../../kit/object_session.ts";

const KEY = "data/_manifests/2026-01.jsonl";

Deno.test("S12 replaceObject() lets the mirror grow and never shrink", async () => {
  const store = memoryStore();
  const session = testSession(store);
  await replaceObject(session, { key: KEY, bytes: patternBytes(100) });
  const grown = await replaceObject(session, { key: KEY, bytes: patternBytes(200) });
  assert.equal(grown.guarantee, "server-checksum");
  assert.deepEqual(store.objects.get(KEY)!.bytes, patternBytes(200));
  await assert.rejects(replaceObject(session, { key: KEY, bytes: patternBytes(199) }), { code: "s3/mirror-shrinks" });
  assert.equal(store.objects.get(KEY)!.bytes.length, 200);
});

Deno.test("proveObject() reads back the version it is asked for", async () => {
  const store = memoryStore({ versioned: true });
  const session = testSession(store);
  const bytes = patternBytes(30);
  const { sha256, versionId } = await replaceObject(session, { key: KEY, bytes });
  const expected = { key: KEY, size: 30, sha256 };
  assert.equal((await proveObject(session, { ...expected, versionId })).guarantee, "read-back");
  await assert.rejects(proveObject(session, { ...expected, versionId: "v0" }), { code: "s3/mismatch" });
  await assert.rejects(proveObject(session, { ...expected, size: 31 }), { code: "s3/mismatch" });
  await assert.rejects(proveObject(session, { ...expected, key: "absent" }), { code: "s3/not-found" });
  await assert.rejects(
    proveObject(session, { ...expected, sha256: "00".repeat(32) }),
    /its SHA-256 is [0-9a-f]{64}, wanted 30 bytes with SHA-256 0{64}/,
  );
});

Deno.test("storeClockOffset() says how far this computer is ahead", async () => {
  const clock = instantClock(Date.UTC(2026, 0, 1, 12, 0, 0, 500));
  let ahead = 0;
  const session = testSession(memoryStore({ now: () => Date.UTC(2026, 0, 1, 12) - ahead }), { clock });
  assert.equal(await storeClockOffset(session), 0);
  ahead = 22 * 60_000;
  assert.equal(await storeClockOffset(session), 22 * 60_000);
});

Deno.test("S13 mustShareClock() refuses clocks more than five minutes apart", async () => {
  const clock = instantClock();
  let behind = 4 * 60_000;
  const session = testSession(memoryStore({ now: () => clock.time + behind }), { clock });
  await mustShareClock(session);
  behind = 6 * 60_000;
  await assert.rejects(mustShareClock(session), (error: Error & { code?: string }) => {
    assert.equal(error.code, "s3/clock-skew");
    assert.match(error.message, /this computer is 6 min behind, wanted less than 5 min apart$/);
    return true;
  });
});
