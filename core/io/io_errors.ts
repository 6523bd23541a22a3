/**
 * Turns what the operating system says into words that name the path and what to do about it.
 * @module
 */
import { asPipelineError, PipelineError, type PipelineErrorOptions } from "../errors.ts";

/** What was being done: `Cannot <verb> "<path>"`. */
export interface IoAction {
  verb: string;
  path: string;
}

interface Words {
  code: string;
  found: string;
  hint: string;
  retry?: "transient";
}

const DISK_FULL: Words = {
  code: "io/disk-full",
  found: "the disk is full",
  hint:
    "Free space at the target or raise its quota, then run again. What was proved so far is kept; nothing half-written has a final name.",
};
const READ_ONLY: Words = {
  code: "io/read-only",
  found: "the file system is mounted read-only",
  hint:
    "Mount it for writing. A file system that turned read-only by itself usually has a failing disk: look at its state first.",
};
const DENIED: Words = {
  code: "io/denied",
  found: "the system denies access",
  hint: "Give the account that runs labferry read access to the source, and read and write access to the target.",
};
const FAILING: Words = {
  code: "io/failing",
  found: "the device reports a read or write error",
  hint: "The disk, cable or NAS may be failing. Do not delete anything; look at the device's health and run again.",
};
const LOST: Words = {
  code: "io/lost",
  found: "the connection to the disk or share is lost",
  hint: "Bring the NAS or disk back and run again; the run takes up where it stopped.",
  retry: "transient",
};
const GONE: Words = {
  code: "io/gone",
  found: "nothing is there",
  hint: "It was moved, renamed or deleted, or the share is not mounted.",
};
const BUSY: Words = {
  code: "io/busy",
  found: "another program holds it open",
  hint: "Close the acquisition or viewing program (or the virus scanner's hold on it) and run again.",
  retry: "transient",
};

const simple = (code: string, found: string, hint: string): Words => ({ code, found, hint });

const WORDS: Record<string, Words> = {
  ENOSPC: DISK_FULL,
  EDQUOT: { ...DISK_FULL, found: "the quota is used up" },
  EROFS: READ_ONLY,
  EACCES: DENIED,
  EPERM: DENIED,
  EIO: FAILING,
  EUCLEAN: { ...FAILING, found: "the file system is damaged" },
  ENOTCONN: LOST,
  ESTALE: LOST,
  ENODEV: LOST,
  ENXIO: LOST,
  EHOSTDOWN: LOST,
  EHOSTUNREACH: LOST,
  ENETDOWN: LOST,
  ENETUNREACH: LOST,
  ETIMEDOUT: LOST,
  ECONNRESET: LOST,
  ECONNABORTED: LOST,
  ESHUTDOWN: LOST,
  ENOENT: GONE,
  ENOTDIR: { ...GONE, found: "a part of the path is not a folder" },
  EBUSY: BUSY,
  ETXTBSY: BUSY,
  ELOOP: simple("io/link", "it is a symbolic link", "Links are never followed. Replace the link by the file it names."),
  EEXIST: simple(
    "io/exists",
    "something is there already",
    "Nothing is ever replaced. Move what is there away, if it is not needed.",
  ),
  ENOTEMPTY: simple(
    "io/not-empty",
    "the folder is not empty",
    "Files that are not covered by evidence stay. Look at them and decide.",
  ),
  ENAMETOOLONG: simple(
    "io/name-too-long",
    "the name is too long for this file system",
    "Shorten the name at the source.",
  ),
  EILSEQ: simple("io/name-refused", "the file system refuses the name", "Rename the entry at the source."),
  EINVAL: simple(
    "io/refused",
    "the system refuses the call",
    "The file system may not support this operation or name.",
  ),
  EMFILE: simple("io/too-many-open", "too many files are open", "Raise the limit of open files, or lower parallel."),
  ENFILE: simple("io/too-many-open", "too many files are open", "Raise the limit of open files, or lower parallel."),
  EISDIR: simple("io/folder", "it is a folder", "A file was wanted here."),
  EFBIG: simple(
    "io/too-large",
    "the file is too large for this file system",
    "Use a file system without this limit (FAT32 holds 4 GiB).",
  ),
};

/** For what no words are known for. */
const UNKNOWN_HINT = "Look at the disk or share this is on: is it there, and can the account of labferry use it?";

/** Windows codes that say more than the POSIX name Deno gives them: `(os error 33)`. */
const WINDOWS_ERRORS: Record<number, Words> = {
  5: DENIED,
  19: READ_ONLY,
  21: LOST,
  32: BUSY,
  33: BUSY,
  39: DISK_FULL,
  53: LOST,
  55: LOST,
  59: LOST,
  64: LOST,
  67: LOST,
  112: DISK_FULL,
  121: LOST,
  1117: FAILING,
  1167: LOST,
  1231: LOST,
  1295: DISK_FULL,
};

/** The system's name of an error (`ENOSPC`), or undefined for what is no system error. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Whether nothing is there: no entry, or a path that leads through a file. */
export function isAbsent(error: unknown): boolean {
  const code = errnoOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function wordsFor(error: unknown, windows: boolean): Words | undefined {
  const number = windows && error instanceof Error ? /\(os error (\d+)\)/.exec(error.message)?.[1] : undefined;
  return (number === undefined ? undefined : WINDOWS_ERRORS[Number(number)]) ?? WORDS[errnoOf(error) ?? ""];
}

/**
 * The `PipelineError` for a failed call of the system: an `io/…` code, the path, and what to do. Errors that are
 * `PipelineError`s already, and aborts, are returned as they are.
 */
export function ioError(
  error: unknown,
  action: IoAction,
  options: Pick<PipelineErrorOptions, "hint"> & { windows?: boolean } = {},
): Error {
  if (error instanceof PipelineError || (error instanceof Error && error.name === "AbortError")) return error;
  const words = wordsFor(error, options.windows ?? Deno.build.os === "windows");
  const said = error instanceof Error ? error.message : String(error);
  if (words === undefined) {
    return new PipelineError("io/failed", `Cannot ${action.verb} "${action.path}": ${said}`, {
      cause: error,
      hint: options.hint ?? UNKNOWN_HINT,
    });
  }
  const detail = errnoOf(error) ?? said;
  return new PipelineError(words.code, `Cannot ${action.verb} "${action.path}": ${words.found} (${detail})`, {
    cause: error,
    hint: options.hint ?? words.hint,
    retry: words.retry,
  });
}

/** As `asPipelineError`, with words for what the system said where no caller had them: `doing` completes `Cannot …`. */
export function asKnownError(error: unknown, doing: string, options: { windows?: boolean } = {}): PipelineError {
  // What went wrong first is what counts; that something could not be put away afterwards follows from it.
  if (error instanceof SuppressedError) return asKnownError(error.suppressed, doing);
  if (error instanceof PipelineError || errnoOf(error) === undefined) return asPipelineError(error, doing);
  const words = wordsFor(error, options.windows ?? Deno.build.os === "windows");
  const said = (error as Error).message;
  const found = words === undefined ? said : `${words.found} (${said})`;
  return new PipelineError(words?.code ?? "io/failed", `Cannot ${doing}: ${found}`, {
    cause: error,
    hint: words === undefined ? UNKNOWN_HINT : words.hint,
    retry: words?.retry,
  });
}
