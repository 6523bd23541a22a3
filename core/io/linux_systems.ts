/**
 * What each file system of Linux can be trusted with: whether a read reaches the medium, and whether one flush of the
 * whole covers every file. Pure; numbers are those of `statfs` (`linux/magic.h`). What is not named here is not trusted.
 * @module
 */
import type { Medium } from "./file_system.ts";

/**
 * `memory`: its pages are the medium. `disk`: driven by this kernel, on a block device. `stacked`: passes on to another
 * that `statfs` does not name. `network`: a client of the kernel, whose direct reads go to the server. `unknown`: may
 * keep bytes of its own that no flag and no dropped page gets rid of (FUSE and 9p do, and ZFS has a cache of its own).
 */
export type SystemKind = "memory" | "disk" | "stacked" | "network" | "unknown";

/** A file system as `statfs` names it. */
export interface LinuxSystem {
  name: string;
  kind: SystemKind;
  /** `syncfs` ends only when every file is on the medium, the device's own cache included. */
  flushesWhole?: true;
}

const SYSTEMS: ReadonlyMap<number, LinuxSystem> = new Map([
  [0x01021994, { name: "tmpfs", kind: "memory", flushesWhole: true }],
  [0x858458f6, { name: "ramfs", kind: "memory", flushesWhole: true }],
  [0xef53, { name: "ext4", kind: "disk", flushesWhole: true }],
  [0x58465342, { name: "xfs", kind: "disk", flushesWhole: true }],
  [0x9123683e, { name: "btrfs", kind: "disk", flushesWhole: true }],
  [0xf2f52010, { name: "f2fs", kind: "disk", flushesWhole: true }],
  // Their flush of the whole leaves bytes in the device's cache; that of a file does not.
  [0x4d44, { name: "fat", kind: "disk" }],
  [0x2011bab0, { name: "exfat", kind: "disk" }],
  [0x7366746e, { name: "ntfs3", kind: "disk" }],
  [0x794c7630, { name: "overlay", kind: "stacked" }],
  [0x6969, { name: "nfs", kind: "network" }],
  [0xff534d42, { name: "cifs", kind: "network" }],
  [0xfe534d42, { name: "smb3", kind: "network" }],
  [0x65735546, { name: "fuse", kind: "unknown" }],
  [0x01021997, { name: "9p", kind: "unknown" }],
  [0x2fc12fc1, { name: "zfs", kind: "unknown" }],
  [0x00c36400, { name: "ceph", kind: "unknown" }],
]);

/** The file system of a number of `statfs`. */
export function systemOf(type: number): LinuxSystem {
  const magic = type >>> 0; // the runtime may give it signed
  return SYSTEMS.get(magic) ?? { name: `of type 0x${magic.toString(16)}`, kind: "unknown" };
}

/** Tries on a file that was opened for direct reads. */
export interface DirectTrial {
  /** Whether a read that is not aligned is refused: drivers that take the flag and ignore it read anyway. */
  refusesUnaligned(): boolean;
  /** Whether an aligned read is taken: a client may take the flag and have no such read. */
  takesAligned(): boolean;
}

/** Whether direct reads really go past the cache. */
export function honoursDirect({ kind }: LinuxSystem, trial: DirectTrial): boolean {
  switch (kind) {
    case "disk":
    case "stacked":
      return trial.refusesUnaligned();
    case "network":
      // Any alignment is taken there, so that a refusal cannot be waited for.
      return trial.takesAligned();
    case "memory":
    case "unknown":
      return false;
  }
}

/**
 * How a file reaches the medium where direct reads do not. `dropped` asks the system to forget the file's pages and
 * tells whether they are gone; it is only called where that says anything.
 */
export function mediumWithoutDirect({ kind }: LinuxSystem, dropped: () => boolean): Medium {
  // There is nothing beneath these pages: a read of them is a read of the medium, for as long as it lasts.
  if (kind === "memory") return "direct";
  // A share may keep dropped pages in a cache on this machine's disk (`fsc`), and what lies under an overlay is unknown.
  return kind === "disk" && dropped() ? "dropped-cache" : "cached";
}

/** Why copies on this file system prove weakly, and what to do, in words. */
export function whyCached({ name, kind }: LinuxSystem): string {
  const todo = kind === "network"
    ? "Mount the share so that direct reads are possible (NFS, or SMB with cache=strict or cache=none)."
    : kind === "disk" || kind === "stacked"
    ? "Run labferry as the owner of the files, or mount the file system so that direct reads are possible."
    : "Mount that storage by NFS or SMB, or use a disk of this machine.";
  const found = kind === "unknown"
    ? `the file system (${name}) may keep bytes of its own on this machine`
    : `the file system (${name}) gave the bytes from a cache of this machine`;
  return `${found}, so that a reading does not show what is on the medium. ${todo}`;
}
