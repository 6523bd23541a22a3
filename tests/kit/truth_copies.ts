/**
 * Copies as they really are, by the nodes of the disks in memory and the objects of the bucket; what befell them, and when
 * the engine last looked at them or read them.
 * @module
 */
import type { Node } from "../../testing/memory_nodes.ts";
import { durableEntry } from "./truth_bytes.ts";
import type { World } from "../../testing/world.ts";

/** Something that befell a copy after it was made. `before`: its bytes until then. */
export interface Damage {
  kind: "visible" | "silent";
  tick: number;
  before: Uint8Array | undefined;
  /** The engine's last look at the copy before it. */
  looked: number;
}

export class Copies {
  /** Counts calls and events: which was before which. */
  tick = 0;
  readonly #world: World;
  readonly #roots = new Map<string, Node>();
  readonly #foreign = new Map<string, Uint8Array>();
  readonly #damage = new Map<string, Damage[]>();
  readonly #looks = new Map<string, number>();
  readonly #reads = new Map<string, number>();
  readonly #lists: { prefix: string; tick: number }[] = [];

  constructor(world: World, mounts: readonly string[]) {
    this.#world = world;
    for (const mount of mounts) this.#roots.set(mount, world.fs.disk._find(mount, { follow: true }));
  }

  /** A root's own device answers, whatever is mounted there now. */
  node(path: string, { durable = false } = {}): Node | undefined {
    for (const [mount, root] of this.#roots) {
      if (path !== mount && !path.startsWith(`${mount}/`)) continue;
      let node: Node | undefined = root;
      for (const name of path.slice(mount.length + 1).split("/").filter((part) => part !== "")) {
        if (node?.kind !== "directory") return undefined;
        node = durable ? durableEntry(node, name) : node.entries.get(name)?.node;
      }
      return node;
    }
    return undefined;
  }

  bytes(path: string): Uint8Array | undefined {
    const node = this.node(path);
    return node?.kind === "file" ? node.content.subarray(0, node.size) : undefined;
  }

  /** What a loss of power at this instant would leave. */
  durableBytes(path: string): Uint8Array | undefined {
    const node = this.node(path, { durable: true });
    return node?.kind === "file" ? node.flushed.content.subarray(0, node.flushed.size) : undefined;
  }

  *files(folder: string, below = ""): Generator<string> {
    const node = this.node(below === "" ? folder : `${folder}/${below}`);
    for (const { name, node: child } of node?.entries.values() ?? []) {
      const path = below === "" ? name : `${below}/${name}`;
      if (child.kind === "directory") yield* this.files(folder, path);
      else yield path;
    }
  }

  /** Notes what is about to befall a copy (`where`: OS path, or `s3:key`). */
  damages(where: string, kind: Damage["kind"]): void {
    const before = this.copyAt(where)?.slice();
    const log = this.#damage.get(where) ?? [];
    log.push({ kind, tick: ++this.tick, before, looked: this.lookedAt(where) });
    this.#damage.set(where, log);
    this.#foreign.delete(where);
  }

  /** Notes bytes that somebody else put at a place; they must stay. */
  foreignAt(where: string, bytes: Uint8Array): void {
    this.#foreign.set(where, bytes.slice());
  }

  /** A copy as it is now (`where`: OS path, or `s3:key`). */
  copyAt(where: string): Uint8Array | undefined {
    return where.startsWith("s3:") ? this.#world.store.objects.get(where.slice(3))?.bytes : this.bytes(where);
  }

  /** When the engine last looked at a copy: its stat, a listing, a question for the object. */
  lookedAt(where: string): number {
    let tick = this.#looks.get(where) ?? 0;
    if (!where.startsWith("s3:")) return tick;
    const key = where.slice(3);
    for (const list of this.#lists) if (list.tick > tick && key.startsWith(list.prefix)) tick = list.tick;
    return tick;
  }

  /** What befell a copy, first things first. */
  damageOf(where: string): readonly Damage[] {
    return this.#damage.get(where) ?? [];
  }

  isForeign(where: string): boolean {
    return this.#foreign.has(where);
  }

  foreign(): Iterable<[where: string, bytes: Uint8Array]> {
    return this.#foreign;
  }

  looksAt(where: string): void {
    this.#looks.set(where, this.tick);
  }

  lists(prefix: string): void {
    this.#lists.push({ prefix, tick: this.tick });
  }

  reads(where: string): void {
    this.#reads.set(where, this.tick);
  }

  readAt(where: string): number {
    return this.#reads.get(where) ?? 0;
  }
}
