/** What a record of an item says of its places, from evidence and never from a stage. @module */
import type { EvidenceTotals } from "../evidence.ts";
import { strengthOf } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { follow } from "../ledger/entry.ts";
import type { PlaceState } from "../ledger/entry.ts";
import type { LedgerEntry, LedgerPlace, LedgerRecord } from "../ledger/record.ts";
import type { ItemScope, Place } from "../places/place.ts";
import { walkStudy } from "../safety/own_sidecar.ts";

/** The places that hold anything of the item. Only one that holds all of it proved is said to be verified. */
export async function placeStates(
  places: readonly Place[],
  scope: ItemScope,
  { source, whole }: { source: EvidenceTotals; whole: boolean },
): Promise<PlaceState[]> {
  const states: PlaceState[] = [];
  for (const place of places) {
    const totals = await scope.evidence.totals(scope.item.id, place.id);
    if (totals.files === 0) continue;
    const all = whole && totals.files === source.files && totals.bytes === source.bytes;
    const guarantee = all ? totals.weakest ?? "none" : "none";
    states.push({
      id: place.id,
      kind: place.kind,
      uri: place.uri(scope.item.name),
      verifiedAt: guarantee === "none" ? null : totals.latestAt,
      guarantee,
    });
  }
  return states;
}

/** Whether the journal knows as many files of the source as there are. A study that cannot be listed is not known. */
export async function knowsAllFiles(fs: FileSystem, scope: ItemScope, source: EvidenceTotals): Promise<boolean> {
  if (source.files === 0) return false;
  let files = 0;
  try {
    for await (const entry of walkStudy(fs, scope)) {
      if (entry.kind !== "directory") files++;
    }
  } catch {
    return false; // why it cannot be listed is the business of the stage that failed over it
  }
  return files === source.files;
}

/**
 * A `complete` record with the places that it does not name yet, or that were proved more strongly or moved since;
 * undefined when it says all of that already. Places of other pipelines stay.
 */
export function withPlaces(record: LedgerRecord, states: readonly PlaceState[]): LedgerEntry | undefined {
  const changes: Partial<LedgerEntry> = {};
  const places: Record<string, LedgerPlace> = { ...record.places };
  for (const { id, kind, uri, verifiedAt, guarantee } of states) {
    const standing = Object.hasOwn(places, id) ? places[id] : undefined;
    const again = kind === "directory" && uri === record.truenas_path && isRefilled(record, verifiedAt) &&
      (standing === undefined || rank(standing) <= rank({ guarantee }));
    if (standing?.uri === uri && rank(standing) >= rank({ guarantee }) && !again) continue;
    // What was evicted and is proved there again may be evicted again.
    if (again) Object.assign(changes, { truenas_evicting_at: null, truenas_evicted_at: null });
    places[id] = { uri, verified_at: verifiedAt, guarantee };
    changes.places = places;
    if (kind === "directory" && isOf(record.truenas_path, standing)) {
      changes.truenas_path = uri;
      changes.truenas_verified_at = verifiedAt;
    }
    if (kind === "objects" && isOf(record.s3_uri, standing)) {
      changes.s3_uri = uri;
      changes.s3_verified_at = verifiedAt;
    }
  }
  return changes.places === undefined ? undefined : follow(record, changes);
}

/** Whether the place was freed, and proved to hold everything after that. */
function isRefilled({ truenas_evicted_at: evicted }: LedgerRecord, verifiedAt: string | null): boolean {
  return evicted !== null && verifiedAt !== null && Date.parse(verifiedAt) > Date.parse(evicted);
}

/** `truenas_*` and `s3_*` speak of one place each: the one they name, or the first when they name none. */
function isOf(named: string | null, standing: LedgerPlace | undefined): boolean {
  return named === null || named === standing?.uri;
}

function rank({ guarantee }: Pick<LedgerPlace, "guarantee">): number {
  return ["none", "weak", "strong"].indexOf(strengthOf(guarantee));
}
