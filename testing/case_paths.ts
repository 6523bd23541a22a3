/** Paths as cases write them: the place, then the path within it. @module */
import { MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT } from "./world.ts";

/** Root of the second host's instrument. */
export const OTHER_ROOT = "/instrument-2/studies";
/** The log of the instrument, where cases have one. */
export const LOG_FILE = "/instrument/Fusion.log";
/** Folder of the lists of recipients. */
export const RECIPIENTS_ROOT = "/state/recipients";
/** Prefix of the keys of the world's bucket. */
export const BUCKET_PREFIX = "fusion";

/** First words of paths, and what they mean. The bucket has keys instead. */
const ROOTS: Readonly<Record<string, string>> = {
  source: SOURCE_ROOT,
  other: OTHER_ROOT,
  nas: NAS_ROOT,
  manifests: MANIFEST_ROOT,
  instrument: "/instrument",
};

/** The first words of paths. */
export const PLACE_WORDS: readonly string[] = [...Object.keys(ROOTS), "bucket"];

/** A file of the scratch world: a path of its disk, or a key of its bucket. */
export type CasePath = { kind: "file"; path: string } | { kind: "object"; key: string };

/** Returns what a path of a case means; undefined when it begins with no place. */
export function casePath(written: string, places: readonly string[]): CasePath | undefined {
  const slash = written.indexOf("/", 1);
  if (slash < 0 || slash === written.length - 1 || /(^|\/)\.{1,2}(\/|$)/.test(written)) return undefined;
  if (written.startsWith("/")) {
    return places.some((root) => written.startsWith(`${root}/`)) ? { kind: "file", path: written } : undefined;
  }
  const [word, rest] = [written.slice(0, slash), written.slice(slash + 1)];
  if (word === "bucket") {
    return { kind: "object", key: rest.startsWith("/") ? rest.slice(1) : `${BUCKET_PREFIX}/${rest}` };
  }
  return Object.hasOwn(ROOTS, word) ? { kind: "file", path: `${ROOTS[word]}/${rest}` } : undefined;
}
