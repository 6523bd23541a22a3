/**
 * Confirms that objects are as they were at their proof (SAFETY S5b, S21): by listing, and by asking for each version
 * where the store keeps versions.
 * @module
 */
import type { Evidence } from "../evidence.ts";
import { compareKeys, keyBefore, objectUri } from "./keys.ts";
import { linkedAbort } from "./_linked_abort.ts";
import type { ListedObject } from "./object_store.ts";
import { inWords, type ObjectSession, request } from "./session.ts";

/** An object that is not as it was at its proof. */
export interface RecheckProblem {
  path: string;
  key: string;
  /** For people: `it is gone`, `it has 5 bytes and had 7`. */
  why: string;
}

export interface RecheckResult {
  confirmed: number;
  problems: RecheckProblem[];
}

/**
 * Compares up to 1,000 rows of evidence of one backup with the store. A row counts only if size, ETag and VersionId are
 * those at its proof; a row without an ETag, or that is not of this bucket and prefix, is a problem.
 * @param options `prefix`: of the item, ending in `/`, so that `study1/` never stands for `study10/`.
 */
export function recheckObjects(
  session: ObjectSession,
  options: { prefix: string; evidence: Iterable<Evidence> },
): Promise<RecheckResult> {
  const { prefix } = options;
  if (!prefix.endsWith("/")) throw new TypeError(`Cannot recheck under "${prefix}": wanted a prefix that ends in "/"`);
  return inWords(session, { verb: "recheck", key: prefix }, async () => {
    const rows = [...options.evidence].map((row) => ({ row, key: prefix + row.path }));
    rows.sort((a, b) => compareKeys(a.key, b.key));
    const listed = rows.length === 0 ? new Map() : await listBetween(session, prefix, rows.map(({ key }) => key));
    const problems: RecheckProblem[] = [];
    const versioned: typeof rows = [];
    for (const { row, key } of rows) {
      const why = differs(session, { row, key }, listed.get(key));
      if (why) problems.push({ path: row.path, key, why });
      else if (row.versionId) versioned.push({ row, key });
    }
    await checkVersions(session, versioned, problems);
    return { confirmed: rows.length - problems.length, problems };
  });
}

/** Lists from the first to the last of the sorted `keys` and returns what was found of them. */
async function listBetween(
  session: ObjectSession,
  prefix: string,
  keys: readonly string[],
): Promise<Map<string, ListedObject>> {
  const wanted = new Set(keys);
  const last = keys[keys.length - 1];
  const found = new Map<string, ListedObject>();
  // A listing that breaks off goes on behind the last key it gave.
  let startAfter = keyBefore(keys[0]);
  if (startAfter !== undefined && compareKeys(startAfter, prefix) < 0) startAfter = undefined;
  await request(session, `list "${prefix}"`, async () => {
    for await (const object of session.store.list(prefix, session.signal, { startAfter })) {
      startAfter = object.key;
      if (wanted.has(object.key)) found.set(object.key, object);
      if (compareKeys(object.key, last) >= 0) break;
    }
  });
  return found;
}

function differs(
  session: ObjectSession,
  proved: { row: Evidence; key: string },
  now: ListedObject | undefined,
): string | undefined {
  const { row, key } = proved;
  const uri = objectUri(session.store.uri, key);
  if (row.uri !== uri) return `its evidence is of ${row.uri}`;
  if (!row.etag) return "its evidence has no ETag";
  if (!now) return "it is gone";
  if (now.size !== row.size) return `it has ${now.size} bytes and had ${row.size}`;
  return now.etag === row.etag ? undefined : `its ETag is ${now.etag} and was ${row.etag}`;
}

/** A listing shows no versions: the current one of each key is asked for, a few at once. */
async function checkVersions(
  session: ObjectSession,
  rows: readonly { row: Evidence; key: string }[],
  problems: RecheckProblem[],
): Promise<void> {
  const left = rows[Symbol.iterator]();
  using linked = linkedAbort(session.signal);
  const { signal } = linked;
  const narrow = { ...session, signal };
  const work = async () => {
    for (const { row, key } of left) {
      const info = await request(narrow, `look at "${key}"`, () => session.store.head(key, signal));
      const why = !info
        ? "it is gone"
        : info.versionId !== row.versionId
        ? `its version is ${info.versionId} and was ${row.versionId}`
        : undefined;
      if (why) problems.push({ path: row.path, key, why });
    }
  };
  let failed: { error: unknown } | undefined;
  // The first failure ends the others, and nothing of this goes on behind the caller's back.
  await Promise.all(
    Array.from({ length: Math.max(1, session.settings.parallel) }, () =>
      work().catch((error) => {
        failed ??= { error };
        linked.abort("another look failed");
      })),
  );
  if (failed) throw failed.error;
}
