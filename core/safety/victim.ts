/** What the one destroy path is told of its target. @module */

/** What a destroy is done to, and the hooks into what only its owner knows. */
export interface Victim {
  /** Id of the place that is freed. */
  id: string;
  /** OS path of the item's folder there. */
  root: string;
  /** Ledger fields that say the destroy began and ended. */
  begun: "source_deleting_at" | "truenas_evicting_at";
  ended: "source_deleted_at" | "truenas_evicted_at";
  /** It is a copy at a place: it must hold the archive's list of checksums, and may go once only. */
  isCopy?: true;
  /** SAFETY S1: the victim's root is what it was. */
  check(): Promise<void>;
  /** Throws unless this process still holds the item (SAFETY S10). */
  assertLocked(): Promise<void>;
  /** Throws unless the name is this incarnation's everywhere; without it, the survivors are asked, and a free name is claimed. */
  assertClaims?(signal: AbortSignal): Promise<void>;
  /** Removes the lock, then the emptied folder, as the last step. */
  removeLockAndFolder(): Promise<void>;
}
