/**
 * The one destroy path (SAFETY S4, S5, S6, S20). Nothing else in the project removes a byte that was ever claimed.
 * Evidence from the journal proposes; this file proves again, at the act, that it may.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { Evidence } from "../evidence.ts";
import { strengthOf } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import { walkTree } from "../io/walk.ts";
import type { Journal } from "../journal/journal.ts";
import { follow } from "../ledger/entry.ts";
import type { Ledger, LedgerRecord } from "../ledger/record.ts";
import type { ItemScope, Place } from "../places/place.ts";
import type { Clock, DestroyRules, FileBatch } from "../ports.ts";
import { checkClocks } from "./clocks.ts";
import { describeIdentity, identitySuffices, sameIdentity } from "./incarnation.ts";
import { assertListingIsEvidence, Sample } from "./listing.ts";

/** What a destroy is done to, and the hooks into what only its owner knows. */
export interface Victim {
  /** Id of the place that is freed. */
  id: string;
  /** OS path of the item's folder there. */
  root: string;
  /** Ledger fields that say the destroy began and ended. */
  begun: "source_deleting_at" | "truenas_evicting_at";
  ended: "source_deleted_at" | "truenas_evicted_at";
  /** SAFETY S1: the victim's root is what it was. */
  check(): Promise<void>;
  /** Throws unless this process still holds the item (SAFETY S10). */
  assertLocked(): Promise<void>;
  /** Removes the lock, then the emptied folder, as the last step. */
  removeLockAndFolder(): Promise<void>;
}

export interface DestroyServices {
  fs: FileSystem;
  clock: Clock;
  journal: Journal;
  ledger: Ledger;
  /** Every place of the pipeline but the victim. */
  survivors: readonly Place[];
  /** SAFETY S2: victim and survivors are distinct roots on what they were at the start. */
  assertDistinct(): Promise<void>;
}

/** A destroy of one item at one place, over all its batches. */
export class ItemDestroy {
  readonly #services: DestroyServices;
  readonly #scope: ItemScope;
  readonly #victim: Victim;
  readonly #rules: DestroyRules;
  #begun: Promise<void> | undefined;
  /** An earlier run began this destroy: files may be gone already. */
  #resumed = false;
  #removed = 0;

  constructor(services: DestroyServices, scope: ItemScope, target: { victim: Victim; rules: DestroyRules }) {
    this.#services = services;
    this.#scope = scope;
    this.#victim = target.victim;
    this.#rules = target.rules;
  }

  /** Proves one batch again and removes it file by file. Nothing of a batch goes when any of it is in doubt. */
  async removeBatch(batch: FileBatch): Promise<void> {
    await this.#begin();
    try {
      const present = await this.#proveBatch(batch);
      for (const evidence of present) await this.#unlink(evidence);
    } catch (error) {
      await this.#withdrawIfUntouched();
      throw error;
    }
  }

