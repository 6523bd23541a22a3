/**
 * Lets random events befall a world while the engine runs in it: faults of disks and stores, crashes, instruments that
 * write, people and hosts that interfere.
 * @module
 */
import type { ProgressSink } from "../../core/run/progress.ts";
import { CrashError, type Fault, type FaultCall, systemError } from "../../testing/memory_types.ts";
import { failure, type StoreCall } from "../../testing/memory_object_store.ts";
import {
  type Act,
  type Event,
  isAt,
  isStoreTrigger,
  OF_CALLS,
  OPS,
  type Targets,
  type Trigger,
} from "./random_events.ts";
import { flipped, foreignObject, sha256Base64 } from "./truth_bytes.ts";
import { isOwn, type Truth } from "./truth.ts";
import { NAS_ROOT, type World } from "../../testing/world.ts";

interface Armed {
  event: Event;
  seen: number;
  left: number;
  /** Its moment has come; it waits until the world lets it happen. */
  due: boolean;
}

/** Lets events happen to a world. */
export class Chaos {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #targets: Targets;
  #current: FaultCall | undefined;
  /** The key an object is about to be put under. */
  #putting: string | undefined;
  /** What the stages use that run now, one for each host. */
  readonly #running: string[] = [];
  #armed: Armed[] = [];
  #stop = new AbortController();
  #abort = new AbortController();
  #lose: (Act & { act: "crash" })["lose"] = "nothing";
  #quiet = true;
  /** Checksums of what was sent, for a store that only repeats them. */
  readonly #told = new Map<string, string>();
  /** How far the host's clock is ahead of everybody else's, ms. */
  jumped = 0;

