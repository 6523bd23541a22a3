/**
 * What really stands where, judged without any code of the engine: by the nodes of the disks in memory, by what a loss
 * of power would leave of them, and by the objects of the bucket.
 * @module
 */
import type { FaultCall } from "../../testing/memory_types.ts";
import type { StoreCall } from "../../testing/memory_object_store.ts";
import { bitsApart, parseSidecar, same, sha256 } from "./truth_bytes.ts";
import { Copies } from "./truth_copies.ts";
import { MANIFEST_ROOT, type World } from "../../testing/world.ts";

/** A place as the pipeline in force declares it. */
export interface TruthPlace {
  id: string;
  /** OS path of the root, or key prefix ending in `/` (or empty). */
  folder?: string;
  prefix?: string;
  domain: string;
  /** Whether its proofs are strong: flushed, and read back past the cache; or an object. */
  strong: boolean;
}

/** What the pipeline a host runs demands before a file of its source may go. */
export interface Demand {
  places: TruthPlace[];
  /** `require.places`; undefined when it deletes nothing. */
  wanted: number | undefined;
}

export interface Host {
  name: string;
  sourceRoot: string;
  demand: Demand;
}

/** What is read of a ledger line here; names as in the ledger. */
interface Line {
  backup_name: string;
  source_path: string;
  file_count: number;
  total_bytes: number;
  completed_at: string | null;
  source_deleting_at: string | null;
  source_deleted_at: string | null;
  status: string;
  places: Record<string, { uri: string }>;
  sidecar_sha256: string | null;
  incarnation: string;
}

const SIDECAR = "_checksums.sha256";
/** The sidecar, and those of earlier attempts that were kept. */
const SIDECARS = /\/_checksums\.sha256(\.[0-9a-f]+)?$/;
const MONTH = /^\d{4}-\d{2}\.jsonl$/;
const WRITES: ReadonlySet<string> = new Set([
  "createNew",
  "openReadWrite",
  "link",
  "rename",
  "renameNew",
  "setMtime",
  "truncate",
  "write",
  "mkdir",
]);

export const isOwn = (path: string) => path.split("/").some((part) => /^\.(labferry|cleanup\.lock)/.test(part));
export class Truth extends Copies {
  /** What was found untrue, in words. */
  readonly violations: string[] = [];
  readonly hosts: Host[] = [];
  /** Bits flipped on their way to a disk or into the bucket so far. */
  flips = 0;
  crashes = 0;
  removals = 0;
  /** Mounts that are away: what is seen under their paths is not theirs. */
  readonly away = new Set<string>();
  readonly #world: World;
  readonly #versions = new Map<string, Uint8Array[]>();
  readonly #began = new Map<string, number>();
  readonly #changes = new Map<string, { tick: number; quiet: boolean }>();
  readonly #ledger = new Map<string, string>();
  readonly #latest = new Map<string, Line>();
  readonly #certified = new Set<string>();
  readonly #covered = new Set<string>();
  #ledgerTouched = true;

  constructor(world: World, mounts: readonly string[]) {
    super(world, mounts);
    this.#world = world;
  }

