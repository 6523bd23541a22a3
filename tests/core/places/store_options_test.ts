import assert from "node:assert/strict";
import { LARGEST_PART_BYTES } from "../../../core/contract.ts";
import { storeOptions } from "../../../core/places/store_options.ts";
import { s3 } from "../../../plugins/stores/s3.ts";

const declared = (options: Record<string, string>, partSize: number) => ({
  kind: "objects" as const,
  id: "archive",
  store: "s3",
  options,
  prefix: "",
  upload: { verify: "auto" as const, partSize, parallel: 4 },
});

Deno.test("storeOptions() names the option that the store refuses", () => {
  assert.throws(() => storeOptions(s3, declared({ bucket: "s3://b" }, 8 * 2 ** 20)), {
    code: "options/bad-value",
    message: /place "archive": its option "bucket" is "s3:\/\/b"/,
  });
});

Deno.test("storeOptions() refuses parts that the memory of a run does not hold, of whatever stage", () => {
  assert.equal(storeOptions(s3, declared({ bucket: "lab-archive" }, LARGEST_PART_BYTES)).bucket, "lab-archive");
  assert.throws(() => storeOptions(s3, declared({ bucket: "lab-archive" }, LARGEST_PART_BYTES + 1)), {
    code: "options/bad-value",
    message: /its parts have 67108865 bytes, wanted at most 67108864/,
  });
});
