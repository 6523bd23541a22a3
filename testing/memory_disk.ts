/**
 * The disk under `MemoryFileSystem`: seeds, mounts and the synchronous primitives.
 * @module
 */
import { decodeText } from "../core/text.ts";
import type { DirEntry, FileStat, SpaceInfo } from "../core/io/file_system.ts";
import type { SyncPrimitives } from "../core/io/sync_primitives.ts";
import { MemoryHandle } from "./memory_handle.ts";
import { MemoryNodes, type Node, statOf } from "./memory_nodes.ts";
import { type MountOptions, type Seed, type SeedOptions, systemError } from "./memory_types.ts";

export class MemoryDisk extends MemoryNodes implements SyncPrimitives {
  readonly #unmounted = new Map<string, Node>();

  mayStand(path: string): boolean {
    return this.lstat(path) !== undefined;
  }

  mount(path: string, options: MountOptions): void {
    this._makeFolders(path);
    this._mounted.set(this._find(path, { follow: true }), this._device(options).root);
  }

  unmount(path: string): void {
    for (const [beneath, root] of this._mounted) {
      if (this._find(path, { follow: true }) !== root) continue;
      this._mounted.delete(beneath);
      this.#unmounted.set(path, root);
      return;
    }
    throw new RangeError(`nothing is mounted at ${path}`);
  }

  remount(path: string): void {
    const root = this.#unmounted.get(path);
    if (root === undefined) throw new RangeError(`nothing was mounted at ${path}`);
    this.#unmounted.delete(path);
    this._mounted.set(this._find(path, { follow: true }), root);
  }

  /** Changes what a mount can do while it is in use. */
  setMount(path: string, options: MountOptions): void {
    Object.assign(this._find(path, { follow: true }).device, options);
  }

  seed(files: Seed, options: SeedOptions = {}): void {
    for (const [path, value] of Object.entries(files)) {
      if (path.endsWith("/")) {
        this._makeFolders(path.slice(0, -1), options.at);
        continue;
      }
      const slash = path.lastIndexOf("/");
      this._makeFolders(path.slice(0, slash), options.at);
      const { folder, key, name } = this._slot(path);
      const isLink = typeof value === "object" && "link" in value;
      const node = this._node(folder.device, isLink ? "symlink" : "file", options.at);
      if (isLink) node.target = value.link;
      else node.content = typeof value === "string" ? new TextEncoder().encode(value) : value.slice();
      node.size = node.content.length;
      folder.device.used += node.size;
      node.flushed = { content: node.content, size: node.size, mtimeMs: node.mtimeMs };
      folder.entries.set(key, { name, node });
      node.links = 1;
    }
  }

  tree(root: string): Record<string, string> {
    const found: Record<string, string> = {};
    const visit = (path: string, node: Node) => {
      const folder = this._mounted.get(node) ?? node;
      if (folder.kind === "file") found[path] = new TextDecoder().decode(folder.content.subarray(0, folder.size));
      else if (folder.kind === "symlink") found[path] = `-> ${folder.target}`;
      else if (folder.kind === "directory") {
        if (folder.entries.size === 0 && path !== root) found[`${path}/`] = "";
        const names = [...folder.entries.values()].sort((a, b) => a.name < b.name ? -1 : 1);
        for (const entry of names) visit(path === "/" ? `/${entry.name}` : `${path}/${entry.name}`, entry.node);
      }
    };
    visit(root, this._find(root, { follow: false }));
    return found;
  }

  bytes(path: string): Uint8Array {
    const node = this._find(path, { follow: false });
    return node.content.slice(0, node.size);
  }

