/**
 * The seals a `complete` record rests on, looked at again before anything is destroyed (SAFETY, the lattice): the record
 * falls with the list of checksums at any place that it names as proved.
 * @module
 */
import { PipelineError } from "../errors.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { ItemScope, Place } from "../places/place.ts";

export interface SealServices {
  survivors: readonly Place[];
  /** Ids of the places that the pipeline seals. */
  seals: ReadonlySet<string>;
}

/** Places that the record names as proved and the pipeline seals, and that lack the list of checksums it names. */
export async function unsealedPlaces(
  { survivors, seals }: SealServices,
  scope: ItemScope,
  record: LedgerRecord,
): Promise<Place[]> {
  const named = Object.values(record.places).filter((place) => place.verified_at !== null).map((place) => place.uri);
  const lacking: Place[] = [];
  for (const place of survivors) {
    // One that came later, or that no stage seals, is not what the record rests on.
    if (!seals.has(place.id) || !named.includes(place.uri(scope.item.name))) continue;
    if (!await place.holdsSidecar(scope, record.sidecar_sha256 ?? "")) lacking.push(place);
  }
  return lacking;
}

/**
 * `whole`: the evidence of a place, all of it, must make that list too; what was seen to do so is not read again.
 * @throws {PipelineError} `destroy/not-sealed`
 */
export async function assertSealed(
  services: SealServices,
  scope: ItemScope,
  { record, victim, whole }: { record: LedgerRecord; victim: string; whole: boolean },
): Promise<void> {
  const { item } = scope;
  const refuse = (found: string) =>
    new PipelineError("destroy/not-sealed", `Cannot remove "${item.name}" from ${victim}: ${found}`, {
      hint: "Nothing more was removed. Run again: the stage that seals the place writes its list of checksums again. " +
        "Find out who changed it.",
    });
  const lacking = await unsealedPlaces(services, scope, record);
  if (lacking.length > 0) {
    const where = lacking.map((place) => `${place.id} ("${place.uri(item.name, SIDECAR_NAME)}")`).join(", ");
    throw refuse(`the list of checksums that the ledger names is no longer at ${where}`);
  }
  if (!whole) return;
  for (const place of services.survivors) {
    if ((await place.sealed(scope))?.sha256 === record.sidecar_sha256) return;
  }
  throw refuse("no place holds the sidecar that the ledger names");
}
