/**
 * A place as the engine sees it: somewhere an item's bytes can be written, proved and looked at again. Places are the
 * ports that mint evidence; stages reach them through `PlaceWriter` of `core/ports.ts`.
 * @module
 */
import type { Item, SourceFile } from "../contract.ts";
import type { Evidence } from "../evidence.ts";
import type { EvidenceStore } from "../journal/journal.ts";
import type { FileBatch, Logger } from "../ports.ts";
import type { NameClaim } from "../safety/claims.ts";

/** What a place needs to know of the item and the run while it works on it. */
export interface ItemScope {
  item: Item & { root: string };
  evidence: EvidenceStore;
  signal: AbortSignal;
  log: Logger;
  /** Work is repeated although evidence stands (`--force`). */
  force: boolean;
  /** Counts bytes for progress and report. */
  onBytes(count: number): void;
  /** SHA-256 of the sidecar the ledger's `complete` record names; such a sidecar is never replaced. */
  recordedSidecar: string | null;
}

/** Sidecar of an item at a place. */
export interface Seal {
  sha256: string;
  files: number;
}

/** One line of a sidecar. */
export interface SidecarLine {
  path: string;
  sha256: string;
}

/** Why evidence no longer stands, by path. */
export type Doubts = Map<string, string>;

export interface Place {
  readonly id: string;
  readonly kind: "directory" | "objects";
  /** UUID of the marker, or endpoint and bucket. */
  readonly uuid: string;
  /** Places of one domain count once (SAFETY S2). */
  readonly domain: string;
  /** Where the item, or one of its files, is. */
  uri(itemName: string, path?: string): string;
  /** SAFETY S1: the place is what it was at the start of the run. */
  check(signal: AbortSignal): Promise<void>;
  /** SAFETY S11: the backup's name is this incarnation's at this place. Writes nothing but the claim. */
  claim(scope: ItemScope): Promise<void>;
  /** Looks whether `claim` would meet another holder; writes nothing. @throws {PipelineError} `item/name-claimed` */
  assertClaimable(scope: ItemScope): Promise<void>;
  /** The claim of a name as it stands here, whoever holds it; undefined when there is none. */
  claimant(itemName: string, signal: AbortSignal): Promise<NameClaim | undefined>;
  /** Where that claim is: the path of a file, or an object's address. */
  claimUri(itemName: string): string;
  /** Whether the item's folder (`/`-separated) exists here, or anything below it. */
  holdsFolder(scope: ItemScope, path: string): Promise<boolean>;
  missing(
    scope: ItemScope,
    files: AsyncIterable<SourceFile>,
    onHeld: (file: SourceFile) => void,
  ): AsyncIterable<SourceFile>;
  batches(scope: ItemScope, files: AsyncIterable<SourceFile>): AsyncIterable<FileBatch>;
  write(scope: ItemScope, files: readonly SourceFile[]): Promise<void>;
  prove(scope: ItemScope, files: readonly SourceFile[]): Promise<void>;
  enumerate(scope: ItemScope): Promise<void>;
  seal(scope: ItemScope): Promise<Seal>;
  /** The sidecar as it stands, if it equals the evidence; undefined otherwise. */
  sealed(scope: ItemScope): Promise<Seal | undefined>;
  /** Whether the item's sidecar here has this hash. One that looks as it did when it was read last is not read again. */
  holdsSidecar(scope: ItemScope, sha256: string): Promise<boolean>;
  /**
   * Streams the lines, in byte order, of the item's sidecar when its hash is `expectedSha256`; yields nothing when
   * this place has no such sidecar. The hash is checked before the first line is yielded.
   */
  readSidecar(itemName: string, expectedSha256: string, signal: AbortSignal): AsyncIterable<SidecarLine>;
  /** Mints `proved` for lines of a sidecar by reading the bytes at the place. @throws {PipelineError} on other bytes */
  reprove(scope: ItemScope, lines: readonly SidecarLine[]): Promise<void>;
  /** SAFETY S5(b): looks again at evidence of this place; what is doubtful is proved anew by reading, or reported. */
  recheck(scope: ItemScope, evidence: readonly Evidence[]): Promise<Doubts>;
  /** Whether anything lies here below the item's name. Only of places that can stand for a backup whose other copy goes. */
  holdsAny?(scope: ItemScope): Promise<boolean>;
  /**
   * Mints `hashed` (of the item's folder) and `proved` for lines of a sidecar. A line whose file is gone from the folder
   * gets a row of the source without an identity: it counts, and nothing of it can be removed.
   * @throws {PipelineError} `backup/…` when either copy holds other bytes
   */
  proveArchived?(scope: ItemScope, lines: readonly SidecarLine[]): Promise<void>;
  /** The time (ms since 1970) by the place's own clock, for SAFETY S5(e); null when it does not tell. */
  now(signal: AbortSignal): Promise<number | null>;
}