  lstat(path: string): FileStat | undefined {
    this._enter("lstat", path);
    try {
      return statOf(this._find(path, { follow: false }));
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  }

  readDir(path: string): DirEntry[] {
    this._enter("readDir", path);
    const folder = this._folder(path);
    return Array.from(folder.entries.values(), ({ name, node }) => ({ name, kind: node.kind }));
  }

  realPath(path: string): string {
    this._enter("realPath", path);
    return this._resolve(path, { follow: true }).path;
  }

  mkdir(path: string): boolean {
    this._enter("mkdir", path);
    const slot = this._slot(path);
    const there = slot.folder.entries.get(slot.key);
    if (there?.node.kind === "directory") return false;
    if (there) throw systemError("EEXIST", path);
    this._writable(slot.folder, path);
    const node = this._node(slot.folder.device, "directory");
    this._change(path, [{ ...slot, entry: { name: slot.name, node } }]);
    return true;
  }

  openRead(path: string, options: { fresh: boolean }): MemoryHandle {
    this._enter("openRead", path);
    const node = this._file(path);
    return new MemoryHandle(this, path, { node, medium: options.fresh ? node.device.medium ?? "direct" : "cached" });
  }

  createNew(path: string): MemoryHandle {
    this._enter("createNew", path);
    return new MemoryHandle(this, path, { node: this._create(path), writes: true });
  }

  openReadWrite(path: string, { create = true }: { create?: boolean } = {}): MemoryHandle {
    this._enter("openReadWrite", path);
    const slot = this._slot(path);
    const node = slot.folder.entries.has(slot.key) || !create ? this._file(path) : this._create(path);
    this._writable(node, path);
    return new MemoryHandle(this, path, { node, writes: true });
  }

  syncFile(path: string): void {
    this._enter("syncFile", path);
    this._flushContent(this._file(path));
  }

  link(from: string, to: string): void {
    this._enter("link", to);
    const node = this._file(from);
    const slot = this._slot(to);
    if (slot.folder.entries.has(slot.key)) throw systemError("EEXIST", to);
    if (slot.folder.device !== node.device) throw systemError("EXDEV", to);
    if (node.device.links === false) throw systemError("EPERM", to);
    this._writable(slot.folder, to);
    node.links++;
    node.ctimeMs = this._second(node.device);
    this._change(to, [{ ...slot, entry: { name: slot.name, node } }]);
  }

  rename(from: string, to: string): void {
    this._enter("rename", to);
    this._move(from, to);
  }

  renameNew(from: string, to: string): boolean | undefined {
    this._enter("renameNew", to);
    const slot = this._slot(to);
    if (slot.folder.device.renameNew === false) return undefined;
    if (slot.folder.entries.has(slot.key)) return false;
    this._move(from, to);
    return true;
  }

  removeFile(path: string): void {
    this._enter("removeFile", path);
    const slot = this._slot(path);
    const there = slot.folder.entries.get(slot.key);
    if (there === undefined) throw systemError("ENOENT", path);
    if (there.node.kind === "directory") throw systemError("EISDIR", path);
    this._writable(slot.folder, path);
    this._change(path, [{ ...slot, entry: undefined }]);
    this._dropLink(there.node);
  }

  removeEmptyDir(path: string): void {
    this._enter("removeEmptyDir", path);
    const slot = this._slot(path);
    const there = slot.folder.entries.get(slot.key);
    if (there === undefined) throw systemError("ENOENT", path);
    if (there.node.kind !== "directory") throw systemError("ENOTDIR", path);
    if (this._mounted.has(there.node)) throw systemError("EBUSY", path);
    if (there.node.entries.size > 0) throw systemError("ENOTEMPTY", path);
    this._writable(slot.folder, path);
    this._change(path, [{ ...slot, entry: undefined }]);
  }

  setMtime(path: string, mtimeMs: number): void {
    this._enter("setMtime", path);
    const node = this._find(path, { follow: false });
    this._writable(node, path);
    this._setMtime(node, mtimeMs);
  }

  syncDir(path: string): void {
    this._enter("syncDir", path);
    const folder = this._folder(path);
    this._flushNames(folder);
  }

  space(path: string): SpaceInfo {
    this._enter("space", path);
    const { capacity = 2 ** 40, used } = this._find(path, { follow: true }).device;
    return { free: Math.max(0, capacity - used), total: capacity };
  }

  readText(path: string): string {
    this._enter("readText", path);
    const node = this._find(path, { follow: true });
    if (node.kind !== "file") throw systemError("EISDIR", path);
    return decodeText(node.content.subarray(0, node.size));
  }

  openBarrier(folder: string): { dev: number; flush: () => void } | undefined {
    this._enter("openBarrier", folder);
    const { device } = this._folder(folder);
    if (device.barrier === false) return undefined;
    return {
      dev: device.dev,
      flush: () => {
        this._enter("flush", folder);
        this._flushDevice(device);
      },
    };
  }

  buffer(bytes: number): Uint8Array {
    return new Uint8Array(bytes);
  }
}
