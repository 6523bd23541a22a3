/**
 * Keys of objects: `<prefix>/<backup name>/<relative path>`, `/`-separated; a folder without files is `<dir>/`.
 * @module
 */
import type { PlaceDeclaration } from "../contract.ts";
import { PipelineError } from "../errors.ts";

const MAX_KEY_BYTES = 1024;

/** Returns `prefix` without leading and with one trailing `/`; empty stays empty. */
export function normalPrefix(prefix: string): string {
  const bare = prefix.replace(/^\/+|\/+$/g, "");
  return bare === "" ? "" : `${bare}/`;
}

/** Returns a declared place with its prefix normal, so that stages may pass on what an operator wrote. */
export function normalPlace(place: PlaceDeclaration): PlaceDeclaration {
  return place.kind === "objects" ? { ...place, prefix: normalPrefix(place.prefix) } : place;
}

/** Returns the key prefix of a backup, with its trailing `/`: `study1/` is not a prefix of `study10/`. */
export function itemPrefix(prefix: string, backupName: string): string {
  if (backupName === "" || backupName === "." || backupName === ".." || backupName.includes("/")) {
    throw new TypeError(`Cannot make a key for "${backupName}": wanted one path segment`);
  }
  return `${normalPrefix(prefix)}${backupName}/`;
}

/**
 * Returns the key of a file (or, with a trailing `/`, of an empty folder) of a backup.
 * @throws {PipelineError} `s3/key-too-long` above 1,024 bytes of UTF-8, `s3/bad-key` for text that is not well formed.
 */
export function objectKey(prefix: string, backupName: string, path: string): string {
  const key = itemPrefix(prefix, backupName) + path;
  if (!key.isWellFormed()) {
    throw new PipelineError("s3/bad-key", `Cannot upload "${path}": its name is not valid text`, {
      hint: "Rename the file or folder at the source.",
    });
  }
  const bytes = new TextEncoder().encode(key).length;
  if (bytes <= MAX_KEY_BYTES) return key;
  throw new PipelineError(
    "s3/key-too-long",
    `Cannot upload "${path}": its key has ${bytes} bytes, wanted at most ${MAX_KEY_BYTES}`,
    { hint: "Shorten the prefix in the configuration, or the names of the folders." },
  );
}

/** Returns where an object is, for evidence and words; `storeUri` is `s3://bucket`. */
export function objectUri(storeUri: string, key: string): string {
  return `${storeUri}/${key}`;
}

/** Orders keys as stores list them: by bytes of UTF-8, which is the order of code points. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    // Surrogates stand for code points above every other unit, though their numbers are smaller.
    const leftHigh = left >= 0xd800 && left <= 0xdfff;
    const rightHigh = right >= 0xd800 && right <= 0xdfff;
    return leftHigh === rightHigh ? left - right : leftHigh ? 1 : -1;
  }
  return a.length - b.length;
}

/** Returns a key just below `key`, to list from `key` onwards where stores only offer "after". */
export function keyBefore(key: string): string | undefined {
  const points = Array.from(key);
  const last = points.pop()?.codePointAt(0);
  if (last === undefined) return undefined;
  const stem = points.join("");
  // Characters below "!" and beside the surrogates are avoided: not every store takes them in a listing.
  if (last <= 0x21 || last > 0xd7ff) return stem === "" ? undefined : stem;
  return `${stem}${String.fromCodePoint(last - 1)}\u{10fffd}`;
}
