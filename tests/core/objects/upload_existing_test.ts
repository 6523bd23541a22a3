import assert from "node:assert/strict";
import { uploadObject } from "../../../core/objects/upload.ts";
import { memoryStore } from "../../../testing/memory_object_store.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { memoryUploads, testSession } from "../../kit/object_session.ts";
import { BIG, code, hex, KEY, MIB, upload } from "./_upload.ts";

for (
  const [name, options] of [["enforced", {}], ["ignored", { putIfAbsent: false, completeIfAbsent: false }]] as const
) {
  for (const bytes of [patternBytes(100), BIG]) {
    const title = `uploadObject() of ${bytes.length} bytes, If-None-Match ${name},`;

    Deno.test(`${title} never overwrites other bytes`, async () => {
      const store = memoryStore(options);
      const other = patternBytes(bytes.length, 7);
      await uploadObject(testSession(store), upload(other));
      const before = store.objects.get(KEY);
      const journal = memoryUploads();
      await assert.rejects(uploadObject(testSession(store, { journal }), upload(bytes)), code("s3/conflict"));
      assert.equal(store.objects.get(KEY), before);
      assert.equal(journal.rows.size, 0);
      assert.equal(store.uploads.size, 0);
    });

    Deno.test(`${title} calls the same bytes already there`, async () => {
      const store = memoryStore(options);
      await uploadObject(testSession(store), upload(bytes));
      const before = store.objects.get(KEY);
      const again = await uploadObject(testSession(store), upload(bytes));
      assert.equal(again.existed, true);
      assert.equal(again.guarantee, "server-checksum");
      assert.equal(store.objects.get(KEY), before);
    });

    Deno.test(`${title} does not overwrite what appears at the last moment`, async () => {
      const store = memoryStore(options);
      const session = testSession(store);
      await session.trust.report(session.signal);
      const last = bytes.length > 5 * MIB ? "completeUpload" : "put";
      const enforced = name === "enforced";
      // Where nothing is enforced the last look is just before the write: what comes in between cannot be seen.
      const moment = enforced ? last : "head";
      const intruder = patternBytes(3, 9);
      let heads = 0;
      store.hooks = {
        before: (call) => {
          if (call.name !== moment || call.key !== KEY) return;
          if (moment === "head" && last === "completeUpload" && ++heads < 2) return;
          if (store.objects.has(KEY)) return;
          store.objects.set(KEY, {
            bytes: intruder,
            etag: "x",
            versionId: null,
            sha256: null,
            metadata: { sha256: hex(bytes) },
            storageClass: null,
          });
        },
      };
      await assert.rejects(uploadObject(session, upload(bytes)), code("s3/conflict"));
      assert.deepEqual(store.objects.get(KEY)!.bytes, intruder);
      assert.equal(store.uploads.size, 0);
    });
  }
}

Deno.test("S8 uploadObject() never takes our own metadata for evidence", async () => {
  const store = memoryStore();
  const bytes = patternBytes(100);
  await uploadObject(testSession(store), upload(bytes));
  const object = store.objects.get(KEY)!;
  store.objects.set(KEY, { ...object, bytes: patternBytes(100, 8), sha256: null });
  await assert.rejects(uploadObject(testSession(store), upload(bytes)), code("s3/conflict"));
});
