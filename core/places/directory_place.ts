/**
 * A folder as a place: copies files in, reads them back from the medium, seals them with a sidecar.
 * @module
 */
import type { SourceFile } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { Evidence, Guarantee } from "../evidence.ts";
import type { Durability, FileStat, FileSystem, LargeResult, Medium, SmallResult } from "../io/file_system.ts";
import { flushStanding } from "../io/flush_standing.ts";
import { SIDECAR_NAME, temporaryName } from "../io/names.ts";
import { itemPath, parentOf } from "../io/paths.ts";
import { copyLarge, copySmall, errorOf, hashFiles, makeFolders, SMALL_FILE_BYTES } from "../io/transfer.ts";
import type { Clock, FileBatch } from "../ports.ts";
import type { NameClaim } from "../safety/claims.ts";
import { identityOf, identitySuffices, sameIdentity, sameInode } from "../safety/incarnation.ts";
import type { MarkedRoot } from "../safety/roots.ts";
import { batchFiles, DIRECTORY_BATCH, stepId } from "./batches.ts";
import { claimAtFolder, claimFolder, claimPath, judgeFolder } from "./claim_files.ts";
import { notACopy, notHeld } from "./directory_errors.ts";
import { assertEnumerates } from "./enumerate.ts";
import { skewOf } from "../safety/clocks.ts";
import { FolderClock } from "./folder_clock.ts";
import { assertSameHash, hashedEvidence, requireHashed } from "./hashed.ts";
import { missingFiles } from "./missing.ts";
import type { Doubts, ItemScope, Place, Seal, SidecarLine } from "./place.ts";
import { readSidecarFile, sealFolder, sealOfFolder, SidecarFileLook } from "./seal_files.ts";

export interface DirectoryPlaceOptions {
  id: string;
  root: MarkedRoot;
  domain?: string;
  durability: Durability;
  fs: FileSystem;
  clock: Clock;
  sourceUuid: string;
  claim: (scope: ItemScope) => NameClaim;
}

type Pass = Pick<LargeResult, "sha256" | "after" | "medium" | "target" | "existed">;

export class DirectoryPlace implements Place {
  readonly kind = "directory";
  readonly id: string;
  readonly domain: string;
  readonly #options: DirectoryPlaceOptions;
  readonly #clock: FolderClock;
  readonly #look = new SidecarFileLook();
  #warned = false;
  /** How far our clock may be off the one that stamps the files here, as it was found last, in ms. */
  #skewMs = 0;
  /** Folders known to stand, by item. */
  readonly #folders = new Map<string, Set<string>>();

  constructor(options: DirectoryPlaceOptions) {
    this.#options = options;
    this.#clock = new FolderClock(options.fs, options.root);
    this.id = options.id;
    this.domain = options.domain ?? `place:${options.id}`;
  }

  get uuid(): string {
    return this.#options.root.uuid;
  }

