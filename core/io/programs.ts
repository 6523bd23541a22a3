/** Programs as they are named in an argument list: in words, and whether they are there. @module */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import { errnoOf, isAbsent } from "./io_errors.ts";
import { hostSystem, type PathSystem } from "./paths.ts";

/** An argument list on one line, for people; a word with blanks stands in single quotes. */
export function commandLine(argv: readonly string[]): string {
  return argv.map((word) => word === "" || /\s/.test(word) ? `'${word}'` : word).join(" ");
}

export interface ProgramSearch {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  system?: PathSystem;
}

/** The files that a name may stand for, in the order the system looks for them. Pure. */
export function programFiles(program: string, { env, cwd, system = hostSystem }: ProgramSearch): string[] {
  const isPath = /[\\/]/.test(program);
  const path = system === "windows" ? windows : posix;
  const folders = isPath ? [cwd] : (env.PATH ?? env.Path ?? "").split(system === "windows" ? ";" : ":");
  const endings = system === "windows" ? ["", ...(env.PATHEXT ?? ".EXE;.COM;.BAT;.CMD").split(";")] : [""];
  return folders.filter((folder) => folder !== "").flatMap((folder) =>
    endings.map((ending) => path.resolve(folder, `${program}${ending}`))
  );
}

/** Why a program would not start, and what to do. */
export interface NotRunnable {
  why: string;
  hint: string;
}

/** Why a program would not start; undefined when it is there and this account may run it. */
export async function whyNotRunnable(program: string, search: ProgramSearch): Promise<NotRunnable | undefined> {
  let isThere = false;
  let unseen: NotRunnable | undefined;
  for (const file of programFiles(program, search)) {
    try {
      if (!(await stat(file)).isFile()) continue;
      if ((search.system ?? hostSystem) === "windows" || await mayRun(file)) return undefined;
      isThere = true;
    } catch (error) {
      if (!isAbsent(error)) unseen ??= notSeen(file, error);
    }
  }
  if (isThere) return NOT_EXECUTABLE;
  return unseen ?? {
    why: /[\\/]/.test(program) ? "there is no such program" : "there is no such program on PATH",
    hint: "give the full path of the program, with its extension on Windows",
  };
}

/** What to say of a file that is there and cannot be started. */
export const NOT_EXECUTABLE: NotRunnable = {
  why: "it is there, but it is not executable for this account",
  hint: "make it executable (chmod +x), or put the program that runs it in front: " +
    '["/bin/sh", "/etc/labferry/mount.sh"]',
};

/** What to say of a file that may not even be looked at: it may be there or not. */
function notSeen(file: string, error: unknown): NotRunnable {
  const found = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
  return {
    why: `nobody can tell whether it is there: "${file}" cannot be looked at (${found})`,
    hint: isDenied(error)
      ? "let this account read the folders above it, or take them off PATH"
      : "give the full path of the program, and mend what the system says of it",
  };
}

/** Why the system denied to start the program: it may not be run, or not even be looked at. */
export function whyDenied(program: string): NotRunnable {
  try {
    if (/[\\/]/.test(program)) Deno.statSync(program);
    return NOT_EXECUTABLE;
  } catch (error) {
    return notSeen(program, error);
  }
}

/** @throws what keeps it from being looked at */
async function mayRun(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch (error) {
    if (isDenied(error)) return false;
    throw error;
  }
}

const isDenied = (error: unknown) => ["EACCES", "EPERM"].includes(errnoOf(error) ?? "");
