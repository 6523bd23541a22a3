/**
 * What the system says of an entry, and what the engine expects of it before it opens a file.
 * @module
 */
import fs from "node:fs";
import type { FileStat } from "./file_system.ts";
import { isSameFile } from "./same.ts";
import { longPath } from "./windows.ts";

/** The path as the system takes it. */
export const osPath: (path: string) => string = Deno.build.os === "windows" ? longPath : (path) => path;

/**
 * The engine's view of what the runtime says of an entry. Inode 0 is what file systems say that have none: it counts as
 * missing, since all their files would be one.
 */
export function fileStat(info: Deno.FileInfo): FileStat {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "directory" : info.isSymlink ? "symlink" : "other",
    dev: info.dev ?? null,
    ino: info.ino || null,
    size: info.size,
    mtimeMs: info.mtime?.getTime() ?? null,
    ctimeMs: info.ctime?.getTime() ?? null,
    birthtimeMs: info.birthtime?.getTime() ?? null,
  };
}

/** A system error as the runtime would throw it. */
export function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${message} (${code})`), { code });
}

/** Refuses a file that is another than the one looked at before it was opened: a link was put in its place. */
export function expectSame(path: string, before: FileStat, opened: FileStat): void {
  if (isSameFile(opened, before)) return;
  throw systemError("ELOOP", `another file was put in the place of "${path}" while it was opened`);
}

/** Refuses links and absence before a file is opened, since the runtime would follow a link. */
export function expectFile(path: string, stat: FileStat | undefined): FileStat {
  if (stat === undefined) throw systemError("ENOENT", `no such file "${path}"`);
  if (stat.kind === "symlink") throw systemError("ELOOP", `"${path}" is a symbolic link`);
  if (stat.kind === "directory") throw systemError("EISDIR", `"${path}" is a folder`);
  // Opening a named pipe or a device could wait for ever.
  if (stat.kind !== "file") throw systemError("EINVAL", `"${path}" is no plain file`);
  return stat;
}

/** The stat of a descriptor in the same form, and with the same precision, as the runtime's own. */
export function fdStat(fd: number, like: FileStat): FileStat {
  const info = fs.fstatSync(fd);
  const kind = info.isFile() ? "file" : info.isDirectory() ? "directory" : "other";
  return {
    kind,
    dev: info.dev,
    ino: info.ino || null,
    size: info.size,
    mtimeMs: Math.floor(info.mtimeMs),
    ctimeMs: like.ctimeMs === null ? null : Math.floor(info.ctimeMs),
    birthtimeMs: like.birthtimeMs,
  };
}
