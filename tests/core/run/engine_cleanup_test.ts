/** SAFETY of runs over backups, in worlds that stop, fail and are damaged at any step. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { RunReport } from "../../../core/run/report.ts";
import { backedUp, bucketOf, cleanup, EVICT_ALL, onNas, type Study } from "../../kit/backups.ts";
import { stepper } from "../../../testing/crash.ts";
import { failure, type MemoryStoreOptions } from "../../../testing/memory_object_store.ts";
import { CrashError, type FaultCall, systemError, type Unflushed } from "../../../testing/memory_types.ts";
import { parseSidecar, sha256 } from "../../kit/truth_bytes.ts";
import { Copies } from "../../kit/truth_copies.ts";
import { MANIFEST_ROOT, NAS_ROOT, World } from "../../../testing/world.ts";

const SIDECAR = "_checksums.sha256";
const STUDY: Study = { "a.txt": "alpha", "Scan1/b ü.bin": "beta", "Scan1/empty": "", "none/": "" };

/** What the disks lose of what was not flushed. */
const LOSSES: Record<string, (what: Unflushed) => boolean | "zeros"> = {
  nothing: () => false,
  everything: () => true,
  contents: (what) => what.kind === "content" ? "zeros" : false,
  names: (what) => what.kind === "names",
};

/** Judges every removal at the NAS by what really stands at that instant. */
class Judge {
  readonly violations: string[] = [];
  removals = 0;
  /** Keys of objects, and paths, that were damaged while a run was under way: it may have looked before. */
  readonly damaged = new Set<string>();
  /** What is seen at its path is another disk. */
  isNasAway = false;
  readonly #world: World;
  readonly #copies: Copies;

  constructor(world: World) {
    this.#world = world;
    this.#copies = new Copies(world, ["/nas", "/manifests"]);
  }

  before({ operation, path }: FaultCall): void {
    if (path.startsWith("/instrument/") && /^(remove|write|rename|link|create)/.test(operation) && !isOwn(path)) {
      this.#say(`the engine does ${operation} at the instrument: ${path}`);
    }
    if (!path.startsWith(`${NAS_ROOT}/`) || isOwn(path) || this.isNasAway) return;
    if (operation === "removeFile") this.#removal(path);
    else if (/^(write|rename|link|create|truncate|setMtime)/.test(operation)) this.#say(`${operation} of ${path}`);
  }

  beforeStore(name: string, key: string): void {
    const isOurs = key.includes("_manifests/") || key.includes("_probe/");
    if (/^(put|delete|createUpload|uploadPart|completeUpload|abortUpload)$/.test(name) && !isOurs) {
      this.#say(`${name} of ${key} in the bucket`);
    }
  }

  #say(words: string): void {
    if (this.violations.length < 20) this.violations.push(words);
  }

  #removal(path: string): void {
    this.removals++;
    const relative = path.slice(NAS_ROOT.length + 1);
    const study = relative.split("/")[0];
    const say = (words: string) => this.#say(`${path} goes: ${words}`);
    const line = this.#latest(study);
    if (line?.status !== "complete") say(`the ledger says ${line?.status}`);
    if (!line?.truenas_evicting_at || line.truenas_evicted_at) say("without a durable intent");
    if (line?.source_deleting_at && !line.source_deleted_at) say("while its source is being freed");
    if (this.#copies.node(`${NAS_ROOT}/${study}/.labferry.lock`)?.lockedBy === undefined) say("nobody locks it");
    const key = `s3:fusion/${relative}`;
    const object = this.#copies.copyAt(key), bytes = this.#copies.bytes(path);
    const excused = this.damaged.has(key) || this.damaged.has(path);
    if (!excused && (!object || !bytes || sha256(object) !== sha256(bytes))) say("the bucket does not hold its bytes");
    const list = this.#copies.copyAt(`s3:fusion/${study}/${SIDECAR}`);
    if (this.damaged.has(`s3:fusion/${study}/${SIDECAR}`)) return;
    if (!list || sha256(list) !== line?.sidecar_sha256) return say("the bucket does not hold its list of checksums");
    if (relative !== `${study}/${SIDECAR}`) return;
    const left = [...this.#copies.files(`${NAS_ROOT}/${study}`)].filter((file) => !isOwn(file) && file !== SIDECAR);
    if (left.length > 0) say(`its list of checksums, before ${left}`);
    assert.ok(parseSidecar(new TextDecoder().decode(list)).length > 0);
  }

  /** The last line of a study that a loss of power would leave. */
  #latest(study: string) {
    const folder = this.#copies.node(MANIFEST_ROOT);
    let latest: Record<string, string | null> | undefined;
    for (const month of [...folder?.entries.keys() ?? []].filter((name) => name.endsWith(".jsonl")).sort()) {
      const text = new TextDecoder().decode(this.#copies.durableBytes(`${MANIFEST_ROOT}/${month}`));
      for (const line of text.split("\n")) {
        if (!line.endsWith("}")) continue;
        const record = JSON.parse(line);
        if (record.backup_name === study) latest = record;
      }
    }
    return latest;
  }
}

