/** The upload protocol through the real client, against an endpoint that fails in every way networks and stores do. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { UploadSettings } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { storeClockOffset } from "../../core/objects/clock_skew.ts";
import { ObjectStoreError } from "../../core/objects/object_store.ts";
import { bytesSource } from "../../core/objects/source.ts";
import { uploadMany, uploadObject } from "../../core/objects/upload.ts";
import { type Faults, startS3Server } from "../../demo/s3_server/mod.ts";
import { s3 } from "../../plugins/stores/s3.ts";
import { ACCESS_KEY, SECRET_KEY, useTestKeys } from "../kit/keys.ts";
import { instantClock, patternBytes } from "../../testing/doubles.ts";
import { memoryUploads, testSession } from "../kit/object_session.ts";

const MIB = 2 ** 20;
const BIG = patternBytes(11 * MIB);
const KEY = "data/s/a.tif";
const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const upload = (bytes: Uint8Array) => ({ key: KEY, source: bytesSource("a.tif", bytes), incarnation: "i" });

/** A faulty endpoint with one bucket, and a session on it; both have one clock, which stands still but for its sleeps. */
async function faulty(faults: Partial<Faults> = {}, options: Partial<UploadSettings> & { accessKey?: string } = {}) {
  const { accessKey = ACCESS_KEY, ...settings } = options;
  useTestKeys();
  const clock = instantClock(Date.now());
  const server = await startS3Server({
    buckets: ["lab"],
    accessKey,
    secretKey: SECRET_KEY,
    faults,
    now: () => clock.now(),
  });
  const store = await s3.open(s3.options.parse({ bucket: "lab", endpoint: server.endpoint }));
  const journal = memoryUploads();
  const session = testSession(store, { journal, clock, ...settings });
  return {
    server,
    store,
    journal,
    session,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function faultTest(name: string, fn: () => Promise<void>): void {
  // The client's agent closes its kept connections in its own time.
  Deno.test({ name, fn, sanitizeResources: false, sanitizeOps: false });
}

const code = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof PipelineError, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

faultTest("uploadObject() gets through a store that asks to slow down", async () => {
  await using run = await faulty();
  await run.session.trust.report(run.session.signal);
  for (const [n, bytes] of [patternBytes(100), BIG].entries()) {
    run.server.faults.slowDowns = 4;
    const object = await uploadObject(run.session, { ...upload(bytes), key: `k${n}` });
    assert.equal(object.guarantee, "server-checksum");
    assert.equal(run.server.faults.slowDowns, 0);
  }
});

faultTest("uploadObject() explains a store that never stops to ask", async () => {
  await using run = await faulty();
  await run.session.trust.report(run.session.signal);
  run.server.faults.slowDowns = Infinity;
  await assert.rejects(uploadObject(run.session, upload(patternBytes(10))), code("s3/throttled"));
});

faultTest("uploadObject() sends again what a dropped connection cut off", async () => {
  await using run = await faulty();
  await run.session.trust.report(run.session.signal);
  for (const [n, at] of [1, 3 * MIB, 8 * MIB].entries()) {
    run.server.faults.dropAtByte = at;
    const object = await uploadObject(run.session, { ...upload(BIG), key: `k${n}` });
    assert.equal(run.server.faults.dropAtByte, undefined);
    assert.equal(object.guarantee, "server-checksum");
    assert.equal(object.sha256, hex(BIG));
  }
});

faultTest("S9 uploadObject() finds the object of a Complete whose answer was lost", async () => {
  await using run = await faulty();
  await run.session.trust.report(run.session.signal);
  run.server.faults.lostCompletes = 1;
  const object = await uploadObject(run.session, upload(BIG));
  assert.equal(run.server.faults.lostCompletes, 0);
  assert.equal(object.guarantee, "server-checksum");
  assert.equal(run.journal.rows.size, 0);
});

faultTest("uploadObject() finds the object of a Put whose answer was lost", async () => {
  await using run = await faulty();
  await run.session.trust.report(run.session.signal);
  run.server.faults.lostAnswers = 1;
  const probed = run.server.requests.PUT;
  const object = await uploadObject(run.session, upload(patternBytes(1000)));
  assert.equal(object.guarantee, "server-checksum");
  // The runtime's client sends once more by itself over a new connection; the protocol does not.
  assert.ok(run.server.requests.PUT - probed <= 2);
});

faultTest("S8 uploadObject() reads back from a store that ignores checksums", async () => {
  await using run = await faulty({ ignoresChecksums: true, ignoresIfNoneMatchOnComplete: true });
  for (const [n, bytes] of [patternBytes(100), BIG].entries()) {
    const object = await uploadObject(run.session, { ...upload(bytes), key: `k${n}` });
    assert.equal(object.guarantee, "read-back");
  }
});

faultTest("S8 uploadObject() catches a store that lies and stores a byte wrong", async () => {
  await using run = await faulty({ lies: true });
  for (const [n, bytes] of [patternBytes(100), BIG].entries()) {
    await assert.rejects(uploadObject(run.session, { ...upload(bytes), key: `k${n}` }), code("s3/mismatch"));
  }
});

faultTest("S8 uploadObject() looks before Complete where If-None-Match is ignored", async () => {
  await using run = await faulty({ ignoresIfNoneMatchOnComplete: true });
  assert.equal(await run.session.trust.trusts("complete-if-absent", run.session.signal), false);
  const { store, session } = run;
  const intruder = patternBytes(10);
  const sha256 = createHash("sha256").update(intruder).digest("base64");
  const uploadPart = store.uploadPart.bind(store);
  store.uploadPart = async (key, id, part, signal) => {
    // Another computer is quicker.
    if (key === KEY && part.number === 3) await store.put(KEY, intruder, { metadata: {}, sha256 }, signal);
    return await uploadPart(key, id, part, signal);
  };
  await assert.rejects(uploadObject(session, upload(BIG)), code("s3/conflict"));
  assert.equal((await store.head(KEY, session.signal))!.size, 10);
});

faultTest("S13 a wrong clock is named with both times, at every request", async () => {
  await using run = await faulty({ clockOffsetMs: 22 * 60_000 });
  for (let time = 1; time <= 2; time++) {
    await assert.rejects(
      uploadObject({ ...run.session, settings: { ...run.session.settings } }, upload(patternBytes(3))),
      (error) => {
        assert.ok(code("s3/clock-skew")(error));
        assert.match(
          (error as Error).message,
          /this computer says \d{4}-.*, the store says \d{4}-.*Z, this computer is 22 min behind/,
        );
        return true;
      },
    );
  }
  await assert.rejects(storeClockOffset(run.session), code("s3/clock-skew"));
  run.server.faults.clockOffsetMs = 7 * 60_000;
  assert.equal(Math.round((await storeClockOffset(run.session))! / 60_000), -7);
  run.server.faults.clockOffsetMs = 0;
  assert.ok(Math.abs((await storeClockOffset(run.session))!) <= 2000);
});

faultTest("a wrong key and a refused bucket are told apart from a missing one", async () => {
  {
    await using run = await faulty({}, { accessKey: "AKIAOTHER" });
    await assert.rejects(uploadObject(run.session, upload(patternBytes(3))), code("s3/denied"));
    await assert.rejects(storeClockOffset(run.session), code("s3/denied"));
  }
  {
    await using run = await faulty({ deniesAll: true });
    await assert.rejects(uploadObject(run.session, upload(patternBytes(3))), (error) => {
      assert.ok(code("s3/denied")(error));
      assert.match((error as PipelineError).hint!, /policy/);
      return true;
    });
  }
  {
    await using run = await faulty();
    const other = await s3.open(s3.options.parse({ bucket: "absent-bucket", endpoint: run.server.endpoint }));
    const session = testSession(other, { clock: instantClock(Date.now()) });
    await assert.rejects(uploadObject(session, upload(patternBytes(3))), code("s3/no-bucket"));
    await assert.rejects(storeClockOffset(session), code("s3/no-bucket"));
    await other[Symbol.asyncDispose]();
  }
});

faultTest("no error shows a key, a signature or a header of the request", async () => {
  const shown: string[] = [];
  const show = (error: unknown): void => {
    shown.push(Deno.inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error));
    if (error instanceof Error && error.cause) show(error.cause);
  };
  for (
    const [faults, accessKey] of [[{ deniesAll: true }, ACCESS_KEY], [{}, "AKIAOTHER"], [
      { slowDowns: 99 },
      ACCESS_KEY,
    ]] as const
  ) {
    await using run = await faulty(faults, { accessKey });
    await assert.rejects(uploadObject(run.session, upload(patternBytes(3))), (error) => (show(error), true));
  }
  assert.doesNotMatch(shown.join("\n"), /SECRETTEST|AKIATEST|AKIAOTHER|AWS4-HMAC|authorization/i);
});

faultTest("S19 many uploads get through a bad quarter of an hour", async () => {
  await using run = await faulty({}, { parallel: 8 });
  await run.session.trust.report(run.session.signal);
  const { faults } = run.server;
  faults.slowDowns = 10;
  faults.lostAnswers = 5;
  faults.dropAtByte = 50_000;
  const requests = Array.from({ length: 60 }, (_, n) => ({
    key: `data/s/${n}`,
    source: bytesSource(`${n}`, patternBytes(n * 997)),
    incarnation: "i",
  }));
  for await (const outcome of uploadMany(run.session, requests)) {
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.error.message);
    assert.equal(outcome.object.guarantee, "server-checksum");
  }
  const listed = await Array.fromAsync(run.store.list("data/s/", run.session.signal));
  assert.deepEqual(listed.map(({ size }) => size).sort((a, b) => a - b), requests.map((_, n) => n * 997));
});

faultTest("S21 an object in an archive class is named as such", async () => {
  await using run = await faulty({}, { storageClass: "DEEP_ARCHIVE" });
  await uploadObject(run.session, upload(patternBytes(3)));
  const error = await run.store.get(KEY, { start: 0, end: 3 }, run.session.signal).catch((error) => error);
  assert.ok(error instanceof ObjectStoreError);
  assert.equal(error.kind, "archived");
  assert.equal((await run.store.head(KEY, run.session.signal))!.storageClass, "DEEP_ARCHIVE");
});
