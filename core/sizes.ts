/** Sizes in words. Pure. @module */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * Bytes for people: `0 B`, `1.5 MiB`, `123 GiB`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatSize } from "labferry";
 *
 * assert.equal(formatSize(1_572_864), "1.5 MiB");
 * ```
 */
export function formatSize(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // 1023.95 would be shown as 1024.0: that is one of the next unit.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
