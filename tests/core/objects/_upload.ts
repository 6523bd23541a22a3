/** What the tests of uploads share: objects of one part and of several, and requests to upload them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PipelineError } from "../../../core/errors.ts";
import { bytesSource } from "../../../core/objects/source.ts";
import { patternBytes } from "../../../testing/doubles.ts";

export const MIB = 2 ** 20;
/** Three parts of 5 MiB at most. */
export const BIG = patternBytes(12 * MIB + 345);
export const KEY = "backups/s/a.tif";

export const hex = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const base64 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");

/** For `assert.rejects()`. */
export const code = (wanted: string) => (error: unknown) => {
  assert.ok(error instanceof PipelineError, String(error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

export const upload = (bytes: Uint8Array, more = {}) => ({
  key: KEY,
  source: bytesSource("a.tif", bytes),
  incarnation: "i1",
  ...more,
});
