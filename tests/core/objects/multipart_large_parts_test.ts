import assert from "node:assert/strict";
import { LARGEST_PART_BYTES } from "../../../core/contract.ts";
import { Budget } from "../../../core/objects/budget.ts";
import { DEFAULT_BUDGET_BYTES } from "../../../core/objects/session.ts";
import { bytesSource, hashSource, type UploadSource } from "../../../core/objects/source.ts";
import { uploadObject } from "../../../core/objects/upload.ts";
import { memoryStore } from "../../../testing/memory_object_store.ts";
import { memoryLog } from "../../../testing/doubles.ts";
import { testSession } from "../../kit/object_session.ts";
import { BIG, hex, KEY, MIB, upload } from "./_upload.ts";

const signal = new AbortController().signal;

Deno.test("a part a stage may ask for fits the memory of a run", () => {
  assert.ok(LARGEST_PART_BYTES <= DEFAULT_BUDGET_BYTES);
});

Deno.test("hashSource() hashes a part above the budget in pieces of it", async () => {
  const inner = bytesSource("a.tif", BIG);
  let largest = 0;
  const source: UploadSource = {
    ...inner,
    open: async () => {
      const handle = await inner.open();
      const read = (buffer: Uint8Array) => {
        largest = Math.max(largest, buffer.length);
        return handle.read(buffer);
      };
      return { ...handle, read };
    },
  };
  const small = await hashSource(source, { partSize: 5 * MIB, budget: new Budget(2 * MIB), signal });
  assert.equal(largest, 2 * MIB);
  assert.deepEqual(small, await hashSource(inner, { partSize: 5 * MIB, budget: new Budget(64 * MIB), signal }));
  assert.equal(small.sha256, hex(BIG));
});

Deno.test("uploadObject() sends parts above the budget one by one, and says what they take", async () => {
  const store = memoryStore();
  let running = 0;
  store.hooks = {
    before: ({ name, key }) => void (name === "uploadPart" && key === KEY && assert.equal(++running, 1)),
    after: ({ name, key }) => void (name === "uploadPart" && key === KEY && running--),
  };
  const log = memoryLog();
  const session = testSession(store, { budgetBytes: 2 * MIB, log });
  await session.trust.report(signal);
  const object = await uploadObject(session, upload(BIG));
  assert.equal(object.sha256, hex(BIG));
  assert.deepEqual(store.objects.get(KEY)?.bytes, BIG);
  const warned = log.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  assert.deepEqual(warned, [`"${KEY}" has ${BIG.length} bytes and 10,000 parts at most: each takes 5 MiB of memory`]);
});
