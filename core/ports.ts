/**
 * The ports a plugin is given: what it may see (`ReadContext`) and what it may ask the engine to do (`WriteContext`).
 * Stages never build their own copy loop, never hold evidence of their own, and never delete by themselves.
 * @module
 */
import type { ConfigView, Item, Json, SourceFile, StandardPlugin } from "./contract.ts";
import type { Evidence, EvidenceTotals } from "./evidence.ts";
import type { PipelineError } from "./errors.ts";
import type { LedgerRecord, LedgerStatus } from "./ledger/record.ts";

export * from "./event_ports.ts";
export type { Evidence, EvidenceTotals } from "./evidence.ts";
export { SOURCE_PLACE as SOURCE } from "./evidence.ts";
export type { LedgerPlace, LedgerRecord, LedgerStatus } from "./ledger/record.ts";

/** Structured log lines; `data` is scrubbed of secrets before it is written. */
export interface Logger {
  /** For whoever looks for a fault; shown with `--verbose`. */
  debug(message: string, data?: Record<string, unknown>): void;
  /** What was done. */
  info(message: string, data?: Record<string, unknown>): void;
  /** What somebody should look at some day. */
  warn(message: string, data?: Record<string, unknown>): void;
  /** What somebody should look at now. */
  error(message: string, data?: Record<string, unknown>): void;
}

