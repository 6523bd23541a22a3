/**
 * Which files stages from outside are in: those that `[plugins] files` of the config names, then those in the folder
 * `plugins/` beside it.
 * @module
 */
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import { errnoOf, ioError } from "../io/io_errors.ts";
import type { PathSystem } from "../io/paths.ts";
import type { LoadedConfig } from "../pipeline/config.ts";
import { valueSpan } from "../pipeline/toml_document.ts";
import type { BrokenFile, ExternalFile } from "./external_stage.ts";

/** How the disk is looked at. */
export interface FolderReader {
  /** Names in a folder that are no folders themselves: files, and links, wherever they lead. */
  fileNames(folder: string): Promise<string[]>;
  /** The path without links. */
  realPath(path: string): Promise<string>;
}

const EXTENSIONS = [".ts", ".js", ".mjs"] as const;

/** The endings a file of a stage may have, in words. */
export const WANTED_EXTENSIONS = EXTENSIONS.join(", ");

/** Returns the extension of a file that may hold a stage, in lower case; undefined for any other file. */
export function stageExtension(path: string): ".ts" | ".js" | ".mjs" | undefined {
  return EXTENSIONS.find((extension) => path.toLowerCase().endsWith(extension));
}

/** Whether a file of the folder is taken for a stage: not its test, no declarations, nothing that begins with `.` or `_`. */
export function isStageFile(name: string): boolean {
  return stageExtension(name) !== undefined && !/^[._]/.test(name) && !/[._]test\.[a-z]+$|\.d\.ts$/i.test(name);
}

/** The folder whose files are loaded without being named. */
export function pluginsFolder({ folder, system }: Pick<LoadedConfig, "folder" | "system">): string {
  return (system === "windows" ? windows : posix).join(folder, "plugins");
}

/** The files that the config names, in its order. */
export function namedFiles(loaded: LoadedConfig): ExternalFile[] {
  const { config, document } = loaded;
  return config.plugins.files.map((entry, index): ExternalFile => {
    const at = { source: document.source, span: valueSpan(document, ["plugins", "files", index]) };
    if (typeof entry === "string") return { path: entry, at };
    const { path, sha256, touches } = entry;
    return { path, ...(sha256 ? { sha256: sha256.toLowerCase() } : {}), ...(touches ? { touches } : {}), at };
  });
}

/** Lists the files to load. One that the config names and the folder holds is loaded once, as the config says. */
export async function findExternalFiles(
  loaded: LoadedConfig,
  disk: FolderReader,
): Promise<{ files: ExternalFile[]; broken: BrokenFile[] }> {
  const { system } = loaded;
  const files: ExternalFile[] = [];
  const broken: BrokenFile[] = [];
  const known = new Map<string, ExternalFile>();
  for (const file of namedFiles(loaded)) {
    const identity = await identityOf(file.path, { disk, system });
    const other = known.get(identity);
    if (other === undefined) {
      known.set(identity, file);
      files.push(file);
    } else broken.push(namedTwice(file, other));
  }
  const folder = pluginsFolder(loaded);
  const { join } = system === "windows" ? windows : posix;
  for (const name of await namesIn(folder, { disk, broken })) {
    const path = join(folder, name);
    if (!known.has(await identityOf(path, { disk, system }))) files.push({ path });
  }
  return { files, broken };
}

function namedTwice(file: ExternalFile, other: ExternalFile): BrokenFile {
  return {
    file: file.path,
    at: file.at,
    code: "plugins/named-twice",
    message:
      `Cannot use "${file.path}": line ${other.at?.span.line} names the same file ("${other.path}"), wanted once`,
    hint: "Take one of the two out of [plugins] files",
  };
}

async function namesIn(
  folder: string,
  { disk, broken }: { disk: FolderReader; broken: BrokenFile[] },
): Promise<string[]> {
  try {
    return (await disk.fileNames(folder)).filter(isStageFile).sort();
  } catch (error) {
    // Without the folder there are only the files that are named.
    if (errnoOf(error) === "ENOENT") return [];
    broken.push({
      file: folder,
      code: "plugins/folder-unreadable",
      message: `${(ioError(error, { verb: "list the folder of stages", path: folder })).message}, wanted a folder`,
      hint: "Give the account that runs labferry the right to list it, or remove it if no stage is in it",
      cause: error,
    });
    return [];
  }
}

/** What two names of one file have in common. A file that is not there is known by its path; loading it says so. */
async function identityOf(
  path: string,
  { disk, system }: { disk: FolderReader; system: PathSystem },
): Promise<string> {
  const real = await disk.realPath(path).catch(() => path);
  return system === "windows" ? real.replaceAll("/", "\\").toLowerCase() : real;
}
