import assert from "node:assert/strict";
import { proveObject } from "../../../core/objects/prove.ts";
import { bytesSource } from "../../../core/objects/source.ts";
import { uploadObject } from "../../../core/objects/upload.ts";
import { memoryStore } from "../../../testing/memory_object_store.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { testSession } from "../../kit/object_session.ts";

const KEY = "data/study1/a.tif";

Deno.test("proveObject() reads back the version it is asked for", async () => {
  const store = memoryStore({ versioned: true });
  const session = testSession(store);
  const bytes = patternBytes(30);
  const { sha256, versionId } = await uploadObject(session, {
    key: KEY,
    source: bytesSource("a.tif", bytes),
    incarnation: "i1",
  });
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
