/**
 * The one destroy path (SAFETY S4, S5, S6, S20). Nothing else in the project removes a byte that was ever claimed.
 * Evidence from the journal proposes; this file proves again, at the act, that it may.
 * @module
 */
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import { isAbsent } from "../io/io_errors.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { follow } from "../ledger/entry.ts";
import { monthOf } from "../ledger/fold.ts";
import type { Contradiction } from "../ledger/mirror.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { ItemScope } from "../places/place.ts";
import type { DestroyRules, FileBatch } from "../ports.ts";
import { claimedByOther } from "./claims.ts";
import { checkClocks } from "./clocks.ts";
import { DestroyProofs, oneOfEach } from "./destroy_proofs.ts";
import type { Removable } from "./destroy_proofs.ts";
import { assertSealed, unsealedPlaces } from "./destroy_seals.ts";
import { removeEmptied } from "./emptied.ts";
import { FolderGuard } from "./folder_guard.ts";
import { sameIdentity } from "./incarnation.ts";
import { assertItself } from "./itself.ts";
import { assertListingIsEvidence } from "./listing.ts";
import { ownSidecar } from "./own_sidecar.ts";
import { recordEnd } from "./record_end.ts";
import { MAX_PROOF_AGE_MS, Remover } from "./remover.ts";
import type { DestroyServices, Victim } from "./victim.ts";

/** SAFETY S5: how many files are proved and removed at a time, however many are asked for. */
const MAX_FILES = 1000;
/** How often a batch is proved anew because proving it took too long. What was read is only looked at the next time. */
const MAX_ROUNDS = 3;

/** What is asked of one act. */
export interface Asked {
  rules: DestroyRules;
  signal: AbortSignal;
}

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
  /** The fewest places by whose proofs a file went. */
  #fewest = Infinity;
  /** The folder went: a retry has only the end to record. */
  #isGone = false;
  /** What this run removed of batches that are not finished: the next attempt must not miss it. */
  readonly #gone = new Set<string>();

  constructor(services: DestroyServices, scope: ItemScope, victim: Victim) {
    this.#services = services;
    this.#scope = scope;
    this.#victim = victim;
    this.#proofs = new DestroyProofs(services, scope, { root: victim.root });
  }

  /** Proves each thousand again and removes them file by file. Nothing of them goes when any of it is in doubt. */
  removeBatch(batch: FileBatch, asked: Asked): Promise<void> {
    return this.#inTurn(asked, () =>
      this.#orWithdraw(async () => {
        const all = batch.files.map((file) => file.path);
        for (let from = 0; from < all.length; from += MAX_FILES) {
          await this.#removeFiles(all.slice(from, from + MAX_FILES), asked);
        }
        for (const path of all) this.#gone.delete(path);
      }));
  }

  /** Removes the emptied folders, the lock and the item's folder, then records the end. */
  finish(asked: Asked): Promise<void> {
    return this.#inTurn(asked, async () => {
      if (!this.#isGone) await this.#removeRest(asked.rules);
      await this.#services.fs.syncDir(this.#victim.within.path);
      // What was removed last may have lain in the empty folder that an unmounted disk leaves.
      await this.#victim.check();
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

  #inTurn({ signal }: Asked, act: () => Promise<void>): Promise<void> {
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
  async #removeFiles(paths: readonly string[], { rules, signal }: Asked): Promise<void> {
    this.#proofs.begin({ rules, signal });
    let rest = paths;
    // The change time of a file is new once another of its names went: each name goes by a proof of its own.
    const inodes = new Map<string, number>();
    for (let round = 1; rest.length > 0; round++) {
      const remover = new Remover(this.#services, signal);
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
        if (!first.has(file.path)) continue;
        if (!remover.may()) break;
        await folders.check(file.path);
        if (!await this.#unlink(file, { remover, places: rules.places })) break;
      }
      // What was proved to be gone already is done with.
      const done = new Set(turn);
      for (const { path } of present) if (!this.#gone.has(path)) done.delete(path);
      rest = rest.filter((path) => !done.has(path));
      if (this.#removed > before) round = 0;
      if (rest.length > 0 && round >= MAX_ROUNDS) throw this.#tooSlow("its files");
    }
  }

  /** The last look and the act, as close together as the system lets them be. Returns false when it came too late. */
  async #unlink(
    { path: relative, identity }: Removable,
    { remover, places }: { remover: Remover; places: number },
  ): Promise<boolean> {
    const { fs } = this.#services;
    const path = itemPath(this.#victim.root, relative);
    const stat = await fs.lstat(path);
    if (!stat || stat.kind !== "file" || !sameIdentity(stat, identity)) {
      throw this.#refusal("destroy/source-changed", `${relative} changed between its last check and its removal`);
    }
    let isTried = false;
    const onAct = () => {
      isTried = true;
      this.#removed++;
      this.#fewest = Math.min(this.#fewest, places);
    };
    const went = await remover.remove(path, { kind: "file", onAct }).catch(async (error) => {
      // What somebody else removed in this moment is not ours.
      const mayBeDone = isTried && !isAbsent(error.cause);
      if (mayBeDone && await fs.lstat(path).catch(() => stat) === undefined) this.#gone.add(relative);
      throw error;
    });
    if (went) this.#gone.add(relative);
    return went;
  }

  /** What the files lay in, then the item's own folder. */
  async #removeRest(rules: DestroyRules): Promise<void> {
    const { signal } = this.#scope;
    let remover: Remover;
    await this.#orWithdraw(async () => {
      this.#assertEnough(rules.places);
      for (let round = 1, isEmpty = false; !isEmpty; round++) {
        remover = new Remover(this.#services, signal);
        const record = await this.#assertStill();
        await this.#checkRoots();
        await this.#checkSeal(record, { whole: false });
        let acts = 0;
        isEmpty = await removeEmptied(this.#scope, {
          ...this.#services,
          victim: this.#victim,
          remover,
          assertListHeld: async () => await this.#checkSeal(await this.#recorded(), { whole: true }),
          onAct: (kind) => {
            acts++;
            if (kind === "file") this.#removed++;
          },
        }) && remover.may();
        if (acts > 0) round = 0;
        if (!isEmpty && round >= MAX_ROUNDS) throw this.#tooSlow("its folders");
      }
    });
    try {
      await this.#victim.unlock();
      if (!await remover!.remove(this.#victim.root, { kind: "folder" })) throw this.#tooSlow("its folder");
    } catch (error) {
      await this.#victim.lockAgain(signal);
      throw error;
    }
    this.#isGone = true;
  }

  /** No file is looked at any more: what is asked for at the end must have held for each that went. */
  #assertEnough(wanted: number): void {
    const domains = new Set(this.#services.survivors.map((place) => place.domain));
    const found = Math.min(this.#fewest, domains.size);
    if (found >= wanted) return;
    throw this.#refusal("destroy/not-proved", `its files went by proofs at ${found} other places, wanted ${wanted}`);
  }

  #tooSlow(what: string): PipelineError {
    return this.#refusal(
      "destroy/too-slow",
      `${what} could not be proved within ${MAX_PROOF_AGE_MS / 60_000} min`,
    );
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
