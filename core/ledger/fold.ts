/**
 * Folding: all months in the order of their names, line by line, to the latest record of each backup.
 * @module
 */
import { basename, join } from "@std/path";
import type { FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { LONGEST_LINE, readLines } from "./_lines.ts";
import { parseLedgerLine } from "./line.ts";
import type { LedgerRecord, TornLine } from "./record.ts";

/** The latest record per backup name, in the order of first appearance, and the lines that were left out. */
export interface LedgerFold {
  records: Map<string, LedgerRecord>;
  torn: TornLine[];
}

/** How many lines that could not be read are told one by one; a file of noise must not fill the memory. */
const TORN_TOLD = 1_000;
const MONTH = /^\d{4}-(0[1-9]|1[0-2])\.jsonl$/;

/** Whether a file of this name is a month of a ledger. */
export function isMonth(name: string): boolean {
  return MONTH.test(name);
}

/** File names of the months in a ledger's folder, oldest first. Absent folder: none. */
export async function ledgerMonths(fs: FileSystem, root: string): Promise<string[]> {
  try {
    const entries = await fs.readDir(root);
    return entries.filter((entry) => entry.kind === "file" && isMonth(entry.name)).map(({ name }) => name).sort();
  } catch (error) {
    if (isAbsent(error) || error instanceof Deno.errors.NotFound) return [];
    throw ioError(error, { verb: "list the ledger", path: root });
  }
}

/** File name of the month (UTC) of a time. */
export function monthOf(startedAt: string): string {
  return `${new Date(startedAt).toISOString().slice(0, 7)}.jsonl`;
}

/** Folds lines into what is known already. Pure but for the reading of the lines. */
export async function foldLines(
  lines: AsyncIterable<Uint8Array | undefined> | Iterable<Uint8Array | undefined>,
  options: { file: string; into?: LedgerFold },
): Promise<LedgerFold> {
  const fold: LedgerFold = options.into ?? { records: new Map(), torn: [] };
  let number = 0;
  for await (const bytes of lines) {
    number++;
    const found = bytes === undefined ? `it is longer than ${LONGEST_LINE / 2 ** 20} MiB` : parseLedgerLine(bytes);
    if (typeof found !== "string") fold.records.set(found.backup_name, found);
    else if (fold.torn.length < TORN_TOLD) fold.torn.push({ file: options.file, line: number, reason: found });
  }
  return fold;
}

/** Folds one month. @throws {PipelineError} an `io/…` code when it cannot be read */
export async function foldFile(fs: FileSystem, file: string, into?: LedgerFold): Promise<LedgerFold> {
  try {
    await using handle = await fs.openRead(file);
    return await foldLines(bytesOf(readLines(handle)), { file: basename(file), into });
  } catch (error) {
    throw ioError(error, { verb: "read the ledger", path: file });
  }
}

/** Folds all months of a ledger's folder. */
export async function foldLedger(fs: FileSystem, root: string): Promise<LedgerFold> {
  const fold: LedgerFold = { records: new Map(), torn: [] };
  for (const month of await ledgerMonths(fs, root)) await foldFile(fs, join(root, month), fold);
  return fold;
}

async function* bytesOf(
  lines: AsyncIterable<{ bytes: Uint8Array | undefined }>,
): AsyncGenerator<Uint8Array | undefined> {
  for await (const line of lines) yield line.bytes;
}