/** Time as the engine sees it. Stamps are milliseconds since 1970. */
export interface Clock {
  /** ms since 1970. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Given to `open`, once per run. */
export interface RunContext {
  /** ULID of the run. */
  readonly runId: string;
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Whether this run only plans. */
  readonly dryRun: boolean;
  /** Name of this host. */
  readonly host: string;
  /** The config in force. */
  readonly config: ConfigView;
  /** Path of the config file, as it is known; also where it was not read. */
  readonly configFile: string;
  /** Aborted when the run is to stop now. */
  readonly signal: AbortSignal;
  /** The log of the run. */
  readonly log: Logger;
  /** Time; tests move it. */
  readonly clock: Clock;
  /** A registered naming standard. @throws {PipelineError} `registry/unknown-plugin` */
  standard(name: string): StandardPlugin;
}

/** One entry of a tree. Times are ms since 1970, null where the system gives none. */
export interface TreeEntry {
  /** Relative to the tree's root, `/`-separated. */
  path: string;
  /** What it is; links are never followed. */
  kind: "file" | "directory" | "symlink" | "other";
  /** Bytes. */
  size: number;
  /** When its bytes changed. */
  mtimeMs: number | null;
  /** When anything of it changed. */
  ctimeMs: number | null;
  /** When it was made. */
  birthtimeMs: number | null;
}

/** A folder directly below the source's root. */
export interface CandidateFolder {
  /** Name of the folder. */
  name: string;
  /** OS path. */
  path: string;
}

/** What every context shares. */
export interface ItemContext {
  /** The run it belongs to. */
  readonly run: RunContext;
  /** Aborted when the work is to stop now: the run's end, or the stage's timeout. */
  readonly signal: AbortSignal;
  /** The log. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** Given to a source: listings below its own declared root, and identities. */
export interface SourceContext extends ItemContext {
  /** Folders directly below the root, sorted by bytes; links and files are reported to the log and left out. */
  folders(): AsyncIterable<CandidateFolder>;
  /** Entries of one candidate in byte order of their paths, without the engine's own files. */
  walk(folder: CandidateFolder): AsyncIterable<TreeEntry>;
  /** The item for a folder, with its incarnation as id. */
  item(folder: CandidateFolder, data?: Record<string, Json>): Promise<Item>;
  /**
   * For a source of backups: what the ledger and the root say of each, those that were begun first, then by the time
   * they were complete, then by name. With a name: what they say of that one now, nothing when its folder is gone.
   */
  archived(name?: string): AsyncIterable<ArchivedBackup>;
  /** The space at the root, measured now. */
  space(): Promise<Space>;
  /** The only name that the run takes up (`--only`). */
  readonly only?: string;
  /** A value that this pipeline's source kept for its next runs over this root with `setCursor`. */
  cursor(name: string): Promise<Json | undefined>;
  /** A dry run keeps nothing. */
  setCursor(name: string, value: Json): Promise<void>;
}

/** A backup that the ledger knows, in its folder below the root of a source of backups. */
export interface ArchivedBackup extends CandidateFolder {
  /** Bytes of its files, as the ledger has them; of one that was begun, those that are left. */
  bytes: number;
  /** When the backup was complete, ISO 8601 UTC. */
  completedAt: string;
  /** An earlier run began to free this place of it; it is taken up before any other. */
  begun: boolean;
  /** Why no item can be made of it now, in words to stand behind "it stays: ". */
  refused?: string;
}

/** Free and total bytes of the file system that holds a root. */
export interface Space {
  /** Bytes that may still be written. */
  free: number;
  /** Bytes of the whole file system. */
  total: number;
}

/** Given to a source with what became of an item. */
export interface AckContext extends ItemContext {
  /** Why it failed. */
  readonly error?: { code: string; message: string };
}

/** Looks at the item at its source. */
export interface SourceReader {
  /** All entries in byte order of their paths, without the engine's own lock and temporary files. */
  walk(): AsyncIterable<TreeEntry>;
  /**
   * Files and empty folders, checked for what cannot be archived: links, names the place cannot hold or tell apart,
   * reserved names. @throws {PipelineError} `item/names`, `item/links`, with every finding
   */
  files(place: string): AsyncIterable<SourceFile>;
}

/** Looks at evidence. In a dry run it includes what upstream stages promised. */
export interface EvidenceReader {
  /** Evidence of the item at a place, in byte order of the paths. */
  list(place: string, options?: { level?: "written" | "proved" }): AsyncIterable<Evidence>;
  /** Sums over it. */
  totals(place: string): Promise<EvidenceTotals>;
}

/** Files that one step handles together: one large file, or many small ones. */
export interface FileBatch {
  /** Idempotency key: the identity of the item, the place and the files (SAFETY S3). */
  id: string;
  /** For people. */
  summary: string;
  /** The files, for `Todo.files`. */
  files: SourceFile[];
  /** Their bytes. */
  bytes: number;
}

/** Looks at a place. */
export interface PlaceReader {
  /** Id of the stage that writes it. */
  readonly id: string;
  /** A folder, or a bucket. */
  readonly kind: "directory" | "objects";
  /** Where the item is, or will be, at this place: an OS path or `s3://bucket/prefix/name`. */
  uri(item: Item): string;
  /**
   * The files that must be written, in order; `onHeld` is told of the others: evidence of this incarnation stands for
   * them, and source and place show the same identity as then.
   */
  missing(files: AsyncIterable<SourceFile>, onHeld: (file: SourceFile) => void): AsyncIterable<SourceFile>;
  /** Groups files into steps, in order: large ones alone, small ones together. */
  batches(files: AsyncIterable<SourceFile>): AsyncIterable<FileBatch>;
  /** Whether the item is sealed here by a sidecar that equals the evidence as it stands. */
  isSealed(): Promise<boolean>;
  /**
   * The files of a backup, in steps, by the list of checksums that is kept here. First it is seen that this place holds
   * anything of the backup, that the list is the one the ledger names, and that the item's folder holds the very names
   * of it. Only for items that are backups.
   * @throws {PipelineError} `backup/…`
   */
  archived(): AsyncIterable<FileBatch>;
}

/** Acts on a place. The ports mint the evidence. */
export interface PlaceWriter extends PlaceReader {
  /** Copies or uploads the files: reads each once between two equal stats, hashes, writes, flushes. Mints `hashed` and `written` (an object store also `proved`, as its settings say). */
  write(files: readonly SourceFile[]): Promise<void>;
  /** Reads the bytes at the place again and compares. Mints `proved`. */
  prove(files: readonly SourceFile[]): Promise<void>;
  /** Enumerates the item at the place: every evidence name is there, spelled the same, a distinct file (SAFETY S14). */
  enumerate(): Promise<void>;
  /** Writes the checksum sidecar from the evidence. Mints `sealed`. */
  seal(): Promise<void>;
  /**
   * Hashes files that `archived` yielded in the item's folder and proves them at this place, against the list of
   * checksums. Mints `hashed`, `written` and `proved`. Writes nothing at the place.
   */
  proveArchived(files: readonly SourceFile[]): Promise<void>;
}

/** Why an item failed, for stages in `[[on_item_failed]]`. */
export interface ItemFailure {
  /** Id of the stage it failed in. */
  stage: string;
  /** Name of that stage's plugin. */
  use: string;
  /** Why. */
  error: PipelineError;
  /** What the ledger will say of it. */
  status: LedgerStatus;
}

/** Given to `plan`: can look, cannot change the world. */
export interface ReadContext extends ItemContext {
  /** The item that is planned for. */
  readonly item: Item;
  /** Whether this run only plans. */
  readonly dryRun: boolean;
  /** Work is repeated although evidence stands (`--force`). A condition is never waived. */
  readonly force: boolean;
  /** The stage's own id. */
  readonly stage: string;
  /** The item where it was made. */
  readonly source: SourceReader;
  /** What is known of its bytes. */
  readonly evidence: EvidenceReader;
  /** Why the item failed; only in `[[on_item_failed]]`. */
  readonly failure?: ItemFailure;
  /** A place of this pipeline. @throws {PipelineError} `run/unknown-place` */
  place(id: string): PlaceReader;
  /** The latest ledger record of this item's name. */
  ledger(): Promise<LedgerRecord | undefined>;
  /** Groups files of the source place, for a stage that removes them. */
  readonly destroyBatches: (place: string) => AsyncIterable<FileBatch>;
}

/** How a child process is run. The child's output goes to the log and to stderr, never to stdout. */
export interface ExecOptions {
  /** The program and its arguments, without a shell. */
  argv: readonly string[];
  /** How long it may run, ms. Default: as long as the stage. */
  timeoutMs?: number;
  /** Its working folder, an OS path. */
  cwd?: string;
  /** Variables beside those of labferry. */
  env?: Record<string, string>;
  /** SHA-256 by absolute path, for the program and every argument that is a file; checked before it starts. */
  pins?: Readonly<Record<string, string>>;
}

/** What a destroy demands beyond what the engine always demands. */
export interface DestroyRules {
  /** The place to free. */
  place: string;
  /** How many other places in distinct domains must hold every file proved; at least 1. */
  places: number;
  /** `hash` reads each file again before it is removed (SAFETY S6). */
  recheck: "identity" | "hash";
}

/** Given to `apply`: asks the engine's ports to act. */
export interface WriteContext extends Omit<ReadContext, "place"> {
  /** A place of this pipeline. @throws {PipelineError} `run/unknown-place` */
  place(id: string): PlaceWriter;
  /** Takes the item's lock; it is released when the item ends, however it ends. Mints `locked` (SAFETY S10). */
  lock(): Promise<void>;
  /** Appends to the ledger. With `complete` it first checks proofs and seal, and mints `recorded`. */
  record(status: LedgerStatus): Promise<void>;
  /** Removes files of the item through the engine's one destroy path (SAFETY S4, S5, S20). Only for stages whose effect is `destroy`. */
  destroy(batch: FileBatch, rules: DestroyRules): Promise<void>;
  /** Closes a destroy: removes the emptied folders, the lock and the item's folder, and records it. */
  finishDestroy(rules: DestroyRules): Promise<void>;
  /** Runs a child process. @throws {PipelineError} `hook/failed` on a non-zero exit, `hook/timeout` */
  exec(options: ExecOptions): Promise<void>;
  /** Saves progress within the step, durably, until the step has ended. */
  checkpoint(value: Json): Promise<void>;
  /**
   * What an attempt before this one saved last within the step, in this run or an earlier one; undefined when nothing
   * was saved, and when the work is to be repeated (`--force`). A hint for where to go on, never evidence.
   */
  readCheckpoint(): Promise<Json | undefined>;
}