const isOwn = (path: string) => path.split("/").some((part) => /^\.(labferry|cleanup\.lock)/.test(part));

/** What must be so when nothing is in the way any more. */
async function assertEvicted(world: World, names: readonly string[], about: string): Promise<void> {
  assert.deepEqual(onNas(world), [], about);
  for (const name of names) {
    assert.equal(world.fs.disk.lstat(`${NAS_ROOT}/${name}`), undefined, `${about}: ${name} is on the NAS`);
    const record = (await world.ledger()).get(name);
    assert.equal(record?.status, "complete", about);
    assert.ok(record?.truenas_evicting_at && record.truenas_evicted_at, `${about}: ${name} in the ledger`);
  }
}

function words(report: RunReport): string {
  return JSON.stringify(report.error ?? report.items.map((item) => item.error ?? item.outcome));
}

/** A machine so slow that it does not get as far shows nothing. */
const FEWEST = 8;

Deno.test("S22 an eviction that crashes at any step loses nothing, and the next runs end it", async () => {
  const steps = await countSteps();
  const stores: MemoryStoreOptions[] = [{}, { checksums: false }, { versioned: true }];
  const end = performance.now() + 15_000;
  let tried = 0;
  for (let stride = 2 ** Math.ceil(Math.log2(steps)); stride >= 1; stride /= 2) {
    for (let at = 1 + (stride === 1 ? 0 : stride / 2); at <= steps; at += stride) {
      // However busy the machine is, the fewest are tried.
      if (performance.now() > end && tried >= FEWEST) break;
      const names = Object.keys(LOSSES);
      await crashOnce({
        at,
        store: stores[tried % stores.length],
        loses: names[tried % names.length],
        losesJournal: tried % 3 === 1,
        again: tried % 4 === 3 ? 1 + (at * 7919) % steps : undefined,
      });
      tried++;
    }
  }
  assert.ok(tried >= FEWEST, `only ${tried} of ${steps} steps were tried`);
});

async function countSteps(): Promise<number> {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL });
  const steps = stepper(world);
  await cleanup(world, { wrap: steps.wrap });
  return steps.count;
}

interface Crash {
  at: number;
  store: MemoryStoreOptions;
  loses: string;
  losesJournal: boolean;
  /** The run after the crash crashes too. */
  again?: number;
}

async function crashOnce(crash: Crash): Promise<void> {
  await using world = await backedUp({ study1: STUDY }, { config: EVICT_ALL, store: crash.store });
  const bucket = bucketOf(world);
  const judge = new Judge(world);
  const about = () => JSON.stringify(crash);
  for (const crashAt of [crash.at, ...crash.again === undefined ? [] : [crash.again]]) {
    world.fs.fault = (call) => judge.before(call);
    const steps = stepper(world, { crashAt });
    await cleanup(world, { wrap: steps.wrap }).catch(() => {}); // the machine is off
    steps.restart(LOSSES[crash.loses]);
    world.clock.time += 3_600_000;
    if (crash.losesJournal) await world.loseJournal();
  }
  const told: string[] = [];
  for (let run = 1; run <= 2; run++) told.push(words(await cleanup(world)));
  assert.deepEqual(judge.violations, [], about());
  await assertEvicted(world, ["study1"], `${about()}: ${told.join("; ")}`);
  assert.deepEqual(bucketOf(world), bucket, about());
}

