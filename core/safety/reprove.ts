/**
 * Mints evidence anew from the sidecar whose hash the ledger holds, by reading every byte of every place again. Used
 * when the journal was lost in the middle of a destroy: what the journal says is then void (SAFETY S5 d).
 * @module
 */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { ItemScope, Place, SidecarLine } from "../places/place.ts";
import type { Clock } from "../ports.ts";
import { identityOf } from "./incarnation.ts";

export interface ReproveServices {
  fs: FileSystem;
  clock: Clock;
  /** Places the ledger names: each must hold every file. */
  places: readonly Place[];
  /** Places that may hold the study too; evidence of one that does not is left out. */
  further: readonly Place[];
  /** UUID of the source root's marker. */
  sourceUuid: string;
}

/** How many lines are proved, and their evidence written, at a time. */
const LINES_AT_ONCE = 256;

/**
 * Replaces the journal's evidence of an item whose destroy at the source was begun. Files that are gone from the
 * source keep a row without an identity: they count, and can never be removed again.
 * @throws {PipelineError} `reprove/no-sidecar`, `reprove/mismatch`
 */
export async function reproveFromSidecar(
  services: ReproveServices,
  scope: ItemScope,
  record: LedgerRecord,
): Promise<void> {
  const { evidence, item, signal } = scope;
  await evidence.remove(item.id);
  const keeper = await placeWithSidecar(services.places, scope, record);
  const further = new Set(services.further);
  let batch: SidecarLine[] = [];
  const prove = async () => {
    if (batch.length === 0) return;
    for (const place of services.places) await place.reprove(scope, batch);
    for (const place of further) {
      if (!await reproveIfHeld(place, scope, batch)) further.delete(place);
    }
    const sizes = await evidence.getMany(item.id, keeper.id, batch.map((line) => line.path));
    const sources: Evidence[] = [];
    for (const line of batch) {
      sources.push(await sourceEvidence(services, scope, { line, size: sizes.get(line.path)?.size }));
    }
    await evidence.put(item.id, sources);
    batch = [];
  };
  for await (const line of keeper.readSidecar(item.name, record.sidecar_sha256 ?? "", signal)) {
    batch.push(line);
    if (batch.length >= LINES_AT_ONCE) await prove();
  }
  await prove();
}

async function reproveIfHeld(place: Place, scope: ItemScope, lines: readonly SidecarLine[]): Promise<boolean> {
  try {
    await place.reprove(scope, lines);
    return true;
  } catch (error) {
    scope.signal.throwIfAborted();
    if (!(error instanceof PipelineError) || error.stopsRun !== undefined || error.code === "run/stopped") {
      throw error;
    }
    scope.log.warn(`${scope.item.name}: ${place.id} does not count for its removal: ${error.message}`);
    await scope.evidence.remove(scope.item.id, place.id);
    return false;
  }
}

async function placeWithSidecar(places: readonly Place[], scope: ItemScope, record: LedgerRecord): Promise<Place> {
  for (const place of places) {
    for await (const _ of place.readSidecar(scope.item.name, record.sidecar_sha256 ?? "", scope.signal)) return place;
  }
  throw new PipelineError(
    "reprove/no-sidecar",
    `Cannot prove "${scope.item.name}" again: no place holds the sidecar ${record.sidecar_sha256} that the ledger names`,
    { hint: "Nothing is removed while that is so. Look for the study's _checksums.sha256 at its places." },
  );
}

async function sourceEvidence(
  { fs, clock, sourceUuid }: ReproveServices,
  scope: ItemScope,
  { line, size }: { line: SidecarLine; size: number | undefined },
): Promise<Evidence> {
  const path = itemPath(scope.item.root, line.path);
  const stat = await fs.lstat(path);
  const base = {
    path: line.path,
    sha256: line.sha256,
    place: SOURCE_PLACE,
    placeUuid: sourceUuid,
    uri: path,
    level: "proved" as const,
    guarantee: "cached-read" as const,
    at: new Date(clock.now()).toISOString(),
  };
  if (!stat) return { ...base, size: size ?? 0 };
  const hashed = await hashFile(fs, path, { fresh: false, signal: scope.signal });
  if (hashed.sha256 !== line.sha256) {
    throw new PipelineError(
      "reprove/mismatch",
      `Cannot go on removing "${scope.item.name}": "${line.path}" holds other bytes than the archive`,
      { hint: "The file stays. It changed after the backup: keep it under another study name." },
    );
  }
  return { ...base, size: hashed.after.size, identity: identityOf(hashed.after) };
}
