import assert from "node:assert/strict";
import { bytesSource, type UploadSource } from "../../../core/objects/source.ts";
import { uploadObject } from "../../../core/objects/upload.ts";
import { memoryStore } from "../../../testing/memory_object_store.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { memoryUploads, testSession } from "../../kit/object_session.ts";
import { BIG, code, hex, KEY, upload } from "./_upload.ts";

/** A source whose file changes while it is read. */
function changing(bytes: Uint8Array, how: "stat" | "name" | "short" | "gone"): UploadSource {
  const source = bytesSource("a.tif", bytes);
  const identity = { dev: 1, ino: 2, size: bytes.length, mtimeMs: 3, ctimeMs: 4000 };
  let stats = 0;
  return {
    ...source,
    stat: () => Promise.resolve(how === "gone" ? undefined : how === "name" ? { ...identity, ino: 9 } : identity),
    open: async () => {
      const handle = await source.open();
      let left = how === "short" ? bytes.length - 1 : bytes.length;
      return {
        read: async (buffer) => {
          const got = await handle.read(buffer.subarray(0, Math.min(buffer.length, left)));
          left -= got;
          return got;
        },
        stat: () => Promise.resolve(how === "stat" && stats++ > 0 ? { ...identity, mtimeMs: 5 } : identity),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  };
}

for (const bytes of [patternBytes(100), BIG]) {
  for (const how of ["stat", "name", "short", "gone"] as const) {
    Deno.test(`S9 uploadObject() makes no object of ${bytes.length} bytes from a source that changes (${how})`, async () => {
      const store = memoryStore();
      const journal = memoryUploads();
      const session = testSession(store, { journal });
      const source = changing(bytes, how);
      await assert.rejects(
        uploadObject(session, upload(bytes, { source, sha256: hex(bytes) })),
        code("s3/source-changed"),
      );
      assert.ok(!store.objects.has(KEY));
      assert.equal(store.uploads.size, 0);
      assert.equal(journal.rows.size, 0);
      assert.equal(session.budget.held, 0);
      assert.equal(session.gate.held, 0);
    });
  }
}

Deno.test("S9 uploadObject() makes no object from a source that is not what its evidence says", async () => {
  for (const bytes of [patternBytes(100), BIG]) {
    const store = memoryStore();
    await assert.rejects(
      uploadObject(testSession(store), upload(bytes, { sha256: hex(patternBytes(5)) })),
      code("s3/source-changed"),
    );
    assert.ok(!store.objects.has(KEY));
    assert.equal(store.uploads.size, 0);
  }
});
