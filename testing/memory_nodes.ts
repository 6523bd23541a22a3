/**
 * Nodes, names and devices of the file system in memory, and what a crash takes from them.
 * @module
 */
import type { FileStat } from "../core/io/file_system.ts";
import {
  CrashError,
  type Fault,
  type FaultHook,
  type MountOptions,
  type Operation,
  systemError,
  type Unflushed,
} from "./memory_types.ts";

export interface Device extends MountOptions {
  dev: number;
  used: number;
  root: Node;
  dirty: Set<Node>;
}

export interface Node {
  kind: FileStat["kind"];
  device: Device;
  ino: number;
  mtimeMs: number;
  ctimeMs: number;
  birthtimeMs: number;
  links: number;
  content: Uint8Array;
  size: number;
  /** What a crash cannot take: the content at the last flush. Shared with `content` until the next write. */
  flushed: { content: Uint8Array; size: number; mtimeMs: number };
  target: string;
  entries: Map<string, { name: string; node: Node }>;
  /** Changes of names in this folder that are not flushed. */
  pending: NameChange[];
  lockedBy: object | undefined;
}

/** One atomic change of names: a rename changes two. */
interface NameChange {
  path: string;
  flushed: boolean;
  undo: { folder: Node; key: string; before: { name: string; node: Node } | undefined }[];
}

const EMPTY = new Uint8Array(0);
const MOST_LINKS_FOLLOWED = 40;

export class MemoryNodes {
  fault: FaultHook | undefined;
  calls = 0;
  crashed = false;
  /** Counts restarts: handles of an earlier life are dead. */
  _life = 0;
  readonly _mounted = new Map<Node, Node>();
  readonly #now: () => number;
  readonly #root: Node;
  readonly #devices: Device[] = [];
  #changes: NameChange[] = [];
  #nextIno = 2;

  constructor(now: () => number) {
    this.#now = now;
    this.#root = this._device({}).root;
  }

  crash(): void {
    this.crashed = true;
  }

  restart(lose: (what: Unflushed) => boolean | "zeros"): void {
    this.crashed = false;
    this._life++;
    for (const device of this.#devices) {
      for (const node of device.dirty) this._settleContent(node, lose({ kind: "content", path: this._pathOf(node) }));
      device.dirty.clear();
    }
    for (const change of this.#changes.reverse()) {
      if (!change.flushed && lose({ kind: "names", path: change.path }) !== false) undoNames(change);
      for (const { folder } of change.undo) folder.pending = [];
    }
    this.#changes = [];
    for (const node of this._allNodes()) node.lockedBy = undefined;
  }

  _enter(operation: Operation, path: string): Fault | void {
    if (this.crashed) throw new CrashError();
    this.calls++;
    try {
      return this.fault?.({ operation, path, count: this.calls });
    } catch (error) {
      if (error instanceof CrashError) this.crashed = true;
      throw error;
    }
  }

  /** The time by the clock of a device, in ms. */
  #at({ aheadMs = 0 }: Device): number {
    return Math.floor(this.#now() + aheadMs);
  }

