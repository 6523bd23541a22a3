/**
 * What a destroy proves of each file right before it goes (SAFETY S2, S5 a and b, S6): enough other places hold it, and
 * the file at the victim is the one that was hashed.
 * @module
 */
import type { ChangeIdentity, Evidence } from "../evidence.ts";
import { SOURCE_PLACE, strengthOf } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import type { ItemScope, Place } from "../places/place.ts";
import type { Clock, DestroyRules } from "../ports.ts";
import { MAX_OFFSET_MS } from "./clocks.ts";
import {
  BLIND_MS,
  blindFor,
  describeIdentity,
  identityOf,
  identitySuffices,
  sameButDevice,
  sameIdentity,
  sameInode,
} from "./incarnation.ts";

/** How long (ms) a file is waited for: as far as the clocks of a destroy may be apart, twice over. */
const LONGEST_BLIND_MS = 2 * MAX_OFFSET_MS + 2 * BLIND_MS;

export interface ProofServices {
  fs: FileSystem;
  clock: Clock;
  /** Every place of the pipeline but the victim. */
  survivors: readonly Place[];
}

/** A file that may go, as it was just seen. */
export interface Removable {
  path: string;
  identity: ChangeIdentity;
}

export interface ProofOutcome {
  /** Files that are still there. */
  present: Removable[];
  /** Why files may not go, by path. */
  refusals: Refusals;
}

/** Why files may not go: one of them for more than one reason, perhaps. */
export class Refusals {
  readonly #byPath = new Map<string, string[]>();

  add(path: string, why: string): void {
    const standing = this.#byPath.get(path);
    if (standing) standing.push(why);
    else this.#byPath.set(path, [why]);
  }

  /** How many files. */
  get files(): number {
    return this.#byPath.size;
  }

  /** The first few, each with its path. */
  words(): string {
    const shown = [...this.#byPath].slice(0, 5).map(([path, why]) => `${path}: ${why.join(", and ")}`);
    if (this.files > shown.length) shown.push(`and ${this.files - shown.length} more`);
    return shown.join("; ");
  }
}

interface Holders {
  strong: Set<string>;
  any: Set<string>;
  /** Files that hold the bytes, where the system tells. */
  inodes: ChangeIdentity[];
}

export class DestroyProofs {
  readonly #services: ProofServices;
  #scope: ItemScope;
  readonly #root: string;
  /** Those of the act under way: one may ask for more than the one before it. */
  #rules: DestroyRules | undefined;
  /** Files of the batch under way that were read once more, so that another look at it need not read them again. */
  readonly #read = new Map<string, Pick<Evidence, "identity" | "at">>();

  constructor(services: ProofServices, scope: ItemScope, victim: { root: string }) {
    this.#services = services;
    this.#scope = scope;
    this.#root = victim.root;
  }

  /** Forgets what was read for an earlier batch. `rules` and `signal` are those of the new one. */
  begin({ rules, signal }: { rules: DestroyRules; signal: AbortSignal }): void {
    this.#read.clear();
    this.#rules = rules;
    this.#scope = { ...this.#scope, signal };
  }