  /** Removes the emptied folders, the lock and the item's folder, then records the end. */
  async finish(): Promise<void> {
    await this.#begin();
    const { fs } = this.#services;
    await this.#assertStill();
    const folders: string[] = [];
    const left = new Sample();
    for await (const entry of walkTree(fs, this.#victim.root, { signal: this.#scope.signal })) {
      if (entry.kind === "directory") folders.push(entry.path);
      else left.add(entry.path);
    }
    if (left.count > 0) {
      await this.#withdrawIfUntouched();
      throw new PipelineError(
        "destroy/left-over",
        `Cannot finish removing "${this.#scope.item.name}" from ${this.#victim.id}: ${
          left.words("files no evidence covers")
        }`,
        { hint: "They arrived after the backup and stay. Move them into a study of their own name." },
      );
    }
    for (const folder of folders.reverse()) await fs.removeEmptyDir(itemPath(this.#victim.root, folder));
    await this.#victim.removeLockAndFolder();
    await recordEnd(this.#services, this.#victim, this.#scope.item);
  }

  #begin(): Promise<void> {
    return this.#begun ??= this.#open();
  }

  async #open(): Promise<void> {
    const { journal, ledger, clock } = this.#services;
    const { item } = this.#scope;
    await this.#victim.assertLocked();
    const record = await this.#recorded();
    this.#resumed = record[this.#victim.begun] !== null && record[this.#victim.ended] === null;
    await checkClocks(this.#services, this.#scope.signal);
    await this.#checkRoots();
    await this.#checkJournal(record);
    await this.#checkSeal(record);
    await assertListingIsEvidence(this.#services.fs, this.#scope, {
      root: this.#victim.root,
      mayMiss: this.#resumed,
      code: "destroy/source-changed",
    });
    if (this.#resumed) return;
    const now = new Date(clock.now()).toISOString();
    await journal.intents.open({ incarnation: item.id, place: this.#victim.id, item: item.name, openedAt: now });
    await ledger.append(follow(record, { [this.#victim.begun]: now }));
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
    return record;
  }

  async #checkRoots(): Promise<void> {
    await this.#victim.check();
    for (const place of this.#services.survivors) await place.check(this.#scope.signal);
    await this.#services.assertDistinct();
  }

  /** S5(d): a journal that knows less than its ledger is void; the engine rebuilds it by proving again. */
  async #checkJournal(record: LedgerRecord): Promise<void> {
    const totals = await this.#scope.evidence.totals(this.#scope.item.id, "source");
    if (totals.files === record.file_count && totals.bytes === record.total_bytes) return;
    throw this.#refusal(
      "destroy/journal-behind",
      `the journal knows ${totals.files} files (${totals.bytes} bytes), the ledger ${record.file_count} (${record.total_bytes} bytes)`,
    );
  }

  async #checkSeal(record: LedgerRecord): Promise<void> {
    for (const place of this.#services.survivors) {
      if ((await place.sealed(this.#scope))?.sha256 === record.sidecar_sha256) return;
    }
    throw this.#refusal("destroy/not-sealed", "no place holds the sidecar that the ledger names");
  }

  /** S5(c), S5(d) for each batch: still ours, still recorded with our intent. */
  async #assertStill(): Promise<void> {
    await this.#victim.assertLocked();
    const record = await this.#recorded();
    if (record[this.#victim.begun] === null || record[this.#victim.ended] !== null) {
      throw this.#refusal("destroy/no-intent", "the ledger does not show this destroy as begun");
    }
  }

  /** Returns the evidence of those files of the batch that are still there, each proved to be safe elsewhere. */
  async #proveBatch(batch: FileBatch): Promise<Evidence[]> {
    await this.#assertStill();
    await this.#checkRoots();
    const paths = batch.files.map((file) => file.path);
    const { evidence, item } = this.#scope;
    const sources = await evidence.getMany(item.id, "source", paths);
    const refusals = await this.#proveSurvivors(paths, sources);
    const present: Evidence[] = [];
    for (const path of paths) {
      const source = sources.get(path);
      if (!source) refusals.push(`${path}: no evidence of its hash`);
      else if (await this.#proveVictim(source, refusals)) present.push(source);
    }
    if (refusals.length === 0) return present;
    throw this.#refusal(
      "destroy/not-proved",
      `${refusals.length} of ${paths.length} files may not go: ${list(refusals, "; ")}`,
    );
  }

  /** S5(b): enough other places, in distinct domains, still hold each file proved. Returns why not, per file. */
  async #proveSurvivors(paths: readonly string[], sources: ReadonlyMap<string, Evidence>): Promise<string[]> {
    const { evidence, item } = this.#scope;
    const domains = new Map<string, { strong: Set<string>; any: Set<string> }>();
    for (const path of paths) domains.set(path, { strong: new Set(), any: new Set() });
    const doubts: string[] = [];
    for (const place of this.#services.survivors) {
      const held = await evidence.getMany(item.id, place.id, paths);
      const proofs = [...held.values()].filter((proof) =>
        proof.level === "proved" && strengthOf(proof.guarantee) !== "none" && proof.placeUuid === place.uuid &&
        proof.sha256 === sources.get(proof.path)?.sha256 && proof.size === sources.get(proof.path)?.size
      );
      if (proofs.length === 0) continue;
      const doubtful = await place.recheck(this.#scope, proofs);
      for (const [path, why] of doubtful) doubts.push(`${path}: ${place.id} no longer holds it (${why})`);
      for (const proof of proofs) {
        if (doubtful.has(proof.path)) continue;
        const domain = domains.get(proof.path);
        domain?.any.add(place.domain);
        if (strengthOf(proof.guarantee) === "strong") domain?.strong.add(place.domain);
      }
    }
    const wanted = Math.max(1, this.#rules.places);
    for (const [path, { strong, any }] of domains) {
      if (strong.size >= 1 && any.size >= wanted) continue;
      doubts.push(`${path}: proved at ${any.size} other places (${strong.size} strongly), wanted ${wanted}`);
    }
    return doubts;
  }

  /** S5(a), S6: the file to remove is the one that was hashed. False when an earlier run removed it already. */
  async #proveVictim(source: Evidence, refusals: string[]): Promise<boolean> {
    const { fs } = this.#services;
    const path = itemPath(this.#victim.root, source.path);
    const stat = await fs.lstat(path);
    if (!stat) {
      if (!this.#resumed) refusals.push(`${source.path}: it is gone, and this engine did not remove it`);
      return false;
    }
    const expected = source.identity;
    if (stat.kind !== "file" || !expected || !sameIdentity(stat, expected)) {
      refusals.push(
        `${source.path}: it changed after it was hashed (${describeIdentity(expected)}; now ${describeIdentity(stat)})`,
      );
      return false;
    }
    if (this.#rules.recheck === "hash" || !identitySuffices(source)) {
      const again = await hashFile(fs, path, { fresh: false, signal: this.#scope.signal });
      if (again.sha256 !== source.sha256 || !sameIdentity(again.after, expected)) {
        refusals.push(`${source.path}: its bytes are not those that were copied`);
        return false;
      }
    }
    return true;
  }

  /** The last look and the act, as close together as the system lets them be. */
  async #unlink(evidence: Evidence): Promise<void> {
    const { fs } = this.#services;
    const path = itemPath(this.#victim.root, evidence.path);
    const stat = await fs.lstat(path);
    if (!stat || stat.kind !== "file" || !evidence.identity || !sameIdentity(stat, evidence.identity)) {
      throw this.#refusal("destroy/source-changed", `${evidence.path} changed between its last check and its removal`);
    }
    await fs.removeFile(path);
    this.#removed++;
  }

  /** S4: an intent under which nothing was removed is withdrawn, so that the item is free for other work. */
  async #withdrawIfUntouched(): Promise<void> {
    if (this.#resumed || this.#removed > 0) return;
    const { journal, ledger } = this.#services;
    const record = await ledger.latest(this.#scope.item.name);
    if (record?.status === "complete" && record.incarnation === this.#scope.item.id) {
      await ledger.append(follow(record, { [this.#victim.begun]: null }));
    }
    await journal.intents.close(this.#scope.item.id, this.#victim.id);
    this.#begun = undefined;
  }

  #refusal(code: string, found: string): PipelineError {
    return new PipelineError(code, `Cannot remove "${this.#scope.item.name}" from ${this.#victim.id}: ${found}`, {
      hint: "Nothing in doubt was removed. Look at what changed; the next run proves everything again.",
    });
  }
}

/** Closes a destroy whose victim is gone: ledger first, then the journal forgets the item. */
export async function recordEnd(
  services: Pick<DestroyServices, "clock" | "journal" | "ledger">,
  victim: Pick<Victim, "id" | "begun" | "ended">,
  item: { id: string; name: string },
): Promise<void> {
  const record = await services.ledger.latest(item.name);
  if (record && record[victim.begun] !== null && record[victim.ended] === null) {
    await services.ledger.append(follow(record, { [victim.ended]: new Date(services.clock.now()).toISOString() }));
  }
  await services.journal.intents.close(item.id, victim.id);
  await services.journal.evidence.remove(item.id);
  await services.journal.steps.remove(item.id);
}

function list(parts: readonly string[], separator = ", "): string {
  const shown = parts.slice(0, 5).join(separator);
  return parts.length > 5 ? `${shown}${separator}and ${parts.length - 5} more` : shown;
}
