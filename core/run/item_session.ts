/**
 * What the engine holds of one item while its stages run: the lock, the seals, the ledger's view, the destroys. Facts
 * of item scope (`locked`, `sealed`, `recorded`, `intent`) are minted here and in the places, nowhere else.
 * @module
 */
import type { Item, SourceFile } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import { ledgerEntry } from "../ledger/entry.ts";
import type { LedgerRecord, LedgerStatus } from "../ledger/record.ts";
import type { ItemScope, Place } from "../places/place.ts";
import type { DestroyRules, FileBatch } from "../ports.ts";
import { archivedBatches, type KnownLines } from "../places/archived.ts";
import { FolderClock } from "../places/folder_clock.ts";
import { expectedSeal } from "../places/seal_files.ts";
import { type Asked, ItemDestroy } from "../safety/destroy.ts";
import type { Victim } from "../safety/victim.ts";
import { assertListingIsEvidence } from "../safety/listing.ts";
import { notItself } from "../safety/itself.ts";
import { StudyLock } from "../safety/lock_file.ts";
import { assertSettled } from "../safety/settled.ts";
import { assertClaimsAgree, assertMayGo, EVICTION } from "./backups.ts";
import { knowsAllFiles, placeStates, withPlaces } from "./item_record.ts";
import { LeftBehind } from "./left_behind.ts";
import type { RunState } from "./run_state.ts";

export type TreeItem = Item & { root: string };

export class ItemSession implements AsyncDisposable {
  readonly item: TreeItem;
  readonly scope: ItemScope;
  readonly startedAt: string;
  /** What lives as long as the item; disposed in reverse order, then the lock is released. */
  readonly disposables = new AsyncDisposableStack();
  /** What may still be at work under the lock though the item has ended. */
  readonly left: LeftBehind;
  readonly #run: RunState;
  readonly #claims = new Map<string, Promise<void>>();
  readonly #destroys = new Map<string, ItemDestroy>();
  readonly #known: KnownLines = new WeakMap();
  readonly #clock: FolderClock;
  #lock: StudyLock | undefined;
  #isDisposed = false;

  constructor(run: RunState, scope: ItemScope) {
    this.#run = run;
    this.left = new LeftBehind(run.left);
    this.scope = scope;
    this.#clock = new FolderClock(run.services.fs, run.source);
    this.item = scope.item;
    this.startedAt = this.#now();
  }

  /** The latest ledger record of the item's name, read anew. */
  ledger(): Promise<LedgerRecord | undefined> {
    return this.#run.ledger ? this.#run.ledger.latest(this.item.name) : Promise.resolve(undefined);
  }

  /** A place, its name claimed for this incarnation before the first act there (SAFETY S11). */
  async claimedPlace(id: string, scope: ItemScope): Promise<Place> {
    const place = this.#run.place(id);
    if (this.#run.isOverBackups) {
      // The claim is that of the backup, and was looked at; none is made.
      await place.check(scope.signal);
      return place;
    }
    let claimed = this.#claims.get(id);
    if (!claimed) this.#claims.set(id, claimed = place.check(scope.signal).then(() => place.claim(scope)));
    try {
      await claimed;
    } catch (error) {
      this.#claims.delete(id); // a retry asks anew
      throw error;
    }
    return place;
  }

  async lock(signal: AbortSignal): Promise<void> {
    if (this.#lock) return;
    const { services } = this.#run;
    const { name, root } = this.item;
    const lock = await this.#acquire(signal);
    try {
      const listed = this.#run.listingOf(root)?.digest;
      if (listed !== undefined) await assertSettled(services.fs, { name, root, listed, signal });
      // Whoever asked may have been left behind meanwhile; nobody would give the lock back.
      signal.throwIfAborted();
    } catch (error) {
      // Held only once it is known to be settled: a retry asks again.
      await lock.release().catch((left) => services.log.warn(`${name}: its lock stays: ${(left as Error).message}`));
      throw error;
    }
    this.#lock = lock;
  }

  #acquire(signal: AbortSignal): Promise<StudyLock> {
    const { services, staleLocks } = this.#run;
    const options = {
      host: services.host,
      pid: Deno.pid,
      startedAt: this.startedAt,
      runName: this.item.name,
      staleLocks,
      processes: services.processes,
      log: services.log,
      signal,
    };
    return this.#run.smallWrite(() => StudyLock.acquire(services.fs, this.item.root, options));
  }

