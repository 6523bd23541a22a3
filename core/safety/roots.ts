/** Roots with their markers, as one run knows them (SAFETY S1). @module */

/** A root that was marked when the run began. */
export interface MarkedRoot {
  /** OS path. */
  path: string;
  /** UUID of its marker. */
  uuid: string;
  /** Throws when the marker or the device is another than at the start of the run. */
  check(): Promise<void>;
}