/** What may befall a world: before a run, or at the nth call of one. */
interface Blow {
  when: "before" | number;
  what:
    | "object-drop"
    | "object-overwrite"
    | "object-rot"
    | "nas-extra"
    | "nas-rewrite"
    | "nas-remove"
    | "nas-link"
    | "claim-other"
    | "ledger-other"
    | "crash"
    | "io-error"
    | "store-error"
    | "misread"
    | "unmount"
    | "clock";
  file: number;
}

const GENTLE = new Set(["crash", "io-error", "store-error"]);

const blow: fc.Arbitrary<Blow> = fc.record({
  when: fc.oneof(
    { weight: 2, arbitrary: fc.constant("before" as const) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 250 }) },
  ),
  what: fc.constantFrom<Blow["what"]>(
    "object-drop",
    "object-overwrite",
    "object-overwrite",
    "object-rot",
    "object-rot",
    "nas-extra",
    "nas-rewrite",
    "nas-remove",
    "nas-link",
    "claim-other",
    "ledger-other",
    "crash",
    "crash",
    "io-error",
    "io-error",
    "store-error",
    "misread",
    "unmount",
    "clock",
  ),
  file: fc.nat(6),
});

const PATHS = ["a.txt", "zero", "Scan1/x.bin", "Scan1/ü.dat", "deep/er/f", "empty/", "Scan1/none/"];

const site = fc.record({
  studies: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("study1", "study10", "a b", "ünï"),
      files: fc.subarray(PATHS, { minLength: 1 }),
    }),
    { minLength: 1, maxLength: 2, selector: ({ name }) => name },
  ),
  store: fc.record({ checksums: fc.boolean(), versioned: fc.boolean() }),
  blows: fc.array(blow, { minLength: 1, maxLength: 3 }),
  losesJournal: fc.boolean(),
});

const RUNS = Number(Deno.env.get("LABFERRY_EVICTIONS") ?? 150);

Deno.test("S4 S5 S11 an eviction removes nothing that the bucket does not hold, whatever befalls the world", async () => {
  let removals = 0;
  await fc.assert(
    fc.asyncProperty(site, async ({ studies, store, blows, losesJournal }) => {
      const made = studies.map(({ name, files }): [string, Study] => [name, contents(name, files)]);
      await using world = await backedUp(Object.fromEntries(made), { config: EVICT_ALL, store });
      const judge = new Judge(world);
      const paths = made.flatMap(([name, study]) => Object.keys(study).map((path) => `${name}/${path}`))
        .filter((path) => !path.endsWith("/"));
      for (const hit of blows) if (hit.when === "before") strike(world, judge, { hit, paths, isUnderWay: false });
      if (losesJournal) await world.loseJournal();
      await playOnce(world, judge, { blows, paths });
      world.clock.time += 3_600_000;
      const told: string[] = [];
      for (let run = 1; run <= 2; run++) told.push(words(await playOnce(world, judge, { blows: [], paths })));
      removals += judge.removals;
      assert.deepEqual(judge.violations, [], told.join("; "));
      if (blows.every(({ what, when }) => GENTLE.has(what) && when !== "before")) {
        await assertEvicted(world, made.map(([name]) => name), told.join("; "));
      }
    }),
    { numRuns: RUNS },
  );
  assert.ok(removals > 0, "no file was ever removed");
});

function contents(name: string, files: readonly string[]): Study {
  const some = files.some((path) => !path.endsWith("/")) ? files : [...files, "a.txt"];
  return Object.fromEntries(some.map((path) => [path, /\/$|zero/.test(path) ? "" : `content of ${name}/${path}`]));
}

