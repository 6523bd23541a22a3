/**
 * The one destroy path (SAFETY S4, S5, S6, S20). Nothing else in the project removes a byte that was ever claimed.
 * Evidence from the journal proposes; this file proves again, at the act, that it may.
 * @module
 */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { sameFile } from "../io/same.ts";
import { follow } from "../ledger/entry.ts";
import { monthOf } from "../ledger/fold.ts";
import type { Contradiction } from "../ledger/mirror.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { ItemScope } from "../places/place.ts";
import type { DestroyRules, FileBatch } from "../ports.ts";
import { claimedByOther } from "./claims.ts";
import { checkClocks } from "./clocks.ts";
import { DestroyProofs } from "./destroy_proofs.ts";
import type { Removable } from "./destroy_proofs.ts";
import { assertSealed, unsealedPlaces } from "./destroy_seals.ts";
import { FolderGuard } from "./folder_guard.ts";
import { sameIdentity } from "./incarnation.ts";
import { assertItself } from "./itself.ts";
import { assertListingIsEvidence, Sample, unprovedFolders } from "./listing.ts";
import { ownSidecar, walkStudy } from "./own_sidecar.ts";
import { recordEnd } from "./record_end.ts";
import type { DestroyServices, Victim } from "./victim.ts";

/** SAFETY S5: how old (ms) the proof of a file may be when the file goes. */
const MAX_PROOF_AGE_MS = 10 * 60_000;
/** How often a batch is proved anew because proving it took too long. What was read is only looked at the next time. */
const MAX_ROUNDS = 3;

/** A destroy of one item at one place, over all its batches. One act at a time, however many are asked for. */
export class ItemDestroy {
  readonly #services: DestroyServices;
  /** With the signal of the act under way. */
  #scope: ItemScope;
  readonly #victim: Victim;
  readonly #proofs: DestroyProofs;
  #turn: Promise<unknown> = Promise.resolve();
  #begun = false;
  /** An earlier run began this destroy: files may be gone already. */
  #resumed = false;
  #removed = 0;
  /** The folder went: a retry has only the end to record. */
  #isGone = false;
  /** What this run removed of batches that are not finished: the next attempt must not miss it. */
  readonly #gone = new Set<string>();

  constructor(services: DestroyServices, scope: ItemScope, target: { victim: Victim; rules: DestroyRules }) {
    this.#services = services;
    this.#scope = scope;
    this.#victim = target.victim;
    this.#proofs = new DestroyProofs(services, scope, { root: target.victim.root, rules: target.rules });
  }

