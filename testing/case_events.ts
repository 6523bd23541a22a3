/** Lets what a case says happen to a world, at the moments it says. @module */
import type { ProgressSink } from "../core/run/progress.ts";
import { BUCKET_PREFIX, type CasePath, casePath } from "./case_paths.ts";
import type { Meanwhile } from "../core/pipeline/case_schema.ts";
import { contentBytes } from "./case_studies.ts";
import { failure, type StoreCall } from "./memory_object_store.ts";
import { MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, type World } from "./world.ts";

/** The folder that is a device, and the root within it that the config names. */
const DEVICES = {
  source: { device: "/instrument", root: SOURCE_ROOT },
  nas: { device: "/nas", root: NAS_ROOT },
  manifests: { device: "/manifests", root: MANIFEST_ROOT },
} as const;

/** One entry of `[[run.meanwhile]]`, until it has happened. */
interface Armed {
  what: Meanwhile;
  index: number;
  /** Set once its stage began or ended: steps that are left. */
  stepsLeft?: number;
  /** Whether what is to be gone was there. */
  wasThere?: boolean;
}

/** What is told of an entry that could not happen. */
export interface Impossible {
  /** Which entry of the run. */
  index: number;
  why: string;
}

export interface CaseEventsOptions {
  /** Roots of further places. */
  places: readonly string[];
  /** What the NAS holds when it has room, bytes. */
  nasBytes?: number;
  /** Begins a run of the second host. */
  onOtherHost: (what: NonNullable<Meanwhile["other_host"]>, index: number) => void;
}

/** The happenings of one run. */
export class CaseEvents {
  readonly #world: World;
  readonly #options: CaseEventsOptions;
  #armed: Armed[] = [];
  #steps = 0;
  #waits = 0;
  #isBusy = false;
  #crash: Meanwhile["crash"];
  #s3Down = 0;
  #lost: { request: string; key?: string; index: number }[] = [];
  #mailDown = 0;
  /** Entries that could not happen. */
  readonly impossible: Impossible[] = [];