  constructor(world: World, truth: Truth, targets: Targets) {
    this.#world = world;
    this.#truth = truth;
    this.#targets = targets;
    world.fs.fault = (call) => this.#atCall(call);
    world.store.hooks = {
      before: (call) => this.#beforeStore(call),
      after: (call) => this.#afterStore(call),
      store: (call, bytes) => this.#stored(call, bytes),
      read: (call, bytes) => this.#misread(call, bytes),
      answer: (call, result) => targets.parrots ? { ...result, sha256: this.#told.get(call.key) ?? null } : result,
    };
  }

  /** Arms the events of a run and returns the signals it is given. */
  beginRun(events: readonly Event[]): { stop: AbortSignal; abort: AbortSignal } {
    this.#running.length = 0;
    this.#armed = events.map((event) => ({
      event,
      seen: 0,
      left: "times" in event.act ? event.act.times : 1,
      due: false,
    }));
    [this.#stop, this.#abort] = [new AbortController(), new AbortController()];
    return { stop: this.#stop.signal, abort: this.#abort.signal };
  }

  /** After a run: power comes back, mounts come back. */
  endRun(): void {
    this.#armed = [];
    const { fs } = this.#world;
    if (fs.disk.crashed) {
      let state = typeof this.#lose === "number" ? this.#lose : 0;
      const lose = this.#lose;
      fs.restart(() => {
        if (lose === "nothing") return false;
        if (lose !== "all" && lose !== "zeros") {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          return state % 3 === 0 ? "zeros" : state % 3 === 1;
        }
        return lose === "zeros" ? "zeros" : true;
      });
      this.#truth.crashes++;
    }
    for (const mount of this.#truth.away) fs.remount(mount);
    this.#truth.away.clear();
    this.#truth.readLedger();
  }

  progress(): ProgressSink {
    return {
      stageStarted: (_item, stage) => this.#atStage(stage, "started"),
      stageFinished: (_item, stage) => this.#atStage(stage, "finished"),
    };
  }

  /** Ids of stages to what they use, for triggers. */
  uses: ReadonlyMap<string, string> = new Map();

  #atStage(stage: string, edge: "started" | "finished"): void {
    if (this.#world.fs.disk.crashed) return;
    this.#truth.beforeEvents();
    this.#quiet = true;
    const use = this.uses.get(stage) ?? stage;
    if (edge === "started") this.#running.push(use);
    else this.#running.splice(this.#running.indexOf(use), 1);
    this.#current = undefined;
    for (
      const armed of this.#hit((when) => when.on === "stage" && when.use === use && when.edge === edge)
    ) this.#happen(armed);
  }

  #isDuring(use: string | undefined): boolean {
    return use === undefined || this.#running.includes(use);
  }

  /** Events whose moment is now. Those that are due but cannot happen yet stay so. */
  #hit(matches: (trigger: Trigger) => boolean): Armed[] {
    const now: Armed[] = [];
    for (const armed of this.#armed) {
      if (armed.due) now.push(armed);
      else if (matches(armed.event.trigger) && ++armed.seen >= armed.event.trigger.nth) {
        armed.due = true;
        now.push(armed);
      }
    }
    return now;
  }

  #spend(armed: Armed): void {
    armed.due = false;
    armed.seen = armed.event.trigger.nth - 1;
    if (--armed.left <= 0) this.#armed = this.#armed.filter((one) => one !== armed);
  }

  #atCall(call: FaultCall): Fault | void {
    const { operation, path } = call;
    this.#current = call;
    this.#putting = undefined;
    this.#truth.beforeEvents();
    this.#quiet = !this.#targets.isCrowded && !path.startsWith("/instrument") && !path.startsWith("/manifests");
    let fault: Fault | undefined;
    const hit = this.#hit((trigger) => {
      if (trigger.on !== "fs" || !this.#isDuring(trigger.during)) return false;
      const ops: readonly string[] | undefined = OPS[trigger.ops];
      return (ops === undefined || ops.includes(operation)) && isAt(trigger.where, path);
    });
    for (const armed of hit) {
      const { act } = armed.event;
      if (act.act === "errno") {
        this.#spend(armed);
        throw systemError(act.code, path);
      }
      if (act.act === "flip") {
        if (isOwn(path) && !path.includes(".labferry-tmp-")) continue;
        if (!path.startsWith("/nas") || (operation !== "read" && operation !== "write")) continue;
        this.#spend(armed);
        if (operation === "write") this.#truth.flips++;
        fault = { flipBit: act.bit };
      } else this.#happen(armed);
    }
    this.#truth.beforeAct(call);
    return fault;
  }

  #beforeStore(call: StoreCall): void {
    if (this.#world.fs.disk.crashed) throw new CrashError();
    this.#truth.beforeStore(call);
    this.#current = undefined;
    this.#putting = call.name === "put" || call.name === "completeUpload" ? call.key : undefined;
    this.#quiet = !this.#targets.isCrowded;
    for (const armed of this.#hit((when) => isStoreTrigger(when, call) && this.#isDuring(when.during))) {
      const { act } = armed.event;
      if (act.act === "refuse") {
        this.#spend(armed);
        throw failure(act.kind);
      }
      if (act.act !== "lose-answer" && act.act !== "corrupt" && act.act !== "misread") this.#happen(armed);
    }
  }

  #afterStore(call: StoreCall): void {
    this.#truth.afterStore(call);
    for (const armed of this.#armed.filter(({ due, event }) => due && event.act.act === "lose-answer")) {
      this.#spend(armed);
      throw failure("unreachable", "the answer was lost");
    }
  }

  /** The bucket keeps other bytes than were sent. */
  #stored(call: StoreCall, bytes: Uint8Array): Uint8Array {
    if (call.name === "put") this.#told.set(call.key, sha256Base64(bytes));
    const armed = this.#armed.find(({ due, event }) => due && event.act.act === "corrupt");
    if (!armed || bytes.length === 0 || call.name !== "put" || /(^|\/)_/.test(call.key)) return bytes;
    this.#spend(armed);
    this.#truth.flips++;
    const bad = flipped(bytes, (armed.event.act as { bit: number }).bit);
    // The object stands under its key only after this; what the truth compares is what was sent.
    if (this.#targets.trusted.some((prefix) => call.key.startsWith(prefix))) {
      this.#world.store.objects.set(call.key, foreignObject(bytes));
      this.#truth.damages(`s3:${call.key}`, "silent");
    }
    return bad;
  }

  #misread(_call: StoreCall, bytes: Uint8Array): Uint8Array {
    const armed = this.#armed.find(({ due, event }) => due && event.act.act === "misread");
    if (!armed || bytes.length === 0) return bytes;
    this.#spend(armed);
    return flipped(bytes, (armed.event.act as { bit: number }).bit);
  }

  #happen(armed: Armed): void {
    const { act } = armed.event;
    if (OF_CALLS.has(act.act)) return; // waits for a call it can befall
    if (act.act === "crash") {
      this.#spend(armed);
      this.#lose = act.lose;
      this.#world.fs.crash();
      throw new CrashError();
    }
    if (this.apply(act)) this.#spend(armed);
  }

  /** Does it; false when it cannot happen now. */
  apply(act: Act): boolean {
    switch (act.act) {
      case "instrument":
        return this.#instrument(act);
      case "nas":
        return this.#nas(act);
      case "object":
        return this.#object(act);
      case "unmount":
        return this.#unmount(act.mount);
      case "clock":
        this.#world.clock.time += act.ms;
        this.jumped += act.ms;
        return true;
      case "unlock":
        return this.#unlock(act.file);
      case "stop":
        this.#stop.abort();
        return true;
      case "abort":
        this.#abort.abort(new DOMException("stopped at once", "AbortError"));
        return true;
      default: // of calls, at a moment that is none
        return true;
    }
  }

  #instrument({ what, file, ms }: Act & { act: "instrument" }): boolean {
    const { sources } = this.#targets;
    const known = sources[file % sources.length];
    const study = known.split("/").slice(0, 4).join("/");
    if (this.#truth.node(study) === undefined) return true;
    const path = what === "add" ? `${study}/added-${file}` : known;
    const node = this.#truth.node(path);
    if (what !== "add" && node?.kind !== "file") return true;
    const isFreed = this.#truth.isBeingFreed(study);
    // No system lets a program look and remove in one act: what changes in between goes unseen, and is not the engine's.
    const isAct = this.#current?.operation === "removeFile" && this.#current.path === path;
    if (isFreed && (isAct || this.#targets.isCrowded)) return false;
    // The same goes for a change that no stat shows, within the second of the last look at the bytes.
    if (isFreed && what === "sneak") return false;
    this.#world.clock.time += ms;
    const now = this.#world.clock.now();
    const bytes = what === "sneak" && node
      ? flipped(node.content.subarray(0, node.size), now)
      : new TextEncoder().encode(`${what} ${path} at ${now}`);
    if (what === "remove") {
      this.#entriesOf(path).delete(path.slice(path.lastIndexOf("/") + 1));
      this.#truth.sourceHas(path, undefined, { quiet: this.#quiet });
      return true;
    }
    if (what === "touch" && node) {
      node.mtimeMs = now;
      node.ctimeMs = Math.floor(now / 1000) * 1000;
      node.flushed.mtimeMs = now;
      return true;
    }
    if (what === "add" || what === "replace") this.#put(path, bytes);
    else if (node) this.#rewrite(node, bytes, what === "sneak" ? node.mtimeMs : now);
    this.#truth.sourceHas(path, bytes, { quiet: this.#quiet });
    return true;
  }

  #entriesOf(path: string) {
    const folder = this.#truth.node(path.slice(0, path.lastIndexOf("/")));
    if (folder?.kind !== "directory") throw new RangeError(`no folder for ${path}`);
    return folder.entries;
  }

  /** A new file under a name, on the device the name belongs to. */
  #put(path: string, bytes: Uint8Array): void {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const folder = this.#truth.node(path.slice(0, path.lastIndexOf("/")))!;
    const node = this.#world.fs.disk._node(folder.device, "file");
    this.#rewrite(node, bytes, this.#world.clock.now());
    node.links = 1;
    folder.entries.set(name, { name, node });
  }

  #rewrite(node: NonNullable<ReturnType<Truth["node"]>>, bytes: Uint8Array, mtimeMs: number): void {
    [node.content, node.size, node.mtimeMs] = [bytes.slice(), bytes.length, Math.floor(mtimeMs)];
    node.ctimeMs = Math.floor(this.#world.clock.now() / 1000) * 1000;
    node.flushed = { content: node.content, size: node.size, mtimeMs: node.mtimeMs };
  }

  #nas({ what, place, file }: Act & { act: "nas" }): boolean {
    const { folders, files } = this.#targets;
    if (folders.length === 0) return true;
    const { operation, path: to } = this.#current ?? { path: "" };
    const isNamed = what === "foreign" && operation !== undefined && /^(rename|link)/.test(operation) && !isOwn(to) &&
      folders.some((folder) => to.startsWith(`${folder}/`));
    const path = isNamed ? to : `${folders[place % folders.length]}/${files[file % files.length]}`;
    const node = this.#truth.node(path);
    if (what === "foreign") return this.#foreignFile(path, node !== undefined);
    if (node?.kind !== "file") return false;
    if (what === "rot" && node.size === 0) return true;
    this.#truth.damages(path, what === "rot" ? "silent" : "visible");
    const bytes = node.content.slice(0, node.size);
    if (what === "remove") this.#entriesOf(path).delete(path.slice(path.lastIndexOf("/") + 1));
    else if (what === "truncate") this.#rewrite(node, new Uint8Array(0), this.#world.clock.now());
    else if (what === "rewrite") this.#rewrite(node, bytes.length ? flipped(bytes, file) : bytes, node.mtimeMs);
    else {
      node.content = flipped(bytes, file);
      node.flushed = { ...node.flushed, content: flipped(node.flushed.content, file) };
    }
    return true;
  }

  #foreignFile(path: string, isTaken: boolean): boolean {
    const folder = this.#truth.node(path.slice(0, path.lastIndexOf("/")));
    if (isTaken || path.endsWith("_checksums.sha256")) return true;
    // Where neither links nor such a rename exist, nothing keeps two hosts apart but the claim.
    if (folder?.device.links === false && folder.device.renameNew === false) return true;
    if (folder?.kind !== "directory") return false;
    const bytes = new TextEncoder().encode(`somebody else's ${path}`);
    this.#put(path, bytes);
    this.#truth.foreignAt(path, bytes);
    return true;
  }

  #object({ what, place, file }: Act & { act: "object" }): boolean {
    const { prefixes, files } = this.#targets;
    if (prefixes.length === 0) return true;
    const named = what === "foreign" && this.#putting !== undefined && !/(^|\/)_/.test(this.#putting);
    const key = named ? this.#putting! : `${prefixes[place % prefixes.length]}${files[file % files.length]}`;
    const { objects } = this.#world.store;
    const object = objects.get(key);
    const bytes = new TextEncoder().encode(`somebody else's ${key}`);
    if (what === "foreign") {
      if (object || key.endsWith("_checksums.sha256")) return true;
      // Where the store does not hold If-None-Match, nothing keeps two writers apart but the claim.
      if (this.#targets.holdsIfAbsent) this.#truth.foreignAt(`s3:${key}`, bytes);
      else this.#truth.damages(`s3:${key}`, "visible");
      objects.set(key, foreignObject(bytes));
      return true;
    }
    if (!object) return false;
    if (what === "rot" && object.bytes.length === 0) return true;
    this.#truth.damages(`s3:${key}`, what === "rot" ? "silent" : "visible");
    if (what === "drop") objects.delete(key);
    else if (what === "rot") objects.set(key, { ...object, bytes: flipped(object.bytes, file) });
    else objects.set(key, foreignObject(bytes));
    return true;
  }

  /** The folder beneath shows: empty, as the mount point of a share that is away. */
  #unmount(mount: string): boolean {
    if (this.#truth.away.has(mount)) return true;
    const { disk } = this.#world.fs;
    disk.unmount(mount);
    this.#truth.away.add(mount);
    const below = { "/nas": NAS_ROOT, "/instrument": "/instrument/studies", "/manifests": "/manifests/ledger" }[mount];
    disk._makeFolders(below ?? mount);
    return true;
  }

  #unlock(file: number): boolean {
    const { sources } = this.#targets;
    const study = sources[file % sources.length].split("/").slice(0, 4).join("/");
    if (this.#truth.isBeingFreed(study)) return false;
    if (this.#truth.node(`${study}/.labferry.lock`) === undefined) return false;
    this.#entriesOf(`${study}/.labferry.lock`).delete(".labferry.lock");
    return true;
  }
}