async function playOnce(
  world: World,
  judge: Judge,
  { blows, paths }: { blows: readonly Blow[]; paths: readonly string[] },
): Promise<RunReport> {
  let calls = 0, acting = false;
  const due = (isStore: boolean): Blow | undefined => {
    calls++;
    return blows.find(({ when, what }) => when === calls && (what === "store-error") === isStore);
  };
  world.fs.fault = (call) => {
    if (acting) return;
    const hit = due(false);
    acting = true;
    try {
      // What changes at the very call that removes it was looked at by the call before: nobody can see that.
      if (hit?.what === "io-error") throw systemError("EIO", call.path);
      if (hit?.what === "misread" && call.operation === "read") return { flipBit: hit.file };
      if (hit && call.operation !== "removeFile") strike(world, judge, { hit, paths, isUnderWay: true });
      if (world.fs.disk.crashed) throw new CrashError();
      judge.before(call);
    } finally {
      acting = false;
    }
  };
  world.store.hooks = {
    before({ name, key }) {
      if (world.fs.disk.crashed) throw new CrashError();
      judge.beforeStore(name, key);
      if (due(true)) throw failure("denied");
    },
  };
  try {
    return await cleanup(world);
  } finally {
    world.fs.fault = undefined;
    world.store.hooks = {};
    if (world.fs.disk.crashed) world.fs.restart();
    if (judge.isNasAway) world.fs.remount("/nas");
    judge.isNasAway = false;
  }
}

function strike(
  world: World,
  judge: Judge,
  { hit, paths, isUnderWay }: { hit: Blow; paths: readonly string[]; isUnderWay: boolean },
): void {
  const path = paths[hit.file % paths.length];
  const [key, at, study] = [`fusion/${path}`, `${NAS_ROOT}/${path}`, path.split("/")[0]];
  const note = (where: string) => isUnderWay && judge.damaged.add(where);
  const { disk } = world.fs;
  const object = world.store.objects.get(key);
  switch (hit.what) {
    case "object-drop":
      note(`s3:${key}`);
      world.store.objects.delete(key);
      break;
    case "object-overwrite":
      note(`s3:${key}`);
      if (object) {
        const sha = object.sha256 === null ? null : btoa("other");
        world.store.objects.set(key, { ...object, bytes: flipped(object.bytes), etag: "other", sha256: sha });
      }
      break;
    case "object-rot":
      // Nothing but a reading shows it; a store that is trusted with its checksums is not read.
      if (object?.sha256) break;
      note(`s3:${key}`);
      if (object) object.bytes = flipped(object.bytes);
      break;
    case "nas-extra":
      if (disk.lstat(`${NAS_ROOT}/${study}`)) world.fs.seed({ [`${NAS_ROOT}/${study}/extra`]: "of nobody" });
      break;
    case "nas-rewrite":
      note(at);
      if (disk.lstat(at)) world.fs.seed({ [at]: "written meanwhile" });
      break;
    case "nas-remove":
      if (disk.lstat(at)) disk.removeFile(at);
      break;
    case "nas-link":
      if (disk.lstat(at)) {
        disk.removeFile(at);
        world.fs.seed({ [at]: { link: "/instrument" } });
      }
      break;
    case "claim-other":
      world.fs.seed({
        [`${NAS_ROOT}/.labferry/claims/${study}.json`]: `{"incarnation":"${"f".repeat(32)}","source_root":"o"}`,
      });
      break;
    case "ledger-other":
      // Another host says something else of a study; lines are never changed.
      for (const name of ["2025-01.jsonl"]) {
        if (!disk.lstat(`${MANIFEST_ROOT}/${name}`)) world.fs.seed({ [`${MANIFEST_ROOT}/${name}`]: "no line\n" });
      }
      break;
    case "unmount":
      if (!isUnderWay || judge.isNasAway) break;
      world.fs.unmount("/nas");
      judge.isNasAway = true;
      break;
    case "clock":
      world.clock.time -= 7_200_000;
      break;
    case "crash":
      if (isUnderWay) world.fs.crash();
  }
}

/** As many bytes, one of them another; of none, one. */
function flipped(bytes: Uint8Array): Uint8Array {
  const other = bytes.slice();
  if (other.length === 0) return new Uint8Array(1);
  other[other.length >> 1] ^= 4;
  return other;
}