  constructor(world: World, options: CaseEventsOptions) {
    this.#world = world;
    this.#options = options;
    world.store.hooks = {
      before: () => {
        if (this.#s3Down === 0) return;
        this.#s3Down--;
        throw failure("unreachable", "the store does not answer");
      },
      after: (call) => this.#afterRequest(call),
    };
  }

  /** Entries of a run; those without a moment happen now. */
  async begin(entries: readonly Meanwhile[]): Promise<void> {
    this.#steps =
      this.#waits =
      this.#s3Down =
      this.#mailDown =
        0;
    this.#lost = [];
    this.#crash = undefined;
    this.#armed = [];
    for (const [index, what] of entries.entries()) {
      const { before, after, there, gone, steps, waits, lose_journal } = what;
      const moment = before ?? after ?? there ?? gone ?? waits;
      if (moment === undefined && steps === undefined) {
        if (lose_journal) await this.#world.loseJournal();
        await this.#raise(what);
        this.#happen(what, index);
      } else this.#armed.push({ what, index, stepsLeft: moment === undefined ? steps : undefined });
    }
  }

  /** Entries whose moment never came, and answers that nothing lost. */
  get never(): number[] {
    return [...this.#armed.map(({ index }) => index), ...this.#lost.map(({ index }) => index)].sort((a, b) => a - b);
  }

  /** Whether something waits for an endless pipeline to wait. */
  get isWaitedFor(): boolean {
    return this.#armed.some(({ what }) => what.waits !== undefined);
  }

  /** What a crash takes. */
  get crash(): "power" | "kill" {
    return this.#crash ?? "kill";
  }

  progress(): ProgressSink {
    return {
      stageStarted: (item, stage) => this.#atStage(({ before }) => before === stage, item),
      stageFinished: (item, stage) => this.#atStage(({ after }) => after === stage, item),
    };
  }

  /** A step is about to be done; true stops the machine. */
  onStep(): boolean {
    if (this.#isBusy) return false;
    this.#steps++;
    for (const armed of [...this.#armed]) {
      if (armed.stepsLeft === undefined) this.#look(armed);
      else if (--armed.stepsLeft <= 0) this.#fire(armed);
    }
    return this.#crash !== undefined;
  }

  /** Whether a file came or went with the step before. */
  #look(armed: Armed): void {
    const { there, gone } = armed.what;
    if (there !== undefined && this.#stands(there)) this.#moment(armed);
    if (gone === undefined) return;
    if (this.#stands(gone)) armed.wasThere = true;
    else if (armed.wasThere) this.#moment(armed);
  }

  #stands(written: string): boolean {
    const at = this.#at(written);
    if (at.kind === "object") return this.#world.store.objects.has(at.key);
    this.#isBusy = true;
    try {
      return this.#world.fs.disk.mayStand(at.path);
    } finally {
      this.#isBusy = false;
    }
  }

  /** An endless pipeline waits. */
  onWait(): void {
    this.#waits++;
    for (const armed of [...this.#armed]) if (armed.what.waits === this.#waits) this.#moment(armed);
  }

  /** A message is about to be delivered; true when its server is away. */
  onMail(): boolean {
    if (this.#mailDown === 0) return false;
    this.#mailDown--;
    return true;
  }

  #atStage(isIts: (what: Meanwhile) => boolean, item: string): void {
    for (const armed of [...this.#armed]) {
      const { what, stepsLeft } = armed;
      if (stepsLeft !== undefined || !isIts(what) || (what.item ?? item) !== item) continue;
      this.#moment(armed);
    }
  }

  #moment(armed: Armed): void {
    if (armed.what.steps === undefined) this.#fire(armed);
    else armed.stepsLeft = armed.what.steps;
  }

  #fire(armed: Armed): void {
    this.#armed.splice(this.#armed.indexOf(armed), 1);
    this.#happen(armed.what, armed.index);
  }

  async #raise({ raise }: Meanwhile): Promise<void> {
    for (const { event, details } of raise) {
      const at = new Date(this.#world.clock.now()).toISOString();
      const id = `case-${at}-${event}-${(await this.#world.journal.outbox.pending()).length}`;
      await this.#world.journal.outbox.enqueue({ id, event, at, data: details });
    }
  }

  #happen(what: Meanwhile, index: number): void {
    this.#isBusy = true;
    try {
      this.#do(what, index);
    } catch (error) {
      this.impossible.push({ index, why: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#isBusy = false;
    }
  }

  #do(what: Meanwhile, index: number): void {
    const { clock, fs } = this.#world;
    if (what.clock !== undefined) clock.time += what.clock;
    if (what.unmount !== undefined) {
      const { device, root } = DEVICES[what.unmount];
      fs.unmount(device);
      fs.disk._makeFolders(root);
    }
    if (what.remount !== undefined) fs.remount(DEVICES[what.remount].device);
    this.#files(what);
    if (what.fill !== undefined) this.#resize(what.fill, { isFull: true });
    if (what.make_room !== undefined) this.#resize(what.make_room, { isFull: false });
    this.#s3Down += what.s3_down ?? 0;
    const lost = what.s3_lost_response;
    if (typeof lost === "string") this.#lost.push({ request: lost, index });
    else if (lost !== undefined) this.#lost.push({ request: lost.request, key: this.#key(lost.of), index });
    this.#mailDown += what.mail_down ?? 0;
    if (what.other_host !== undefined) this.#options.onOtherHost(what.other_host, index);
    if (what.crash !== undefined) this.#crash = what.crash;
  }

  #resize(place: keyof typeof DEVICES, { isFull }: { isFull: boolean }): void {
    const { disk } = this.#world.fs;
    const { device } = DEVICES[place];
    const { free, total } = disk.space(device);
    const size = place === "nas" ? this.#options.nasBytes : undefined;
    disk.setMount(device, { capacity: isFull ? total - free : size });
  }

  #files(what: Meanwhile): void {
    for (const [path, content] of Object.entries(what.write)) this.#write(path, contentBytes(content, path));
    for (const [path, text] of Object.entries(what.append)) this.#append(path, text);
    for (const [from, to] of Object.entries(what.move)) this.#move(from, to);
    for (const path of what.remove) this.#remove(path);
    for (const path of what.flip) this.#flip(path);
  }

  #at(written: string): CasePath {
    const path = casePath(written, this.#options.places);
    if (path === undefined) throw new RangeError(`"${written}" is no path of a case`);
    return path;
  }

  #object(key: string) {
    const object = this.#world.store.objects.get(key);
    if (object === undefined) throw new RangeError(`the bucket has no object "${key.slice(BUCKET_PREFIX.length + 1)}"`);
    return object;
  }

  #write(written: string, bytes: Uint8Array): void {
    const at = this.#at(written);
    const { fs, store } = this.#world;
    if (at.kind === "file") {
      fs.seed({ [at.path]: bytes });
      return;
    }
    const old = store.objects.get(at.key);
    const own = { etag: `foreign-${bytes.length}`, versionId: null, sha256: null, metadata: {}, storageClass: null };
    store.objects.set(at.key, { ...old ?? own, ...own, bytes });
  }

  #append(written: string, text: string): void {
    const at = this.#at(written);
    if (at.kind === "object") throw new RangeError("nothing can be added to an object");
    const { disk } = this.#world.fs;
    if (!disk.mayStand(at.path)) return this.#world.fs.seed({ [at.path]: text });
    const node = disk._file(at.path);
    disk._write(node, node.size, new TextEncoder().encode(text));
    disk._flushContent(node);
  }