  /**
   * `resumed`: an earlier run began this destroy; files may be gone. `underWay`: a file is gone, so that only this
   * destroy can go on, and a file that was touched may still go, if its bytes are those of the archive. `removed`: those
   * this run removed. `skewMs`: how far our clock may be off the one that stamps the victim's files.
   */
  async prove(
    paths: readonly string[],
    { removed, ...given }: { resumed: boolean; underWay: boolean; removed: ReadonlySet<string>; skewMs?: number },
  ): Promise<ProofOutcome> {
    const rules = this.#rules;
    if (rules === undefined) throw new TypeError("Cannot prove a batch that was not begun");
    const so = { ...given, rules };
    const { evidence, item } = this.#scope;
    const sources = await evidence.getMany(item.id, SOURCE_PLACE, paths);
    const refusals = new Refusals();
    const holders = await this.#holders(paths, { sources, refusals, underWay: so.underWay, rules });
    const present: Removable[] = [];
    for (const path of paths) {
      this.#scope.signal.throwIfAborted();
      const source = sources.get(path);
      if (!source) {
        refusals.add(path, "no evidence of its hash");
        continue;
      }
      if (removed.has(path) && await this.#services.fs.lstat(itemPath(this.#root, path)) === undefined) continue;
      const identity = await this.#proveVictim(source, { refusals, ...so });
      if (!identity) continue;
      if (holders.get(path)?.inodes.some((other) => sameInode(other, identity))) {
        refusals.add(path, "a place holds this very file, not a copy of it");
      }
      present.push({ path, identity });
    }
    return { present, refusals };
  }

  /** S5(b): which places, in distinct domains, still hold each file proved. Proofs of those that do not are void. */
  async #holders(
    paths: readonly string[],
    { sources, refusals, underWay, rules }: {
      sources: ReadonlyMap<string, Evidence>;
      refusals: Refusals;
      underWay: boolean;
      rules: DestroyRules;
    },
  ): Promise<Map<string, Holders>> {
    const holders = new Map(paths.map((path): [string, Holders] => [path, emptyHolders()]));
    for (const place of this.#services.survivors) {
      const proofs = await this.#proofs(place, paths, sources);
      if (proofs.length === 0) continue;
      const doubtful = await place.recheck(this.#scope, proofs);
      // An unmounted place has none of its files; that says nothing of them.
      if (doubtful.size > 0) await place.check(this.#scope.signal);
      for (const [path, why] of doubtful) refusals.add(path, `${place.id} no longer holds it (${why})`);
      // The next run must not take it for held. Where files are gone only this goes on, and looks at all of it anew.
      if (!underWay && doubtful.size > 0) {
        await this.#scope.evidence.remove(this.#scope.item.id, place.id, [...doubtful.keys()]);
      }
      // What was doubtful and was read again has other evidence now, perhaps of another strength.
      for (const proof of await this.#proofs(place, paths, sources)) {
        if (doubtful.has(proof.path)) continue;
        const holder = holders.get(proof.path);
        const { identity } = proof;
        // One file by two names is one copy, whatever places they are at.
        if (!holder || (identity && holder.inodes.some((other) => sameInode(other, identity)))) continue;
        holder.any.add(place.domain);
        if (strengthOf(proof.guarantee) === "strong") holder.strong.add(place.domain);
        if (identity) holder.inodes.push(identity);
      }
    }
    const wanted = Math.max(1, rules.places);
    for (const [path, { strong, any }] of holders) {
      if (strong.size >= 1 && any.size >= wanted) continue;
      refusals.add(path, `proved at ${any.size} other places (${strong.size} strongly), wanted ${wanted}`);
    }
    return holders;
  }

  async #proofs(
    place: Place,
    paths: readonly string[],
    sources: ReadonlyMap<string, Evidence>,
  ): Promise<Evidence[]> {
    const held = await this.#scope.evidence.getMany(this.#scope.item.id, place.id, paths);
    return [...held.values()].filter((proof) => {
      const source = sources.get(proof.path);
      return proof.level === "proved" && strengthOf(proof.guarantee) !== "none" && proof.placeUuid === place.uuid &&
        proof.sha256 === source?.sha256 && proof.size === source.size;
    });
  }

  /** S5(a), S6: returns the identity of the file that was hashed; undefined when it is gone or may not go. */
  async #proveVictim(
    source: Evidence,
    { refusals, rules, resumed, underWay, skewMs }: {
      refusals: Refusals;
      rules: DestroyRules;
      resumed: boolean;
      underWay: boolean;
      skewMs?: number;
    },
  ): Promise<ChangeIdentity | undefined> {
    const { fs, clock } = this.#services;
    const path = itemPath(this.#root, source.path);
    const stat = await fs.lstat(path);
    if (!stat) {
      if (!resumed) refusals.add(source.path, "it is gone, and this engine did not remove it");
      return undefined;
    }
    const expected = source.identity;
    // Device numbers change over a restart of the host; the root's marker is the same, and the bytes are read again.
    const known = expected && (sameButDevice(stat, expected) || (underWay && stat.size === source.size));
    if (stat.kind !== "file" || !known) {
      refusals.add(
        source.path,
        `it changed after it was hashed (${describeIdentity(expected)}; now ${describeIdentity(stat)})`,
      );
      return undefined;
    }
    const read = this.#read.get(source.path);
    if (read?.identity && sameIdentity(stat, read.identity) && identitySuffices(read, skewMs)) return read.identity;
    const isEnough = rules.recheck === "identity" && sameIdentity(stat, expected);
    if (isEnough && identitySuffices(source, skewMs)) return expected;
    // A change by the second of the last one would not show: the file is read once that second is over.
    const blindMs = blindFor(stat, { at: clock.now(), skewMs });
    if (blindMs > LONGEST_BLIND_MS) {
      refusals.add(source.path, `its change time is ahead of the clock (${describeIdentity(stat)})`);
      return undefined;
    }
    if (blindMs > 0) await clock.sleep(blindMs, this.#scope.signal);
    const at = new Date(clock.now()).toISOString();
    const again = await hashFile(fs, path, { fresh: false, signal: this.#scope.signal });
    if (again.sha256 !== source.sha256) {
      refusals.add(source.path, "its bytes are not those that were copied");
      return undefined;
    }
    const identity = identityOf(again.after);
    if (blindFor(identity, { at: Date.parse(at), skewMs }) > 0) {
      refusals.add(source.path, "it was touched while it was read");
      return undefined;
    }
    this.#read.set(source.path, { identity, at });
    return identity;
  }
}

function emptyHolders(): Holders {
  return { strong: new Set(), any: new Set(), inodes: [] };
}

/** Of the names of one inode, as far as they are known, only the first. */
export function oneOfEach(paths: readonly string[], inodes: ReadonlyMap<string, number>): string[] {
  const seen = new Set<number>();
  return paths.filter((path) => {
    const ino = inodes.get(path);
    if (ino === undefined) return true;
    const isFirst = !seen.has(ino);
    seen.add(ino);
    return isFirst;
  });
}
