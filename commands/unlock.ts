/** `unlock ITEM`: clears the lock that a dead run left. @module */
import { basename, dirname, join, resolve } from "@std/path";
import type { Command, CommandContext } from "../cli/command.ts";
import { loadShippedProject } from "../cli/project.ts";
import { ownProcesses } from "../cli/services.ts";
import { PipelineError } from "../core/errors.ts";
import { DiskFiles } from "../core/io/disk_files.ts";
import { LOCK_NAME } from "../core/io/names.ts";
import { RUN_LOCK_NAME } from "../core/safety/lock_file.ts";
import { inspectLock, removeDeadLock } from "../core/safety/inspect_lock.ts";

export const run: Command = async (args, context) => {
  const { terminal, log } = context;
  const fs = new DiskFiles();
  const folder = await folderOf(args.at("ITEM"), { fs, context });
  if ((await fs.lstat(folder))?.kind !== "directory") {
    throw new PipelineError("cli/no-path", `Cannot unlock "${folder}": there is no such folder`, {
      stopsRun: 2,
      hint: "Give the name of a study below source_root, or the path of the folder that is locked",
    });
  }
  const asker = { host: terminal.host, pid: Deno.pid, processes: ownProcesses(context) };
  const name = basename(folder);
  let left = 0;
  let found = 0;
  // A study has the one, the root of a NAS the other.
  for (const lock of [LOCK_NAME, RUN_LOCK_NAME]) {
    const path = join(folder, lock);
    const { state, why } = await inspectLock(fs, path, asker);
    if (state === "free") continue;
    found++;
    terminal.out(`"${name}" is locked: ${why}\n`);
    if (state === "held" || state === "untold" || !args.has("yes") && !confirm(name, state === "dead", context)) {
      left++;
      continue;
    }
    const result = await removeDeadLock(fs, path, { ...asker, force: true });
    if (result.removed) {
      log.warn(`the lock of "${name}" was removed`, { path, why });
      terminal.out(`"${name}" is unlocked\n`);
    } else {
      left++;
      terminal.out(`"${name}" stays locked: ${result.why}\n`);
    }
  }
  if (found === 0) terminal.out(`"${name}" is not locked\n`);
  return left === 0 ? 0 : 1;
};

function confirm(name: string, isDead: boolean, { terminal, log }: CommandContext): boolean {
  const doubt = isDead ? "" : " Its holder cannot be proved dead: make sure that no labferry works on it anywhere.";
  const answer = terminal.ask(`Remove the lock of "${name}"?${doubt} [yes/no]`);
  if (answer === null) {
    log.error(`the lock of "${name}" is left: nobody can be asked here, pass --yes to remove it`, {
      code: "cli/no-answer",
    });
  }
  return /^y(es)?$/i.test(answer?.trim() ?? "");
}

/** A path is taken as it is; a name is a folder below the source root, or the copy that a cleanup locked at the NAS. */
async function folderOf(
  item: string,
  { fs, context }: { fs: DiskFiles; context: CommandContext },
): Promise<string> {
  if (/[\\/]/.test(item) || item === "." || item === "..") {
    const path = resolve(context.terminal.cwd, item);
    // The lock file itself may be named, as messages about it do.
    return basename(path) === LOCK_NAME || basename(path) === RUN_LOCK_NAME ? dirname(path) : path;
  }
  const { config } = await loadShippedProject(context);
  const { source_root: root, truenas_root: nas } = config.config.paths;
  const isLocked = async (folder: string) => await fs.lstat(join(folder, item, LOCK_NAME)) !== undefined;
  if (nas !== undefined && !(root !== undefined && await isLocked(root)) && await isLocked(nas)) return join(nas, item);
  if (root !== undefined) return join(root, item);
  throw new PipelineError("config/missing", `Cannot find "${item}": paths.source_root is not set in the config`, {
    stopsRun: 2,
    hint: "Set it, or give the path of the folder",
  });
}