  uri(itemName: string, path?: string): string {
    const root = itemPath(this.#options.root.path, itemName);
    return path === undefined ? root : itemPath(root, path);
  }

  check(): Promise<void> {
    return this.#options.root.check();
  }

  async now(): Promise<number | null> {
    const { clock } = this.#options;
    const before = clock.now();
    const theirs = await this.#clock.now();
    if (theirs !== null) this.#skewMs = skewOf(theirs, { before, after: clock.now() });
    return theirs;
  }

  claim(scope: ItemScope): Promise<void> {
    const { fs, root } = this.#options;
    return claimFolder(fs, root.path, { place: this.id, name: scope.item.name, claim: this.#options.claim(scope) });
  }

  async assertClaimable(scope: ItemScope): Promise<void> {
    const { fs, root, claim } = this.#options;
    await judgeFolder(fs, root.path, { place: this.id, name: scope.item.name, claim: claim(scope) });
  }

  claimant(itemName: string): Promise<NameClaim | undefined> {
    return claimAtFolder(this.#options.fs, this.#options.root.path, itemName);
  }

  claimUri(itemName: string): string {
    return claimPath(this.#options.root.path, itemName);
  }

  batches(scope: ItemScope, files: AsyncIterable<SourceFile>): AsyncIterable<FileBatch> {
    return batchFiles(files, { incarnation: scope.item.id, placeUuid: this.uuid, limits: DIRECTORY_BATCH });
  }

  async holdsFolder(scope: ItemScope, path: string): Promise<boolean> {
    return (await this.#options.fs.lstat(this.uri(scope.item.name, path)))?.kind === "directory";
  }

  missing(
    scope: ItemScope,
    files: AsyncIterable<SourceFile>,
    onHeld: (file: SourceFile) => void,
  ): AsyncIterable<SourceFile> {
    const stands = async (file: SourceFile, here: Evidence | undefined) => {
      const stat = await this.#options.fs.lstat(this.uri(scope.item.name, file.path));
      if (file.emptyFolder) return stat?.kind === "directory";
      // One that was never flushed is done again: the bytes that stand are proved equal, and flushed.
      if (here?.identity === undefined || (here.unflushed && this.#flushes)) return false;
      return stat !== undefined && sameIdentity(stat, here.identity);
    };
    return missingFiles(this.#options.fs, scope, files, { place: this.id, placeUuid: this.uuid, stands, onHeld });
  }

  async write(scope: ItemScope, files: readonly SourceFile[]): Promise<void> {
    await this.check();
    // Stamped before the first read: SAFETY S6 compares it with change times that come in whole seconds.
    const at = this.#now();
    await this.#makeFolders(scope, files);
    const written = files.filter((file) => !file.emptyFolder);
    const small = written.filter((file) => file.size <= SMALL_FILE_BYTES);
    const passes = await this.#copySmall(scope, small, at);
    for (const file of written) {
      if (file.size > SMALL_FILE_BYTES) passes.push([file, await this.#copyLarge(scope, file)]);
    }
    // A share that went away in between would have let local folders take the bytes.
    await this.check();
    await this.#mintWritten(scope, passes, at);
  }

  async prove(scope: ItemScope, files: readonly SourceFile[]): Promise<void> {
    await this.check();
    const hashed = await requireHashed(scope, files.map((file) => file.path));
    const lines = files.map(({ path }) => ({ path, sha256: hashed.get(path)!.sha256, size: hashed.get(path)!.size }));
    await this.#proveLines(scope, lines);
  }

  async reprove(scope: ItemScope, lines: readonly SidecarLine[]): Promise<void> {
    await this.check();
    const sized = [];
    for (const line of lines) {
      const stat = await this.#options.fs.lstat(this.uri(scope.item.name, line.path));
      if (!stat) throw notHeld(this.id, this.uri(scope.item.name, line.path), "it is gone");
      sized.push({ ...line, size: stat.size });
    }
    // Nothing is known of how they were written.
    if (this.#flushes) await this.#flush(scope, sized.map((line) => line.path));
    await this.#proveLines(scope, sized, { flushed: this.#flushes });
  }

  async enumerate(scope: ItemScope): Promise<void> {
    await this.check();
    await assertEnumerates(this.#options.fs, scope, { place: this.id, root: this.uri(scope.item.name) });
  }

  async seal(scope: ItemScope): Promise<Seal> {
    await this.check();
    const { fs, durability } = this.#options;
    return await sealFolder(fs, scope, {
      place: this.id,
      folder: this.uri(scope.item.name),
      temporary: this.#temporary(scope, { path: SIDECAR_NAME, size: 0, mtimeMs: null }),
      durability,
    });
  }

  sealed(scope: ItemScope): Promise<Seal | undefined> {
    return sealOfFolder(this.#options.fs, scope, { place: this.id, folder: this.uri(scope.item.name) });
  }

  holdsSidecar({ item, signal }: ItemScope, sha256: string): Promise<boolean> {
    return this.#look.holds(this.#options, this.uri(item.name, SIDECAR_NAME), { sha256, signal });
  }

  readSidecar(itemName: string, expectedSha256: string, signal: AbortSignal): AsyncIterable<SidecarLine> {
    return readSidecarFile(this.#options.fs, this.uri(itemName, SIDECAR_NAME), { expectedSha256, signal });
  }

  async recheck(scope: ItemScope, evidence: readonly Evidence[]): Promise<Doubts> {
    const doubts: Doubts = new Map();
    const again: Evidence[] = [];
    for (const proof of evidence) {
      const stat = await this.#options.fs.lstat(this.uri(scope.item.name, proof.path));
      if (!stat) doubts.set(proof.path, "it is gone");
      else if (stat.kind !== "file" || stat.size !== proof.size) doubts.set(proof.path, "it changed");
      else if (!proof.identity || !sameIdentity(stat, proof.identity) || !identitySuffices(proof, this.#skewMs)) {
        again.push(proof);
      }
    }
    const at = this.#now();
    const proved: Evidence[] = [];
    for (const [proof, pass] of await this.#hashAll(scope, again)) {
      if (!pass.ok) doubts.set(proof.path, pass.message);
      else if (pass.sha256 !== proof.sha256) doubts.set(proof.path, "its bytes changed");
      else {
        // The old proof fell with its identity; what counts from now on is how this reading was made.
        const { path, sha256 } = proof;
        proved.push(this.#provedBy(scope, { path, sha256, pass, at, flushed: !proof.unflushed }));
      }
    }
    await scope.evidence.put(scope.item.id, proved);
    return doubts;
  }

  async #makeFolders(scope: ItemScope, files: readonly SourceFile[]): Promise<void> {
    const { fs, root, durability } = this.#options;
    let known = this.#folders.get(scope.item.id);
    if (!known) {
      this.#folders.clear();
      this.#folders.set(scope.item.id, known = new Set());
    }
    for (const file of files) {
      const folder = file.emptyFolder ? file.path : parentOf(file.path);
      const relative = folder === "" ? scope.item.name : `${scope.item.name}/${folder}`;
      await makeFolders(fs, { root: root.path, relative }, { durability, known });
    }
  }

  /** What counts here must be on the medium. */
  get #flushes(): boolean {
    return this.#options.durability === "flushed";
  }

  #flush(scope: ItemScope, paths: readonly string[]): Promise<void> {
    const { fs, root } = this.#options;
    const below = paths.map((path) => `${scope.item.name}/${path}`);
    return flushStanding(fs, { root: root.path, paths: below }, scope.signal);
  }

  #temporary(scope: ItemScope, file: SourceFile): string {
    const folder = this.uri(scope.item.name, parentOf(file.path) || undefined);
    return itemPath(folder, temporaryName(stepId(scope.item.id, this.uuid, [file])));
  }

  async #copySmall(scope: ItemScope, files: readonly SourceFile[], at: string): Promise<[SourceFile, Pass][]> {
    const copies = files.map((file) => ({
      from: itemPath(scope.item.root, file.path),
      to: this.uri(scope.item.name, file.path),
      temporary: this.#temporary(scope, file),
      size: file.size,
    }));
    const { fs, durability } = this.#options;
    const results = await copySmall(fs, copies, { signal: scope.signal, durability, onBytes: scope.onBytes });
    const passes: [SourceFile, Pass][] = [];
    let failure: PipelineError | undefined;
    for (const [index, result] of results.entries()) {
      if (result.ok) passes.push([files[index], result]);
      else failure ??= errorOf(result);
    }
    if (!failure) return passes;
    // What was written stays claimed, so that the next attempt does the rest only; if it was written here.
    await this.check();
    await this.#mintWritten(scope, passes, at);
    throw failure;
  }

  #copyLarge(scope: ItemScope, file: SourceFile): Promise<Pass> {
    const { fs, durability } = this.#options;
    return copyLarge(fs, {
      from: itemPath(scope.item.root, file.path),
      to: this.uri(scope.item.name, file.path),
      temporary: this.#temporary(scope, file),
      durability,
    }, { signal: scope.signal, onBytes: scope.onBytes });
  }

  async #mintWritten(scope: ItemScope, passes: readonly [SourceFile, Pass][], at: string): Promise<void> {
    const { evidence, item } = scope;
    const earlier = await evidence.getMany(item.id, SOURCE_PLACE, passes.map(([file]) => file.path));
    const minted: Evidence[] = [];
    for (const [{ path }, pass] of passes) {
      const known = earlier.get(path);
      if (known?.identity && sameIdentity(known.identity, pass.after)) {
        assertSameHash(known, { path, sha256: pass.sha256 });
      }
      const target = pass.target ?? await this.#mustStat(scope, path);
      if (sameInode(target, pass.after)) throw notACopy(this.id, { path, uri: this.uri(scope.item.name, path) });
      minted.push(hashedEvidence(scope, { path, size: pass.after.size, sha256: pass.sha256, identity: pass.after }, {
        sourceUuid: this.#options.sourceUuid,
        at,
      }));
      minted.push(
        this.#evidence(scope, { path, sha256: pass.sha256, stat: target, flushed: this.#flushes }, {
          level: "written",
          guarantee: "none",
          at,
        }),
      );
    }
    await evidence.put(item.id, minted);
  }

  /** `flushed`: whether the files are on the medium; by default what their evidence says. */
  async #proveLines(
    scope: ItemScope,
    lines: readonly (SidecarLine & { size: number })[],
    how: { flushed?: boolean } = {},
  ): Promise<void> {
    const at = this.#now();
    const known = await scope.evidence.getMany(scope.item.id, this.id, lines.map((line) => line.path));
    const proved: Evidence[] = [];
    let failure: PipelineError | undefined;
    for (const [line, pass] of await this.#hashAll(scope, lines)) {
      if (!pass.ok) failure ??= errorOf(pass);
      else if (pass.sha256 !== line.sha256 || pass.after.size !== line.size) {
        // What an earlier reading proved does not stand against this one.
        if (known.get(line.path)?.level === "proved") await scope.evidence.remove(scope.item.id, this.id, [line.path]);
        failure ??= notHeld(
          this.id,
          this.uri(scope.item.name, line.path),
          `its SHA-256 is ${pass.sha256} (${pass.after.size} bytes), wanted ${line.sha256} (${line.size} bytes)`,
        );
      } else {
        const row = known.get(line.path);
        const flushed = how.flushed ?? (row !== undefined && !row.unflushed);
        proved.push(this.#provedBy(scope, { path: line.path, sha256: line.sha256, pass, at, flushed }));
      }
    }
    await scope.evidence.put(scope.item.id, proved);
    await this.#warnOfWeakness(scope, proved);
    if (failure) throw failure;
  }

  /** Says once a run why a delete may be refused later. */
  async #warnOfWeakness(scope: ItemScope, proved: readonly Evidence[]): Promise<void> {
    const { fs, root } = this.#options;
    if (this.#warned || !this.#flushes || !proved.some(({ medium }) => medium === "cached")) return;
    this.#warned = true;
    const unknown = "the bytes came from a cache of this machine.";
    // A place that cannot even be asked is the business of the next act there; this is only a sentence of the log.
    const why = await fs.whyCached?.(root.path).catch(() => unknown) ?? unknown;
    scope.log.warn(
      `The copies at ${this.id} ("${root.path}") count as cached-read only, and a delete needs a stronger proof beside ` +
        `them: ${why}`,
    );
  }

  /** Reads files of the place again, past the cache when they were flushed to be read so. */
  async #hashAll<L extends { path: string; size: number }>(
    scope: ItemScope,
    lines: readonly L[],
  ): Promise<[L, SmallResult][]> {
    const files = lines.map(({ path, size }) => ({ path: this.uri(scope.item.name, path), size }));
    const { signal, onBytes } = scope;
    const results = await hashFiles(this.#options.fs, files, { fresh: this.#flushes, signal, onBytes });
    return lines.map((line, at) => [line, results[at]]);
  }

  /** Bytes that were not flushed, or came from a cache, prove weakly (SAFETY, guarantees). */
  #provedBy(
    scope: ItemScope,
    file: { path: string; sha256: string; pass: { after: FileStat; medium: Medium }; at: string; flushed: boolean },
  ): Evidence {
    const { path, sha256, at, flushed } = file;
    const { medium, after } = file.pass;
    const guarantee: Guarantee = this.#flushes && flushed && medium !== "cached" ? "read-back" : "cached-read";
    const claim = { level: "proved", guarantee, at } as const;
    return { ...this.#evidence(scope, { path, sha256, stat: after, flushed }, claim), medium };
  }

  #evidence(
    scope: ItemScope,
    file: { path: string; sha256: string; stat: FileStat; flushed: boolean },
    claim: Pick<Evidence, "level" | "guarantee" | "at">,
  ): Evidence {
    return {
      path: file.path,
      size: file.stat.size,
      sha256: file.sha256,
      place: this.id,
      placeUuid: this.uuid,
      uri: this.uri(scope.item.name, file.path),
      identity: identityOf(file.stat),
      ...(file.flushed ? {} : { unflushed: true }),
      ...claim,
    };
  }

  async #mustStat(scope: ItemScope, path: string): Promise<FileStat> {
    const stat = await this.#options.fs.lstat(this.uri(scope.item.name, path));
    if (stat) return stat;
    throw notHeld(this.id, this.uri(scope.item.name, path), "it vanished after it was written");
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}
