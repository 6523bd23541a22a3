/**
 * A bucket with a prefix as a place: uploads and proves objects, and looks at them again by listing.
 * @module
 */
import type { SourceFile } from "../contract.ts";
import type { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { storeClockOffset } from "../objects/clock_skew.ts";
import { itemPrefix, objectKey, objectUri } from "../objects/keys.ts";
import { proveObject } from "../objects/prove.ts";
import { type ArchivedObject, proveArchivedObjects } from "../objects/prove_archived.ts";
import { recheckObjects } from "../objects/recheck.ts";
import { inWords, request } from "../objects/session.ts";
import type { ObjectSession } from "../objects/session.ts";
import { bytesSource, fileSource } from "../objects/source.ts";
import { uploadMany } from "../objects/upload.ts";
import type { UploadedObject, UploadRequest } from "../objects/upload.ts";
import type { Clock, FileBatch } from "../ports.ts";
import type { NameClaim } from "../safety/claims.ts";
import { archivedEvidence } from "./archived.ts";
import { batchFiles } from "./batches.ts";
import { claimAtPrefix, claimKey, claimPrefix, judgePrefix } from "./claim_objects.ts";
import type { OurClaim } from "./claim_objects.ts";
import { assertSameHash, hashedEvidence, requireHashed } from "./hashed.ts";
import { missingFiles } from "./missing.ts";
import type { Doubts, ItemScope, Place, Seal, SidecarLine } from "./place.ts";
import { readSidecarObject, sealObject, sealOfObject, SidecarObjectLook } from "./seal_objects.ts";

export interface ObjectPlaceOptions {
  id: string;
  /** Ends in `/`, or empty. */
  prefix: string;
  domain?: string;
  session: ObjectSession;
  fs: FileSystem;
  clock: Clock;
  sourceUuid: string;
  claim: (scope: ItemScope) => NameClaim;
  /** Ids of the pipeline's other buckets. */
  others: readonly string[];
}

/** Rows of evidence compared with one listing (SAFETY S5). */
const ROWS_AT_ONCE = 1000;

export class ObjectPlace implements Place {
  readonly kind = "objects";
  readonly id: string;
  readonly domain: string;
  readonly uuid: string;
  readonly #options: ObjectPlaceOptions;
  readonly #look = new SidecarObjectLook();
  /** Incarnations whose evidence was compared with the store in this run. */
  readonly #compared = new Map<string, Promise<void>>();

  constructor(options: ObjectPlaceOptions) {
    this.#options = options;
    this.id = options.id;
    this.uuid = options.session.store.identity;
    this.domain = options.domain ?? `place:${options.id}`;
  }

  uri(itemName: string, path?: string): string {
    const { prefix, session } = this.#options;
    const key = path === undefined ? itemPrefix(prefix, itemName).slice(0, -1) : objectKey(prefix, itemName, path);
    return objectUri(session.store.uri, key);
  }

  /** A bucket is named by every request; there is no mount that could be another one. */
  check(): Promise<void> {
    return Promise.resolve();
  }

  async now(signal: AbortSignal): Promise<number | null> {
    const offset = await storeClockOffset(this.#session(signal));
    return offset === null ? null : this.#options.clock.now() - offset;
  }

  claim(scope: ItemScope): Promise<void> {
    return claimPrefix(this.#session(scope.signal), this.#options.prefix, this.#ourClaim(scope));
  }

  async assertClaimable(scope: ItemScope): Promise<void> {
    await judgePrefix(this.#session(scope.signal), this.#options.prefix, this.#ourClaim(scope));
  }

  claimant(itemName: string, signal: AbortSignal): Promise<NameClaim | undefined> {
    return claimAtPrefix(this.#session(signal), this.#options.prefix, itemName);
  }

  claimUri(itemName: string): string {
    const { prefix, session } = this.#options;
    return objectUri(session.store.uri, claimKey(prefix, itemName));
  }

  #ourClaim(scope: ItemScope): OurClaim {
    const { claim, others } = this.#options;
    return { place: this.id, name: scope.item.name, claim: { ...claim(scope), place: this.id }, others };
  }

  batches(scope: ItemScope, files: AsyncIterable<SourceFile>): AsyncIterable<FileBatch> {
    const { partSize } = this.#options.session.settings;
    const limits = { small: partSize, files: 256, bytes: 16 * partSize };
    return batchFiles(files, { incarnation: scope.item.id, placeUuid: this.uuid, limits });
  }

  holdsFolder(scope: ItemScope, path: string): Promise<boolean> {
    const session = this.#session(scope.signal);
    const key = objectKey(this.#options.prefix, scope.item.name, `${path}/`);
    const ask = async () => {
      for await (const _ of session.store.list(key, scope.signal)) return true;
      return false;
    };
    return inWords(session, { verb: "list", key }, () => request(session, `list "${key}"`, ask));
  }

  async *missing(
    scope: ItemScope,
    files: AsyncIterable<SourceFile>,
    onHeld: (file: SourceFile) => void,
  ): AsyncIterable<SourceFile> {
    await this.#compareOnce(scope);
    const proving = this.#options.session.settings.verify !== "none";
    // Nothing is asked of a place that nothing was written to yet (SAFETY S17).
    const isKnown = (await scope.evidence.totals(scope.item.id, this.id)).files > 0;
    const stands = async (file: SourceFile, here: Evidence | undefined) => {
      if (file.emptyFolder) return isKnown && await this.#hasFolder(scope, file);
      return here !== undefined && (here.level === "proved" || !proving);
    };
    yield* missingFiles(this.#options.fs, scope, files, { place: this.id, placeUuid: this.uuid, stands, onHeld });
  }

  /** An empty folder carries no evidence: its object is looked for. */
  async #hasFolder(scope: ItemScope, file: SourceFile): Promise<boolean> {
    const session = this.#session(scope.signal);
    const key = this.#key(scope.item.name, file);
    const ask = () => request(session, `look at "${key}"`, () => session.store.head(key, scope.signal));
    return await inWords(session, { verb: "look at", key }, ask) !== undefined;
  }

  async write(scope: ItemScope, files: readonly SourceFile[]): Promise<void> {
    const { item, evidence } = scope;
    const at = this.#now();
    const paths = files.filter((file) => !file.emptyFolder).map((file) => file.path);
    const hashed = await evidence.getMany(item.id, SOURCE_PLACE, paths);
    const byKey = new Map(files.map((file) => [this.#key(item.name, file), file]));
    const minted: Evidence[] = [];
    let failure: PipelineError | undefined;
    for await (const outcome of uploadMany(this.#session(scope.signal), this.#requests(scope, byKey, hashed))) {
      const file = byKey.get(outcome.request.key);
      if (!outcome.ok) failure ??= outcome.error;
      else if (file && !file.emptyFolder) {
        assertSameHash(hashed.get(file.path), { path: file.path, sha256: outcome.object.sha256 });
        minted.push(...this.#minted(scope, { file, object: outcome.object, at }));
        scope.onBytes(file.size);
      }
    }
    await evidence.put(item.id, minted);
    if (failure) throw failure;
  }

  async prove(scope: ItemScope, files: readonly SourceFile[]): Promise<void> {
    const hashed = await requireHashed(scope, files.map((file) => file.path));
    await this.reprove(scope, files.map(({ path }) => ({ path, sha256: hashed.get(path)!.sha256 })));
  }

  async reprove(scope: ItemScope, lines: readonly SidecarLine[]): Promise<void> {
    const session = this.#session(scope.signal);
    const at = this.#now();
    const proved: Evidence[] = [];
    for (const line of lines) {
      const key = objectKey(this.#options.prefix, scope.item.name, line.path);
      const info = await inWords(
        session,
        { verb: "verify", key },
        () => request(session, `look at "${key}"`, () => session.store.head(key, scope.signal)),
      );
      const size = info?.size ?? 0;
      const proof = await proveObject(session, { key, size, sha256: line.sha256 });
      proved.push({
        path: line.path,
        size,
        sha256: line.sha256,
        place: this.id,
        placeUuid: this.uuid,
        uri: objectUri(session.store.uri, key),
        level: "proved",
        guarantee: proof.guarantee,
        at,
        etag: proof.etag ?? undefined,
        versionId: proof.versionId ?? undefined,
      });
      scope.onBytes(size);
    }
    await scope.evidence.put(scope.item.id, proved);
  }

  async holdsAny(scope: ItemScope): Promise<boolean> {
    const session = this.#session(scope.signal);
    const key = itemPrefix(this.#options.prefix, scope.item.name);
    const ask = async () => {
      for await (const _ of session.store.list(key, scope.signal)) return true;
      return false;
    };
    return await inWords(session, { verb: "list", key }, () => request(session, `list "${key}"`, ask));
  }

  async proveArchived(scope: ItemScope, lines: readonly SidecarLine[]): Promise<void> {
    const { fs, prefix, sourceUuid } = this.#options;
    const session = this.#session(scope.signal);
    const at = this.#now();
    const wanted: ArchivedObject[] = [];
    for (const { path, sha256 } of lines) {
      const local = itemPath(scope.item.root, path);
      const file = await fs.lstat(local) === undefined ? undefined : await fileSource(fs, local);
      wanted.push({ key: objectKey(prefix, scope.item.name, path), sha256, file });
    }
    const minted: Evidence[] = [];
    for (const [index, proof] of (await proveArchivedObjects(session, wanted)).entries()) {
      const line = lines[index];
      const { size, guarantee, identity } = proof;
      minted.push(archivedEvidence(scope, { ...line, size, identity }, { sourceUuid, at }), {
        path: line.path,
        size,
        sha256: line.sha256,
        place: this.id,
        placeUuid: this.uuid,
        uri: objectUri(session.store.uri, wanted[index].key),
        level: "proved",
        guarantee,
        at,
        etag: proof.etag ?? undefined,
        versionId: proof.versionId ?? undefined,
      });
      scope.onBytes(size);
    }
    await scope.evidence.put(scope.item.id, minted);
  }

  /** SAFETY S14 at a store: every evidence name is listed, with the ETag and version it was proved with. */
  async enumerate(scope: ItemScope): Promise<void> {
    for await (const rows of this.#pages(scope)) {
      for (const [path, why] of await this.recheck(scope, rows)) {
        scope.log.warn(`"${this.uri(scope.item.name, path)}": ${why}; it is proved again by reading`);
        await this.reprove(scope, rows.filter((row) => row.path === path));
      }
    }
  }

  seal(scope: ItemScope): Promise<Seal> {
    return sealObject(this.#session(scope.signal), scope, { place: this.id, key: this.#sidecarKey(scope.item.name) });
  }

  sealed(scope: ItemScope): Promise<Seal | undefined> {
    return sealOfObject(this.#session(scope.signal), scope, { place: this.id, key: this.#sidecarKey(scope.item.name) });
  }

  holdsSidecar({ item, signal }: ItemScope, sha256: string): Promise<boolean> {
    return this.#look.holds(this.#session(signal), { key: this.#sidecarKey(item.name), sha256 });
  }

  readSidecar(itemName: string, expectedSha256: string, signal: AbortSignal): AsyncIterable<SidecarLine> {
    return readSidecarObject(this.#session(signal), { key: this.#sidecarKey(itemName), expectedSha256 });
  }

  async recheck(scope: ItemScope, evidence: readonly Evidence[]): Promise<Doubts> {
    const { problems } = await recheckObjects(this.#session(scope.signal), {
      prefix: itemPrefix(this.#options.prefix, scope.item.name),
      evidence,
    });
    return new Map(problems.map(({ path, why }) => [path, why]));
  }

  /** Evidence of an earlier run is compared with the store before it saves any work; what differs is forgotten. */
  #compareOnce(scope: ItemScope): Promise<void> {
    let compared = this.#compared.get(scope.item.id);
    if (compared) return compared;
    compared = this.#compare(scope).catch((error) => {
      this.#compared.delete(scope.item.id); // a retry asks anew
      throw error;
    });
    this.#compared.set(scope.item.id, compared);
    return compared;
  }

  async #compare(scope: ItemScope): Promise<void> {
    for await (const rows of this.#pages(scope)) {
      const doubtful = await this.recheck(scope, rows);
      if (doubtful.size > 0) await scope.evidence.remove(scope.item.id, this.id, [...doubtful.keys()]);
    }
  }

  async *#pages(scope: ItemScope): AsyncIterable<Evidence[]> {
    let rows: Evidence[] = [];
    for await (const row of scope.evidence.list(scope.item.id, this.id)) {
      if (row.placeUuid !== this.uuid) continue;
      rows.push(row);
      if (rows.length < ROWS_AT_ONCE) continue;
      yield rows;
      rows = [];
    }
    if (rows.length > 0) yield rows;
  }

  async *#requests(
    scope: ItemScope,
    byKey: ReadonlyMap<string, SourceFile>,
    hashed: ReadonlyMap<string, Evidence>,
  ): AsyncIterable<UploadRequest> {
    for (const [key, file] of byKey) {
      const path = itemPath(scope.item.root, file.path);
      const source = file.emptyFolder ? bytesSource(path, new Uint8Array(0)) : await fileSource(this.#options.fs, path);
      yield { key, source, incarnation: scope.item.id, sha256: hashed.get(file.path)?.sha256, mtimeMs: file.mtimeMs };
    }
  }

  #minted(
    scope: ItemScope,
    { file, object, at }: { file: SourceFile; object: UploadedObject; at: string },
  ): Evidence[] {
    const { sha256, size, identity } = object;
    return [
      hashedEvidence(scope, { path: file.path, size, sha256, identity }, { sourceUuid: this.#options.sourceUuid, at }),
      {
        path: file.path,
        size,
        sha256,
        place: this.id,
        placeUuid: this.uuid,
        uri: object.uri,
        level: object.guarantee === "none" ? "written" : "proved",
        guarantee: object.guarantee,
        at: object.at,
        etag: object.etag ?? undefined,
        versionId: object.versionId ?? undefined,
        partSize: object.partSize,
        composite: object.composite,
      },
    ];
  }

  #key(itemName: string, file: SourceFile): string {
    return objectKey(this.#options.prefix, itemName, file.emptyFolder ? `${file.path}/` : file.path);
  }

  #sidecarKey(itemName: string): string {
    return objectKey(this.#options.prefix, itemName, SIDECAR_NAME);
  }

  #session(signal: AbortSignal): ObjectSession {
    return { ...this.#options.session, signal };
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}
