/** Evidence dies with a change of its source (SAFETY, "killed by"). @module */
import { SOURCE_PLACE } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { compareBytes } from "../io/paths.ts";
import { walkTree } from "../io/walk.ts";
import type { ItemScope } from "../places/place.ts";

/** Paths forgotten in one transaction. */
const PATHS_AT_ONCE = 500;

/**
 * Forgets, at every place, evidence of files that are gone from the source or show another change identity than when
 * they were hashed. Runs before the first stage; a destroy under way is never touched by it.
 * @returns how many files lost their evidence
 */
export async function forgetChanged(fs: FileSystem, scope: ItemScope): Promise<number> {
  const { evidence, item } = scope;
  const places = await evidence.places(item.id);
  if (!places.includes(SOURCE_PLACE)) return 0;
  let stale: string[] = [], forgotten = 0;
  const forget = async () => {
    for (const place of places) await evidence.remove(item.id, place, stale);
    forgotten += stale.length;
    stale = [];
  };
  const add = async (path: string) => {
    stale.push(path);
    if (stale.length >= PATHS_AT_ONCE) await forget();
  };
  const known = evidence.list(item.id, SOURCE_PLACE)[Symbol.asyncIterator]();
  let next = await known.next();
  for await (const entry of walkTree(fs, item.root, { signal: scope.signal })) {
    while (!next.done && compareBytes(next.value.path, entry.path) < 0) {
      await add(next.value.path);
      next = await known.next();
    }
    if (next.done || next.value.path !== entry.path) continue;
    const { identity } = next.value;
    const same = entry.kind === "file" && identity && identity.size === entry.size &&
      identity.mtimeMs === entry.mtimeMs && identity.ctimeMs === entry.ctimeMs;
    if (!same) await add(entry.path);
    next = await known.next();
  }
  for (; !next.done; next = await known.next()) await add(next.value.path);
  if (stale.length > 0) await forget();
  return forgotten;
}
