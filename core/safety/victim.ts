/** What a destroy acts on, and with. @module */
import type { FileSystem } from "../io/file_system.ts";
import type { Journal } from "../journal/journal.ts";
import type { Ledger } from "../ledger/record.ts";
import type { LedgerSoundness } from "../ledger/soundness.ts";
import type { Place } from "../places/place.ts";
import type { Clock } from "../ports.ts";
import type { MarkedRoot } from "./roots.ts";

/** What a destroy is done to, and the hooks into what only its owner knows. */
export interface Victim {
  /** Id of the place that is freed. */
  id: string;
  /** OS path of the item's folder there. */
  root: string;
  /** The root that the item lies in. */
  within: Pick<MarkedRoot, "path" | "uuid">;
  /** Ledger fields that say the destroy began and ended. */
  begun: "source_deleting_at" | "truenas_evicting_at";
  ended: "source_deleted_at" | "truenas_evicted_at";
  /** It is a copy at a place: it must hold the archive's list of checksums, and may go once only. */
  isCopy?: true;
  /** SAFETY S1: the victim's root is what it was. */
  check(): Promise<void>;
  /** The clock that stamps its files (ms since 1970), where that is not this host's; null where it tells none. */
  now?(): Promise<number | null>;
  /** Throws unless this process still holds the item (SAFETY S10). */
  assertLocked(): Promise<void>;
  /** Throws unless the name is this incarnation's everywhere; without it, the survivors are asked, and a free name is claimed. */
  assertClaims?(signal: AbortSignal): Promise<void>;
  /** Gives the item's lock back, so that its folder is empty. */
  unlock(): Promise<void>;
  /** Takes it again where the folder could not go, unless nobody is left to give it back; never throws. */
  lockAgain(signal: AbortSignal): Promise<void>;
}

export interface DestroyServices {
  fs: FileSystem;
  clock: Clock;
  journal: Journal;
  ledger: Ledger;
  /** Whether the ledger is what was written to it. */
  soundness?: LedgerSoundness;
  /** Every place of the pipeline but the victim. */
  survivors: readonly Place[];
  /** Ids of the places that the pipeline seals, the victim's among them or not. */
  seals: ReadonlySet<string>;
  /** SAFETY S2: victim and survivors are distinct roots on what they were at the start. */
  assertDistinct(): Promise<void>;
}
