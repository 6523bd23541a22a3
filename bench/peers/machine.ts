/**
 * What a measurement ran on, and how to keep the page cache out of it.
 * @module
 */
import { arch, availableParallelism, cpus, release, totalmem, type as systemType } from "node:os";

export interface Machine {
  cpu: string;
  /** Logical processors this process may use. */
  cores: number;
  memoryBytes: number;
  system: string;
  /** Kind of file system below the scratch folder, for example `ext4`; `unknown` where no one says. */
  fileSystem: string;
  deno: string;
}

/** Describes this machine and the file system that holds `folder`. */
export async function describeMachine(folder: string): Promise<Machine> {
  return {
    cpu: cpus().at(0)?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${systemType()} ${release()} ${arch()}`,
    fileSystem: await fileSystemOf(folder),
    deno: Deno.version.deno,
  };
}

/** Returns the kind of the mount that holds `path`, from the text of `/proc/self/mounts`. */
export function mountKind(mounts: string, path: string): string {
  let best = { point: "", kind: "unknown" };
  for (const line of mounts.split("\n")) {
    const [, raw, kind] = line.split(" ");
    if (raw === undefined || kind === undefined) continue;
    const point = raw.replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
    const holds = path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`);
    // A later mount on the same point hides the earlier one.
    if (holds && point.length >= best.point.length) best = { point, kind };
  }
  return best.kind;
}

async function fileSystemOf(folder: string): Promise<string> {
  if (Deno.build.os !== "linux") return "unknown";
  return mountKind(await Deno.readTextFile("/proc/self/mounts"), await Deno.realPath(folder));
}

/** Flushes everything this machine has not yet written to its disks. */
export async function syncDisks(): Promise<void> {
  const { success } = await new Deno.Command("sync", { stdin: "null" }).output();
  if (!success) throw new Error("Cannot flush the disks: sync failed");
}

/** Whether `dropCaches` can work: Linux, as root, and not in a container that forbids it. */
export async function canDropCaches(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  try {
    await dropCaches();
    return true;
  } catch {
    // The kernel's answer is the answer: here it cannot be done.
    return false;
  }
}

/** Flushes, then makes the kernel forget all cached file contents, so that the next read goes to the medium. */
export async function dropCaches(): Promise<void> {
  await syncDisks();
  await Deno.writeTextFile("/proc/sys/vm/drop_caches", "3\n", { create: false });
}