  /** Proves one batch again and removes it file by file. Nothing of a batch goes when any of it is in doubt. */
  removeBatch(batch: FileBatch, signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, () =>
      this.#orWithdraw(async () => {
        const paths = batch.files.map((file) => file.path);
        await this.#removeFiles(paths);
        for (const path of paths) this.#gone.delete(path);
      }));
  }

  /** Removes the emptied folders, the lock and the item's folder, then records the end. */
  finish(signal: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      if (!this.#isGone) {
        await this.#orWithdraw(async () => {
          const record = await this.#assertStill();
          await this.#checkRoots();
          await this.#checkSeal(record, { whole: false });
          await this.#removeFolders();
        });
        await this.#victim.removeLockAndFolder();
        this.#isGone = true;
      }
      await recordEnd(this.#services, this.#victim, this.#scope.item);
    });
  }

  async #orWithdraw(act: () => Promise<void>): Promise<void> {
    await this.#begin();
    try {
      await act();
    } catch (error) {
      await this.#withdrawIfUntouched();
      throw error;
    }
  }

  #inTurn(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(() => {
      this.#scope = { ...this.#scope, signal };
      return act();
    });
    this.#turn = turn.catch(() => {}); // the caller is told by `turn`; the next in line makes its own checks
    return turn;
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    const { journal, ledger, clock } = this.#services;
    const { item } = this.#scope;
    await assertItself(this.#services.fs, this.#victim, this.#scope.item);
    await this.#victim.assertLocked();
    const record = await this.#recorded();
    this.#assertSound(await this.#services.soundness?.look(monthOf(record.started_at)));
    this.#scope = { ...this.#scope, recordedSidecar: record.sidecar_sha256 };
    this.#resumed = record[this.#victim.begun] !== null && record[this.#victim.ended] === null;
    // Before the clocks: a folder place tells its time by a new file, which only a marked root may get.
    await this.#checkRoots();
    await this.#checkClocks();
    await this.#assertClaims();
    await this.#checkJournal(record);
    await this.#sealAgain(record);
    await this.#checkSeal(record, { whole: true });
    await this.#assertSealedCopy();
    await assertListingIsEvidence(this.#services.fs, this.#scope, {
      root: this.#victim.root,
      mayMiss: this.#resumed,
      holders: this.#services.survivors,
      some: true,
      code: "destroy/source-changed",
    });
    if (this.#resumed) await ledger.flush(record);
    else {
      const now = new Date(clock.now()).toISOString();
      await journal.intents.open({ incarnation: item.id, place: this.#victim.id, item: item.name, openedAt: now });
      await ledger.append(follow(record, { [this.#victim.begun]: now }));
    }
    this.#begun = true;
  }

  /** S12: a ledger that lost lines, or had some changed, permits nothing. */
  #assertSound(contradiction: Contradiction | undefined): void {
    if (contradiction === undefined) return;
    const { found, todo } = contradiction;
    throw this.#refusal("destroy/ledger-contradicted", found, `Nothing more is removed while that is so. ${todo}`);
  }

  /** S5(d): the ledger's tail is this incarnation's `complete` record and nobody else destroys. */
  async #recorded(): Promise<LedgerRecord> {
    const { item } = this.#scope;
    const record = await this.#services.ledger.latest(item.name);
    const refuse = (found: string) =>
      this.#refusal("destroy/not-recorded", `${found}, wanted a complete record of this incarnation`);
    if (!record) throw refuse("the ledger has no record");
    if (record.status !== "complete") throw refuse(`the ledger says ${record.status}`);
    if (record.incarnation !== item.id) throw refuse("the ledger's record is of another incarnation");
    if (record.sidecar_sha256 === null) throw refuse("the record names no sidecar");
    const competing = this.#victim.begun === "source_deleting_at"
      ? record.truenas_evicting_at !== null && record.truenas_evicted_at === null
      : record.source_deleting_at !== null && record.source_deleted_at === null;
    if (competing) throw refuse("another place of this backup is being freed");
    if (this.#victim.isCopy && record[this.#victim.ended] !== null) {
      throw refuse(`it is gone from there since ${record[this.#victim.ended]}`);
    }
    return record;
  }

  async #checkRoots(): Promise<void> {
    await this.#victim.check();
    for (const place of this.#services.survivors) await place.check(this.#scope.signal);
    await this.#services.assertDistinct();
  }

  /** S5(e). Returns how far (ms) our clock may be off the victim's. */
  #checkClocks(): Promise<number> {
    const { id, now } = this.#victim;
    const victim = now && { id, kind: "directory" as const, now };
    return checkClocks({ ...this.#services, victim }, this.#scope.signal);
  }

  /** S5(d): a journal that knows less than its ledger is void; the engine rebuilds it by proving again. */
  async #checkJournal(record: LedgerRecord): Promise<void> {
    const totals = await this.#scope.evidence.totals(this.#scope.item.id, SOURCE_PLACE);
    if (totals.files === record.file_count && totals.bytes === record.total_bytes) return;
    throw this.#refusal(
      "destroy/journal-behind",
      `the journal knows ${totals.files} files (${totals.bytes} bytes), the ledger ${record.file_count} (${record.total_bytes} bytes)`,
    );
  }

  /** The record falls with a seal it rests on; `whole`: the evidence is looked at too. */
  #checkSeal(record: LedgerRecord, { whole }: { whole: boolean }): Promise<void> {
    return assertSealed(this.#services, this.#scope, { record, victim: this.#victim.id, whole });
  }

  /** The stage that seals does not run any more behind a destroy that was begun: what is lost is written again here. */
  async #sealAgain(record: LedgerRecord): Promise<void> {
    if (!this.#resumed || this.#victim.isCopy) return;
    for (const place of await unsealedPlaces(this.#services, this.#scope, record)) await place.seal(this.#scope);
  }

  /** S5(c), S5(d) for each batch: still ours, still recorded with our intent. */
  async #assertStill(): Promise<LedgerRecord> {
    await assertItself(this.#services.fs, this.#victim, this.#scope.item);
    await this.#victim.assertLocked();
    await this.#assertClaims();
    const record = await this.#recorded();
    this.#assertSound(this.#services.soundness?.known);
    if (record[this.#victim.begun] === null || record[this.#victim.ended] !== null) {
      throw this.#refusal("destroy/no-intent", "the ledger does not show this destroy as begun");
    }
    return record;
  }

  /**
   * S5(c): where a store does not hold If-None-Match, two hosts may have claimed a name at once: the last one has it. A
   * claim that somebody removed is made again, since it is free.
   */
  async #assertClaims(): Promise<void> {
    const { item, signal } = this.#scope;
    if (this.#victim.assertClaims) return await this.#victim.assertClaims(signal);
    for (const place of this.#services.survivors) {
      await place.assertClaimable(this.#scope);
      const found = await place.claimant(item.name, signal);
      if (found === undefined) await place.claim(this.#scope);
      else if (found.incarnation !== item.id) {
        throw claimedByOther(item.name, { place: place.id, where: place.claimUri(item.name), found });
      }
    }
  }

  /** Proves and removes, and proves the rest again when its proof has grown old. */
  async #removeFiles(paths: readonly string[]): Promise<void> {
    const { clock } = this.#services;
    this.#proofs.begin(this.#scope.signal);
    let rest = paths;
    // The change time of a file is new once another of its names went: each name goes by a proof of its own.
    const inodes = new Map<string, number>();
    for (let round = 1; rest.length > 0; round++) {
      const since = clock.now();
      const old = () => Math.abs(clock.now() - since) > MAX_PROOF_AGE_MS;
      const record = await this.#assertStill();
      await this.#checkRoots();
      const skewMs = await this.#checkClocks();
      await this.#checkSeal(record, { whole: false });
      const resumed = this.#resumed;
      const so = { resumed, underWay: resumed || this.#removed > 0, removed: this.#gone, skewMs };
      const turn = oneOfEach(rest, inodes);
      const { present, refusals } = await this.#proofs.prove(turn, so);
      if (refusals.files > 0) {
        throw this.#refusal(
          "destroy/not-proved",
          `${refusals.files} of ${turn.length} files may not go: ${refusals.words()}`,
        );
      }
      const folders = new FolderGuard(this.#services.fs, this.#victim.root);
      const before = this.#removed;
      for (const { path, identity } of present) if (identity.ino !== null) inodes.set(path, identity.ino);
      const first = new Set(oneOfEach(present.map((file) => file.path), inodes));
      for (const file of present) {
        this.#scope.signal.throwIfAborted();
        if (old()) break;
        if (!first.has(file.path)) continue;
        await folders.check(file.path);
        await this.#unlink(file);
      }
      // What was proved to be gone already is done with.
      const done = new Set(turn);
      for (const { path } of present) if (!this.#gone.has(path)) done.delete(path);
      rest = rest.filter((path) => !done.has(path));
      if (this.#removed > before) round = 0;
      if (rest.length > 0 && round >= MAX_ROUNDS) {
        throw this.#refusal(
          "destroy/too-slow",
          `its files could not be proved within ${MAX_PROOF_AGE_MS / 60_000} min`,
        );
      }
    }
  }

  /** The last look and the act, as close together as the system lets them be. */
  async #unlink({ path: relative, identity }: Removable): Promise<void> {
    const { fs } = this.#services;
    const path = itemPath(this.#victim.root, relative);
    const stat = await fs.lstat(path);
    if (!stat || stat.kind !== "file" || !sameIdentity(stat, identity)) {
      throw this.#refusal("destroy/source-changed", `${relative} changed between its last check and its removal`);
    }
    // The look may have hung until nobody waited for the step any more.
    this.#scope.signal.throwIfAborted();
    // Counted before: a removal whose answer is an error may have been done.
    this.#removed++;
    await fs.removeFile(path).catch(async (cause) => {
      // What somebody else removed in this moment is not ours.
      if (!isAbsent(cause) && await fs.lstat(path).catch(() => stat) === undefined) this.#gone.add(relative);
      throw ioError(cause, { verb: "remove", path });
    });
    this.#gone.add(relative);
  }

  async #removeFolders(): Promise<void> {
    const { fs } = this.#services;
    const folders: string[] = [];
    const left = new Sample();
    for await (const entry of walkStudy(fs, this.#scope, { root: this.#victim.root })) {
      if (entry.kind === "directory") folders.push(entry.path);
      else left.add(entry.path);
    }
    const unproved = await unprovedFolders(this.#scope, folders, this.#services.survivors);
    if (left.count + unproved.count > 0) {
      const found = [left.words("files no evidence covers"), unproved.words("empty folders no place has")];
      throw new PipelineError(
        "destroy/left-over",
        `Cannot finish removing "${this.#scope.item.name}" from ${this.#victim.id}: ${
          found.filter((words) => words !== undefined).join("; ")
        }`,
        { hint: "They arrived after the backup and stay. Move them into a study of their own name." },
      );
    }
    const guard = new FolderGuard(fs, this.#victim.root);
    for (const folder of folders.reverse()) {
      await guard.check(folder);
      const path = itemPath(this.#victim.root, folder);
      await fs.removeEmptyDir(path).catch((cause) => {
        throw ioError(cause, { verb: "remove the folder", path });
      });
    }
    await this.#removeSidecar(guard);
  }

  /** A copy that is freed is the one that was sealed. Its list may be gone only where an earlier run removed it. */
  async #assertSealedCopy(): Promise<void> {
    if (!this.#victim.isCopy || this.#resumed) return;
    if (await ownSidecar(this.#services.fs, this.#scope, { root: this.#victim.root })) return;
    throw this.#refusal(
      "destroy/sidecar-differs",
      `its ${SIDECAR_NAME} is not the list of checksums that the ledger names`,
    );
  }

  /** S14: the archive's own list goes by the proof that it is that list, which a place still holds. */
  async #removeSidecar(guard: FolderGuard): Promise<void> {
    const { fs } = this.#services;
    const path = itemPath(this.#victim.root, SIDECAR_NAME);
    if (await fs.lstat(path) === undefined) return;
    await this.#checkSeal(await this.#recorded(), { whole: true });
    await guard.check(SIDECAR_NAME);
    const proved = await ownSidecar(fs, this.#scope, { root: this.#victim.root });
    const stat = await fs.lstat(path);
    if (!proved || !stat || !sameFile(proved, stat)) {
      throw this.#refusal("destroy/source-changed", `${SIDECAR_NAME} is not the archive's list any more`);
    }
    this.#removed++;
    await fs.removeFile(path).catch((cause) => {
      throw ioError(cause, { verb: "remove", path });
    });
  }

  /** S4: an intent under which nothing was removed is withdrawn, so that the item is free for other work. */
  async #withdrawIfUntouched(): Promise<void> {
    if (this.#resumed || this.#removed > 0) return;
    const { journal, ledger } = this.#services;
    const { item, log } = this.#scope;
    try {
      const record = await ledger.latest(item.name);
      const ours = record?.status === "complete" && record.incarnation === item.id;
      if (record && ours && record[this.#victim.begun] !== null && record[this.#victim.ended] === null) {
        await ledger.append(follow(record, { [this.#victim.begun]: null }));
      }
      await journal.intents.close(item.id, this.#victim.id);
      this.#begun = false;
    } catch (error) {
      // What stopped the destroy is what the operator must hear; the next run takes the open intent up.
      log.warn(`${item.name}: the intent to free ${this.#victim.id} stays open: ${(error as Error).message}`);
    }
  }

  #refusal(
    code: string,
    found: string,
    hint = "Nothing in doubt was removed. Look at what changed; the next run proves everything again.",
  ): PipelineError {
    return new PipelineError(code, `Cannot remove "${this.#scope.item.name}" from ${this.#victim.id}: ${found}`, {
      hint,
    });
  }
}

/** Of the names of one inode, as far as they are known, only the first. */
function oneOfEach(paths: readonly string[], inodes: ReadonlyMap<string, number>): string[] {
  const seen = new Set<number>();
  return paths.filter((path) => {
    const ino = inodes.get(path);
    if (ino === undefined) return true;
    const isFirst = !seen.has(ino);
    seen.add(ino);
    return isFirst;
  });
}