  _second(device: Device): number {
    return Math.floor(this.#at(device) / 1000) * 1000;
  }

  _device(options: MountOptions): Device {
    const device = { ...options, dev: 100 + this.#devices.length, used: 0, dirty: new Set<Node>() } as Device;
    device.root = this._node(device, "directory");
    this.#devices.push(device);
    return device;
  }

  _node(device: Device, kind: Node["kind"], at = this.#at(device)): Node {
    return {
      kind,
      device,
      ino: this.#nextIno++,
      mtimeMs: Math.floor(at),
      ctimeMs: Math.floor(at / 1000) * 1000,
      birthtimeMs: Math.floor(at),
      links: 0,
      content: EMPTY,
      size: 0,
      flushed: { content: EMPTY, size: 0, mtimeMs: Math.floor(at) },
      target: "",
      entries: new Map(),
      pending: [],
      lockedBy: undefined,
    };
  }

  _resolve(path: string, options: { follow: boolean }, followed = 0): { node: Node; path: string } {
    if (!path.startsWith("/")) throw new RangeError(`an absolute path is wanted, not ${path}`);
    if (followed > MOST_LINKS_FOLLOWED) throw systemError("ELOOP", path);
    let node = this._mounted.get(this.#root) ?? this.#root;
    let real = "";
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    for (const [i, name] of names.entries()) {
      if (node.kind !== "directory") throw systemError("ENOTDIR", path);
      const entry = node.entries.get(keyOf(node, name));
      if (entry === undefined) throw systemError("ENOENT", path);
      const last = i === names.length - 1;
      if (entry.node.kind === "symlink" && (!last || options.follow)) {
        const target = entry.node.target.startsWith("/") ? entry.node.target : `${real}/${entry.node.target}`;
        return this._resolve([target, ...names.slice(i + 1)].join("/"), options, followed + 1);
      }
      node = this._mounted.get(entry.node) ?? entry.node;
      real = `${real}/${entry.name}`;
    }
    return { node, path: real === "" ? "/" : real };
  }

  _find(path: string, options: { follow: boolean }): Node {
    return this._resolve(path, options).node;
  }

  _folder(path: string): Node {
    const node = this._find(path, { follow: true });
    if (node.kind !== "directory") throw systemError("ENOTDIR", path);
    return node;
  }

  _file(path: string): Node {
    const node = this._find(path, { follow: false });
    if (node.kind === "symlink") throw systemError("ELOOP", path);
    if (node.kind === "directory") throw systemError("EISDIR", path);
    return node;
  }

  _slot(path: string): { folder: Node; key: string; name: string } {
    const slash = path.lastIndexOf("/");
    const folder = this._folder(slash <= 0 ? "/" : path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (name === "" || name === "." || name === "..") throw systemError("EINVAL", path);
    if (new TextEncoder().encode(name).length > 255) throw systemError("ENAMETOOLONG", path);
    return { folder, name, key: keyOf(folder, name) };
  }

  _makeFolders(path: string, at?: number): void {
    let done = "";
    for (const name of path.split("/").filter((part) => part !== "")) {
      const { folder, key } = this._slot(`${done}/${name}`);
      done = `${done}/${name}`;
      if (!folder.entries.has(key)) folder.entries.set(key, { name, node: this._node(folder.device, "directory", at) });
    }
  }

  _writable(node: Node, path: string): void {
    if (node.device.readOnly) throw systemError("EROFS", path);
  }

  _create(path: string): Node {
    const slot = this._slot(path);
    if (slot.folder.entries.has(slot.key)) throw systemError("EEXIST", path);
    this._writable(slot.folder, path);
    const node = this._node(slot.folder.device, "file");
    node.links = 1;
    this._change(path, [{ ...slot, entry: { name: slot.name, node } }]);
    return node;
  }

  _move(from: string, to: string): void {
    const [source, target] = [this._slot(from), this._slot(to)];
    const moved = source.folder.entries.get(source.key);
    if (moved === undefined) throw systemError("ENOENT", from);
    if (source.folder.device !== target.folder.device) throw systemError("EXDEV", to);
    this._writable(target.folder, to);
    const replaced = target.folder.entries.get(target.key);
    if (replaced?.node === moved.node && replaced.name === target.name) return;
    if (replaced?.node.kind === "directory" && replaced.node.entries.size > 0) throw systemError("ENOTEMPTY", to);
    moved.node.ctimeMs = this._second(moved.node.device);
    this._change(to, [
      { ...source, entry: undefined },
      { ...target, entry: { name: target.name, node: moved.node } },
    ]);
    if (replaced && replaced.node !== moved.node) this._dropLink(replaced.node);
  }

  _change(
    path: string,
    edits: { folder: Node; key: string; entry: { name: string; node: Node } | undefined }[],
  ): void {
    const change: NameChange = { path, flushed: false, undo: [] };
    for (const { folder, key, entry } of edits) {
      change.undo.push({ folder, key, before: folder.entries.get(key) });
      if (entry) folder.entries.set(key, entry);
      else folder.entries.delete(key);
      folder.pending.push(change);
      folder.mtimeMs = this.#at(folder.device);
      folder.ctimeMs = this._second(folder.device);
    }
    this.#changes.push(change);
  }

  /** The space of a removed file counts as free although a crash may bring it back: the tests need no more. */
  _dropLink(node: Node): void {
    node.links--;
    node.ctimeMs = this._second(node.device);
    if (node.links === 0) node.device.used -= node.size;
  }

  _forgetFlushed(): void {
    if (this.#changes.length < 256) return;
    this.#changes = this.#changes.filter((change) => !change.flushed);
  }

  _flushContent(node: Node): void {
    node.flushed = { content: node.content, size: node.size, mtimeMs: node.mtimeMs };
    node.device.dirty.delete(node);
  }

  _settleContent(node: Node, lost: boolean | "zeros"): void {
    if (lost === false) return;
    const { content, size, mtimeMs } = node.flushed;
    // Some systems write the new size before the bytes: the file then has its length, and zeros.
    if (lost === "zeros") node.content = new Uint8Array(node.size);
    else [node.content, node.size, node.mtimeMs] = [content, size, mtimeMs];
    if (lost === "zeros") node.content.set(content.subarray(0, Math.min(size, node.size)));
    this._flushContent(node);
  }

  _write(node: Node, at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    const grows = Math.max(0, end - node.size);
    const { capacity = Infinity, used } = node.device;
    if (used + grows > capacity) throw systemError("ENOSPC");
    // The flushed content is shared until it is written to.
    if (node.content === node.flushed.content || end > node.content.length) {
      const larger = new Uint8Array(Math.max(end, grows > 0 ? node.size * 2 : node.size));
      larger.set(node.content.subarray(0, node.size));
      node.content = larger;
    }
    node.content.set(bytes, at);
    node.device.used += grows;
    node.size = Math.max(node.size, end);
    this._touched(node);
  }

  _truncate(node: Node, bytes: number): void {
    const content = new Uint8Array(bytes);
    content.set(node.content.subarray(0, Math.min(bytes, node.size)));
    node.device.used += bytes - node.size;
    [node.content, node.size] = [content, bytes];
    this._touched(node);
  }

  _setMtime(node: Node, mtimeMs: number): void {
    node.mtimeMs = Math.floor(mtimeMs);
    node.ctimeMs = this._second(node.device);
    if (node.kind === "file") node.device.dirty.add(node);
  }

  _touched(node: Node): void {
    node.mtimeMs = this.#at(node.device);
    node.ctimeMs = this._second(node.device);
    node.device.dirty.add(node);
  }

  *_allNodes(): Generator<Node> {
    for (const device of this.#devices) yield* below(device.root);
  }

  /** The first path found to a node, for words about it. */
  _pathOf(wanted: Node): string {
    const look = (path: string, node: Node): string | undefined => {
      const folder = this._mounted.get(node) ?? node;
      for (const { name, node: child } of folder.entries.values()) {
        if (child === wanted) return `${path}/${name}`;
        const found = child.kind === "directory" ? look(`${path}/${name}`, child) : undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return look("", this.#root) ?? "";
  }

  /** Makes the names in a folder safe from a crash. */
  _flushNames(folder: Node): void {
    for (const change of folder.pending) change.flushed = true;
    folder.pending = [];
    this._forgetFlushed();
  }

  /** Makes everything on a device safe from a crash. */
  _flushDevice(device: Device): void {
    for (const node of device.dirty) this._flushContent(node);
    for (const change of this.#changes) {
      if (change.undo.some((undo) => undo.folder.device === device)) change.flushed = true;
    }
    this._forgetFlushed();
  }
}

function* below(node: Node): Generator<Node> {
  yield node;
  for (const entry of node.entries.values()) yield* below(entry.node);
}

function undoNames(change: NameChange): void {
  for (const { folder, key, before } of change.undo.toReversed()) {
    if (before) folder.entries.set(key, before);
    else folder.entries.delete(key);
  }
}

export const keyOf = (folder: Node, name: string) => folder.device.ignoreCase ? name.toLowerCase() : name;

export function statOf(node: Node): FileStat {
  return {
    kind: node.kind,
    dev: node.device.dev,
    ino: node.ino,
    size: node.size,
    mtimeMs: node.mtimeMs,
    ctimeMs: node.ctimeMs,
    birthtimeMs: node.birthtimeMs,
  };
}
