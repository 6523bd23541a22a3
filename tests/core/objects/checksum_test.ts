import assert from "node:assert/strict";
import {
  base64ToHex,
  choosePartSize,
  compositeSha256,
  countParts,
  EMPTY_SHA256,
  hexToBase64,
  sha256Base64,
} from "../../../core/objects/checksum.ts";
import { PipelineError } from "../../../core/errors.ts";

const MIB = 2 ** 20;

Deno.test("compositeSha256() gives what AWS gave for three parts", () => {
  const parts = [
    "lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=",
    "gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=",
    "4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM=",
  ];
  assert.equal(compositeSha256(parts), "rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3");
});

Deno.test("sha256Base64() hashes small and large bytes alike", async () => {
  assert.equal(base64ToHex(await sha256Base64(new Uint8Array(0))), EMPTY_SHA256);
  // One million times "a": the long test vector of FIPS 180-4, above the size hashed on this thread.
  const million = new Uint8Array(1_000_000).fill(0x61);
  const expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  assert.equal(base64ToHex(await sha256Base64(million)), expected);
});

Deno.test("hexToBase64() and base64ToHex() undo each other", () => {
  assert.equal(base64ToHex(hexToBase64(EMPTY_SHA256)), EMPTY_SHA256);
  assert.throws(() => hexToBase64("xyz"), TypeError);
  assert.throws(() => hexToBase64("ABCD"), TypeError);
});

Deno.test("choosePartSize() keeps what is wanted while 10,000 parts suffice", () => {
  assert.equal(choosePartSize(0, 8 * MIB), 8 * MIB);
  assert.equal(choosePartSize(10_000 * 8 * MIB, 8 * MIB), 8 * MIB);
  assert.equal(choosePartSize(10_000 * 8 * MIB + 1, 8 * MIB), 9 * MIB);
  assert.equal(choosePartSize(200 * 2 ** 30, 8 * MIB), 21 * MIB);
});

Deno.test("choosePartSize() gives whole MiB of at least 5 MiB", () => {
  assert.equal(choosePartSize(1, 1), 5 * MIB);
  assert.equal(choosePartSize(1, 5 * MIB + 1), 6 * MIB);
});

Deno.test("choosePartSize() refuses what no 10,000 parts can hold", () => {
  assert.equal(choosePartSize(10_000 * 5 * 2 ** 30, 8 * MIB), 5 * 2 ** 30);
  assert.throws(
    () => choosePartSize(10_000 * 5 * 2 ** 30 + 1, 8 * MIB),
    (error) => error instanceof PipelineError && error.code === "s3/too-large",
  );
});

Deno.test("countParts() counts at least one part", () => {
  assert.deepEqual([0, 1, 5, 6, 11].map((size) => countParts(size, 5)), [1, 1, 1, 2, 3]);
});