  #say(words: string): void {
    if (this.violations.length < 20) this.violations.push(`tick ${this.tick}: ${words}`);
  }

  /** Notes a content that a file of a source has from now on. `quiet`: no listing of the source was under way. */
  sourceHas(path: string, bytes: Uint8Array | undefined, { quiet = true } = {}): void {
    this.#changes.set(path, { tick: this.tick, quiet });
    if (bytes === undefined) return;
    const at = this.#relative(path);
    this.#versions.set(at, [...this.#versions.get(at) ?? [], bytes.slice()]);
  }

  /** `study/path` below whichever source. */
  #relative(path: string): string {
    const host = this.hosts.find(({ sourceRoot }) => path.startsWith(`${sourceRoot}/`));
    return host ? path.slice(host.sourceRoot.length + 1) : path;
  }

  /** Whether the ledger, as a loss of power would leave it, shows this study of this source as being freed. */
  isBeingFreed(studyRoot: string): boolean {
    const line = this.#latest.get(studyRoot.slice(studyRoot.lastIndexOf("/") + 1));
    return line?.source_path === studyRoot && line.source_deleting_at !== null && line.source_deleted_at === null;
  }

  beginRun(): void {
    this.#began.clear();
    this.tick++;
    for (const { sourceRoot } of this.hosts) {
      const node = this.node(sourceRoot);
      for (const { name } of node?.entries.values() ?? []) this.#began.set(`${sourceRoot}/${name}`, this.tick);
    }
  }

  /** Before a primitive of the file system, and before anything befalls the world at it. */
  beforeEvents(): void {
    this.tick++;
    if (this.#ledgerTouched) this.readLedger();
  }

  /** Just before a primitive of the file system is done. */
  beforeAct({ operation, path }: FaultCall): void {
    this.tick++;
    if ([...this.away].some((mount) => path.startsWith(mount))) return;
    if (path.startsWith(MANIFEST_ROOT)) this.#ledgerTouched = true;
    if (operation === "lstat") this.looksAt(path);
    if (operation === "openRead" || operation === "read") this.reads(path);
    const host = this.hosts.find(({ sourceRoot }) => path.startsWith(`${sourceRoot}/`));
    if (host && !isOwn(path)) {
      if (operation === "removeFile") this.#judgeRemoval(host, path);
      else if (WRITES.has(operation)) this.#say(`the engine does ${operation} at the source: ${path}`);
    }
    if (!host && !isOwn(path) && !path.startsWith(MANIFEST_ROOT)) this.#judgeChange(operation, path);
  }

  #judgeChange(operation: string, path: string): void {
    if (operation === "removeFile") this.#say(`a final name is removed: ${path}`);
    const replaces = operation === "rename" && !path.endsWith(`/${SIDECAR}`);
    if (replaces && this.node(path) !== undefined) this.#say(`a final name is replaced: ${path}`);
  }

  beforeStore(call: StoreCall): void {
    this.beforeEvents();
    if (call.name === "get") this.reads(`s3:${call.key}`);
    const scratch = call.key.includes("_probe/") || call.key.endsWith(`/${SIDECAR}`);
    if (call.name === "delete" && !scratch) this.#say(`an object is removed: ${call.key}`);
  }

  afterStore(call: StoreCall): void {
    this.tick++;
    if (call.name === "list") this.lists(call.key);
    if (call.name === "head" || call.name === "get") this.looksAt(`s3:${call.key}`);
  }

  #judgeRemoval(host: Host, path: string): void {
    this.removals++;
    const study = path.slice(host.sourceRoot.length + 1).split("/")[0];
    const root = `${host.sourceRoot}/${study}`;
    if (!this.isBeingFreed(root)) this.#say(`${path} goes without a durable intent in the ledger`);
    if (this.node(`${root}/.labferry.lock`)?.lockedBy === undefined) {
      this.#say(`${path} goes while nobody locks its study`);
    }
    const lacking = this.#lacking(host, path);
    if (lacking) this.#say(`${path} goes: ${lacking}`);
    this.#judgeCoverage(host, root);
  }

  /** SAFETY S5(a): when the first file of a study goes, every file in it was backed up, or came too late to be seen. */
  #judgeCoverage(host: Host, root: string): void {
    const line = this.#latest.get(root.slice(root.lastIndexOf("/") + 1));
    const destroy = `${root} ${line?.source_deleting_at}`;
    if (this.#covered.has(destroy)) return;
    this.#covered.add(destroy);
    const began = this.#began.get(root) ?? 0;
    for (const relative of this.files(root)) {
      const path = `${root}/${relative}`;
      if (isOwn(path)) continue;
      const change = this.#changes.get(path);
      if (change && (change.tick >= began || !change.quiet)) continue;
      const lacking = this.#lacking(host, path);
      if (lacking) this.#say(`${root} is freed while ${relative} is not backed up: ${lacking}`);
    }
  }

  /** Why a file of a source may not go; undefined when enough places hold its bytes. */
  #lacking(host: Host, path: string): string | undefined {
    const { places, wanted } = host.demand;
    if (wanted === undefined) return "its pipeline deletes nothing";
    const bytes = this.bytes(path);
    if (bytes === undefined) return undefined;
    const at = path.slice(host.sourceRoot.length + 1);
    const root = `${host.sourceRoot}/${at.split("/")[0]}`;
    const domains = new Set<string>();
    let strong = false;
    const found: string[] = [];
    for (const place of places) {
      const where = place.folder === undefined ? `s3:${place.prefix}${at}` : `${place.folder}/${at}`;
      const holds = this.#holds(place, where, bytes) || this.#isExcused(where, { bytes, root, place });
      found.push(`${place.id} ${holds ? "holds it" : "does not hold it"}`);
      if (!holds) continue;
      domains.add(place.domain);
      strong ||= place.strong;
    }
    const enough = domains.size >= Math.max(1, wanted) && strong;
    return enough ? undefined : `wanted ${wanted} places, one of them strong (${found.join(", ")})`;
  }

  #holds(place: TruthPlace, where: string, bytes: Uint8Array): boolean {
    if (!same(this.copyAt(where), bytes)) return false;
    // A copy that was never flushed is none, unless the pipeline says that it counts as a weak one.
    return place.folder === undefined || !place.strong || same(this.durableBytes(where), bytes);
  }

  /**
   * A copy that was good, and whose last damage came where the engine could no longer see it: visibly after its last
   * look in this destroy, or silently (no stat and no listing shows it) and never read again since.
   */
  #isExcused(
    where: string,
    { bytes, root, place }: { bytes: Uint8Array; root: string; place: TruthPlace },
  ): boolean {
    if (!place.strong && this.crashes > 0) return true;
    const damage = this.damageOf(where).findLast(({ before }) => same(before, bytes));
    if (damage === undefined) return false;
    if (damage.kind === "silent") return this.readAt(where) < damage.tick;
    const began = this.#began.get(root) ?? 0;
    return damage.looked > began && this.lookedAt(where) === damage.looked;
  }

  /** Reads what is durable of the ledger and judges every new line against the world as it is now. */
  readLedger(): void {
    this.#ledgerTouched = false;
    const folder = this.node(MANIFEST_ROOT);
    const months = [...folder?.entries.keys() ?? []].filter((name) => MONTH.test(name)).sort();
    for (const month of new Set([...this.#ledger.keys(), ...months])) {
      const bytes = this.durableBytes(`${MANIFEST_ROOT}/${month}`);
      const text = bytes === undefined ? "" : new TextDecoder().decode(bytes);
      const known = this.#ledger.get(month) ?? "";
      if (text === known) continue;
      if (!text.startsWith(known)) {
        this.#say(`the ledger ${month} lost or changed lines: it had ${known.length} characters, now ${text.length}`);
        continue;
      }
      this.#ledger.set(month, text);
      const from = known.endsWith("\n") || known === "" ? known.length : known.lastIndexOf("\n") + 1;
      for (const line of text.slice(from).split("\n")) this.#judgeLine(line);
    }
  }

  #judgeLine(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text);
    } catch {
      return; // empty, or torn: readers leave it out
    }
    const before = this.#latest.get(line.backup_name);
    this.#latest.set(line.backup_name, line);
    if (before?.status === "complete" && line.status !== "complete") {
      this.#say(`the ledger of ${line.backup_name} goes from complete to ${line.status}`);
    }
    const withdrawn = before?.source_deleting_at !== null && line.source_deleting_at === null;
    if (withdrawn && this.#covered.has(`${line.source_path} ${before?.source_deleting_at}`)) {
      this.#say(`the ledger takes back that ${line.source_path} is being freed, and files of it are gone`);
    }
    const certified = `${line.incarnation} ${line.completed_at} ${line.sidecar_sha256}`;
    if (line.status === "complete" && !this.#certified.has(certified)) {
      this.#certified.add(certified);
      this.#judgeComplete(line);
    }
    if (line.source_deleting_at !== null && line.source_deleted_at === null) {
      this.#began.set(line.source_path, this.tick);
    }
    if (line.source_deleted_at !== null && (before?.source_deleted_at ?? null) === null) {
      const there = this.node(line.source_path) ?? this.node(line.source_path, { durable: true });
      if (there) this.#say(`the ledger says that ${line.source_path} was deleted, and its folder is (or may be) there`);
    }
  }

  /** `complete`: a place holds the sidecar named, and each place holds what it lists. */
  #judgeComplete(line: Line): void {
    const say = (words: string) => this.#say(`the ledger says that ${line.backup_name} is complete, but ${words}`);
    const places = Object.values(line.places).map(({ uri }) =>
      uri.startsWith("s3://") ? `s3:${uri.slice(uri.indexOf("/", 5) + 1)}` : uri
    );
    const texts = places.map((place) => this.copyAt(`${place}/${SIDECAR}`));
    const sidecar = texts.find((bytes) => bytes && sha256(bytes) === line.sidecar_sha256);
    if (!sidecar) {
      if (!places.some((place) => this.damageOf(`${place}/${SIDECAR}`).length > 0)) say("no place holds its sidecar");
      return;
    }
    const listed = parseSidecar(new TextDecoder().decode(sidecar));
    if (listed.length !== line.file_count) say(`it counts ${line.file_count} files and the sidecar ${listed.length}`);
    for (const place of places) {
      let bytes = 0, damaged = false;
      for (const file of listed) {
        const where = `${place}/${file.path}`;
        const copy = this.copyAt(where);
        bytes += copy?.length ?? 0;
        if (copy && sha256(copy) === file.sha256) continue;
        if (this.damageOf(where).length > 0) damaged = true;
        else if (!this.#mayBeLost(place)) say(`${where} is not what its sidecar says`);
      }
      if (!damaged && bytes !== line.total_bytes && !this.#mayBeLost(place)) {
        say(`it counts ${line.total_bytes} bytes, and ${place} holds ${bytes}`);
      }
    }
  }

  /** A place that is not flushed may lose anything in a crash. */
  #mayBeLost(where: string): boolean {
    if (this.crashes === 0) return false;
    return this.hosts.some(({ demand }) =>
      demand.places.some(({ folder, strong }) => !strong && folder !== undefined && where.startsWith(folder))
    );
  }

  /** SAFETY S7: whatever stands under a final name is some version of its source, whole. */
  judgeFinalNames(roots: readonly string[], prefixes: readonly string[]): void {
    for (const [where, bytes] of this.foreign()) {
      if (!same(this.copyAt(where), bytes)) this.#say(`what somebody else put at ${where} was changed`);
    }
    for (const root of roots) {
      for (const path of this.files(root)) {
        if (!isOwn(path) && !SIDECARS.test(path)) this.#judgeFinal(`${root}/${path}`, path);
      }
    }
    for (const key of this.#world.store.objects.keys()) {
      const prefix = prefixes.find((one) => key.startsWith(one));
      const path = prefix === undefined ? "_" : key.slice(prefix.length);
      if (/^_|\/$/.test(path) || SIDECARS.test(path)) continue;
      this.#judgeFinal(`s3:${key}`, path);
    }
  }

  #judgeFinal(where: string, path: string): void {
    const bytes = this.copyAt(where);
    if (bytes === undefined || this.isForeign(where) || this.damageOf(where).length > 0 || this.#mayBeLost(where)) {
      return;
    }
    const versions = this.#versions.get(path) ?? [];
    if (versions.some((version) => bitsApart(version, bytes) <= this.flips)) return;
    this.#say(`${where} holds ${bytes.length} bytes that no version of its source had`);
  }

  /** What the ledger shows last of a study. */
  latest(study: string): Pick<Line, "status" | "source_deleting_at" | "source_deleted_at"> | undefined {
    return this.#latest.get(study);
  }
}
