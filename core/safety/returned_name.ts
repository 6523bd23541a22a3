/**
 * A name that was completed before (SAFETY S3): the folder under it may only be the one that was archived, byte for
 * byte. Anything else is refused before anything is written.
 * @module
 */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { compareBytes, itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { ItemScope, Place, SidecarLine } from "../places/place.ts";
import { identitySuffices } from "./incarnation.ts";
import { Sample } from "./listing.ts";
import { walkStudy } from "./own_sidecar.ts";

/**
 * Compares the folder with the sidecar of the completed backup, which may have come back along with it. Files whose
 * evidence still stands are not read again.
 * @throws {PipelineError} `item/name-reused`
 */
export async function assertSameContent(
  fs: FileSystem,
  scope: ItemScope,
  { record, places }: { record: LedgerRecord; places: readonly Place[] },
): Promise<void> {
  const archived = await sidecarOf(record, places, scope);
  const added = new Sample(), changed = new Sample(), missing = new Sample();
  let next = await archived.next();
  for await (const entry of walkStudy(fs, scope)) {
    if (entry.kind === "directory") continue;
    while (!next.done && compareBytes(next.value.path, entry.path) < 0) {
      missing.add(next.value.path);
      next = await archived.next();
    }
    if (next.done || next.value.path !== entry.path || entry.kind !== "file") {
      added.add(entry.path);
      continue;
    }
    if (await hashOf(fs, scope, entry) !== next.value.sha256) changed.add(entry.path);
    next = await archived.next();
  }
  for (; !next.done; next = await archived.next()) missing.add(next.value.path);
  const found = [added.words("added"), changed.words("changed"), missing.words("missing")].filter((words) => words);
  if (found.length > 0) throw nameReused(scope.item.name, record, found.join("; "));
}

async function sidecarOf(
  record: LedgerRecord,
  places: readonly Place[],
  scope: ItemScope,
): Promise<AsyncIterator<SidecarLine>> {
  for (const place of places) {
    const lines = place.readSidecar(record.backup_name, record.sidecar_sha256 ?? "", scope.signal)
      [Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) continue;
    return (async function* () {
      yield first.value;
      for (let next = await lines.next(); !next.done; next = await lines.next()) yield next.value;
    })();
  }
  throw nameReused(record.backup_name, record, "no place holds the archived list of files to compare with");
}

async function hashOf(
  fs: FileSystem,
  scope: ItemScope,
  entry: { path: string; size: number; mtimeMs: number | null; ctimeMs: number | null },
): Promise<string> {
  const known = await scope.evidence.get(scope.item.id, SOURCE_PLACE, entry.path);
  const identity = known?.identity;
  const stands = known && identity && identitySuffices(known) && identity.size === entry.size &&
    identity.mtimeMs === entry.mtimeMs && identity.ctimeMs === entry.ctimeMs;
  if (stands) return known.sha256;
  return (await hashFile(fs, itemPath(scope.item.root, entry.path), { signal: scope.signal })).sha256;
}

function nameReused(name: string, record: LedgerRecord, found: string): PipelineError {
  return new PipelineError(
    "item/name-reused",
    `Cannot back up "${name}": this name was completed on ${record.completed_at} with other content: ${found}`,
    {
      hint: "Nothing was written. If this is a new study, give it a name of its own. If it is the old one with later " +
        "changes, keep the changed files under another study name; the archived ones stay as they are.",
    },
  );
}