  /** Throws unless this process holds the item's lock and the lock file is still the one it locked. */
  async assertLocked(): Promise<void> {
    if (!this.#lock) {
      throw new PipelineError("lock/not-held", `Cannot change "${this.item.name}": its lock is not held`, {
        hint: "A `lock` stage must stand before this one.",
      });
    }
    await this.#lock.assertHeld();
  }

  /** Appends what is true now. `complete` first shows that it is. */
  async record(
    status: LedgerStatus,
    { error, signal }: { error?: PipelineError; signal: AbortSignal },
  ): Promise<void> {
    if (this.#run.isOverBackups) throw new TypeError("Cannot record a backup anew: its place is no source");
    const ledger = this.#run.requireLedger();
    const scope = { ...this.scope, signal };
    const { evidence } = scope;
    await this.#assertNameIsOurs(scope, status);
    const before = await ledger.latest(this.item.name);
    // SAFETY S4: what is complete stays complete; a study that came back unchanged is under way again without a record.
    if (before?.status === "complete" && status !== "complete") return;
    const source = await evidence.totals(this.item.id, SOURCE_PLACE);
    const sidecar = status === "complete" ? await this.#proveComplete(scope, source) : null;
    const whole = sidecar !== null || await knowsAllFiles(this.#run.services.fs, scope, source);
    const places = await placeStates(this.#run.places, scope, { source, whole });
    const latest = await ledger.latest(this.item.name);
    // Whoever asked may have been left behind meanwhile: what has happened since is not to be recorded over.
    signal.throwIfAborted();
    if (sidecar !== null && latest?.status === "complete" && latest.incarnation === this.item.id) {
      if (latest.sidecar_sha256 !== sidecar) throw this.#notProved("its files are not those that are recorded");
      const entry = withPlaces(latest, places);
      if (entry) await ledger.append(entry);
      return;
    }
    await ledger.append(ledgerEntry({
      name: this.item.name,
      sourcePath: this.item.root,
      incarnation: this.item.id,
      host: this.#run.services.host,
      status,
      startedAt: this.startedAt,
      completedAt: status === "complete" ? this.#now() : null,
      files: source.files,
      bytes: source.bytes,
      places,
      sidecarSha256: sidecar,
      error: error && (this.#run.services.hidden ?? String)(`${error.code}: ${error.message}`),
    }));
    if (sidecar !== null) this.scope.recordedSidecar = sidecar;
  }

  /** SAFETY S11: nothing is recorded under a name that is another's at any place. */
  async #assertNameIsOurs(scope: ItemScope, status: LedgerStatus): Promise<void> {
    for (const place of this.#run.places) {
      try {
        await place.assertClaimable(scope);
      } catch (error) {
        const foreign = error instanceof PipelineError && error.code === "item/name-claimed";
        // A failure is recorded also while the place that failed cannot be asked.
        if (foreign || status === "in_progress" || status === "complete") throw error;
      }
    }
  }

  /** The files of a backup as a place that keeps it lists them. */
  async *archived(place: Place, scope: ItemScope): AsyncIterable<FileBatch> {
    if (!this.#run.isOverBackups) throw new TypeError(`"${this.item.name}" is no backup`);
    const record = await this.ledger();
    assertMayGo(this.#run, this.item.name, record);
    yield* archivedBatches(scope, { fs: this.#run.services.fs, place, record, known: this.#known });
  }

  /** Proves files that `archived` yielded. */
  async proveArchived(place: Place, scope: ItemScope, files: readonly SourceFile[]): Promise<void> {
    const lines = files.map((file) => this.#known.get(file));
    if (!place.proveArchived || !lines.every((line) => line !== undefined)) {
      throw new TypeError(`"${place.id}" proves only the files it listed`);
    }
    await this.#run.source.check();
    await place.check(scope.signal);
    await place.proveArchived(scope, lines);
  }

  destroy(batch: FileBatch, asked: Asked): Promise<void> {
    return this.#destroyAt(asked.rules.place).removeBatch(batch, asked);
  }

  finishDestroy(rules: DestroyRules, { signal }: { signal: AbortSignal }): Promise<void> {
    return this.#destroyAt(rules.place).finish({ rules, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const lock = this.#lock;
    this.#lock = undefined;
    try {
      await this.disposables.disposeAsync();
    } finally {
      if (lock) await this.left.release(lock);
    }
  }

  /** One for all acts of the item there: it knows what went already. */
  #destroyAt(place: string): ItemDestroy {
    if (place !== SOURCE_PLACE) {
      throw new RangeError(`Cannot destroy at "${place}": this item's victim is its source`);
    }
    let destroy = this.#destroys.get(place);
    if (!destroy) {
      const services = { ...this.#run.destroyServices(), survivors: this.#run.places };
      const victim = this.#run.isOverBackups ? this.#backupVictim() : this.#sourceVictim();
      destroy = new ItemDestroy(services, this.scope, victim);
      this.#destroys.set(place, destroy);
    }
    return destroy;
  }

  /** The same folder in the same way, but it is a copy: the ledger tells of its eviction, and its list of checksums goes too. */
  #backupVictim(): Victim {
    return {
      ...this.#sourceVictim(),
      ...EVICTION,
      isCopy: true,
      now: () => this.#run.smallWrite(() => this.#clock.now()),
      assertClaims: (signal) => assertClaimsAgree(this.#run, this.item, signal),
    };
  }

  #sourceVictim(): Victim {
    return {
      id: SOURCE_PLACE,
      root: this.item.root,
      within: this.#run.source,
      begun: "source_deleting_at" as const,
      ended: "source_deleted_at" as const,
      check: () => this.#run.source.check(),
      assertLocked: () => this.assertLocked(),
      unlock: async () => {
        const lock = this.#lock;
        this.#lock = undefined;
        await lock?.release();
      },
      lockAgain: (signal) => this.#lockAgain(signal),
    };
  }

  /** For a retry. What it cannot have hides nothing of why the folder stays. */
  async #lockAgain(signal: AbortSignal): Promise<void> {
    const { log } = this.#run.services;
    // Whoever was left behind, or has ended, gives no lock back.
    const isOver = () => this.#isDisposed || signal.aborted;
    if (isOver()) return;
    try {
      const lock = await this.#acquire(signal);
      if (isOver()) await lock.release();
      else this.#lock = lock;
    } catch (error) {
      log.warn(`${this.item.name}: its lock could not be taken again: ${(error as Error).message}`);
    }
  }

  /** Returns the sidecar's hash when every place is proved, one is sealed, and the source is still what was copied. */
  async #proveComplete(scope: ItemScope, source: { files: number; bytes: number }): Promise<string> {
    const refuse = (found: string) => this.#notProved(found);
    if (source.files === 0) throw refuse("there is no evidence of any file");
    await this.#run.source.check();
    const { item } = this;
    const found = await notItself(this.#run.services.fs, { item, root: item.root, within: this.#run.source });
    if (found) throw refuse(found);
    for (const place of this.#run.places) await place.check(scope.signal);
    const there = await expectedSeal(scope, SOURCE_PLACE);
    for (const { id, uuid } of this.#run.places) {
      const totals = await scope.evidence.totals(this.item.id, id);
      const whole = totals.files === source.files && totals.bytes === source.bytes;
      if (!whole) throw refuse(`${id} has ${totals.files} of ${source.files} files`);
      if (totals.weakest === null || totals.weakest === "none") throw refuse(`not every file is proved at ${id}`);
      const here = await expectedSeal(scope, id, { placeUuid: uuid });
      if (!here) throw refuse(`its proofs at ${id} are of another place, or not of all files`);
      if (here.sha256 !== there?.sha256) throw refuse(`the hashes at ${id} are not those of the source`);
    }
    const { root } = item;
    await assertListingIsEvidence(this.#run.services.fs, scope, { root, holders: this.#run.places });
    const folders = this.#run.places.filter((place) => place.kind === "directory");
    for (const place of folders.length > 0 ? folders : this.#run.places) {
      const seal = await place.sealed(scope);
      if (seal) return seal.sha256;
    }
    throw refuse(
      `no ${folders.length > 0 ? "folder" : "place"} holds a checksum sidecar that equals the evidence`,
    );
  }

  #notProved(found: string): PipelineError {
    return new PipelineError("record/not-proved", `Cannot record "${this.item.name}" as complete: ${found}`, {
      hint: "Run again; what is missing is done again.",
    });
  }

  #now(): string {
    return new Date(this.#run.services.clock.now()).toISOString();
  }
}