  #move(from: string, to: string): void {
    const [old, young] = [this.#at(from), this.#at(to)];
    if (old.kind === "object" || young.kind === "object") throw new RangeError("objects have no other names");
    const { disk } = this.#world.fs;
    const node = disk._find(old.path, { follow: false });
    this.#take(old.path);
    const { folder, key, name } = disk._slot(young.path);
    folder.entries.set(key, { name, node });
  }

  #remove(written: string): void {
    const at = this.#at(written);
    if (at.kind === "object") {
      this.#object(at.key);
      this.#world.store.objects.delete(at.key);
      return;
    }
    const { disk } = this.#world.fs;
    const node = disk._file(at.path);
    this.#take(at.path);
    disk._dropLink(node);
  }

  /** Takes a name away, for good: what others did to a disk is not lost with what the engine had not flushed. */
  #take(path: string): void {
    const { folder, key } = this.#world.fs.disk._slot(path);
    folder.entries.delete(key);
  }

  #flip(written: string): void {
    const at = this.#at(written);
    if (at.kind === "object") {
      const object = this.#object(at.key);
      object.bytes = flipped(object.bytes);
      return;
    }
    const node = this.#world.fs.disk._find(at.path, { follow: false });
    if (node.kind !== "file" || node.size === 0) throw new RangeError(`"${written}" has no bit to flip`);
    node.content = flipped(node.content);
    node.flushed = { ...node.flushed, content: flipped(node.flushed.content) };
  }

  #key(written: string): string {
    const at = this.#at(written);
    if (at.kind === "object") return at.key;
    throw new RangeError(`"${written}" is no object of the bucket`);
  }

  #afterRequest(call: StoreCall): void {
    const at = this.#lost.findIndex(({ request, key = call.key }) => request === call.name && key === call.key);
    if (at < 0) return;
    this.#lost.splice(at, 1);
    throw failure("unreachable", "the answer was lost");
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const bad = bytes.slice();
  if (bad.length > 0) bad[0] ^= 1;
  return bad;
}
