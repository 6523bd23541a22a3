/**
 * The hash chain of a month: `manifest verify FILE`. It finds a line that was changed, removed or put in between; a
 * change of the very last line shows only against the mirror or the next line.
 * @module
 */
import { basename, dirname, join } from "@std/path";
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { readLines } from "./_lines.ts";
import { ledgerMonths } from "./fold.ts";
import { NO_PREVIOUS, parseLedgerLine } from "./line.ts";
import type { TornLine } from "./record.ts";

export interface ChainReport {
  file: string;
  lines: number;
  /** The first line whose `prev` is not the hash of the line before it. */
  broken?: { line: number; found: string; wanted: string; why: string };
  torn: TornLine[];
}

/**
 * Recomputes the chain of one month. The first line must follow a line of an earlier month beside the file, or begin a
 * ledger; a later record of an earlier month may stand after that line.
 * @throws {PipelineError} an `io/…` code when a file cannot be read
 */
export async function verifyChain(fs: FileSystem, file: string): Promise<ChainReport> {
  const report: ChainReport = { file, lines: 0, torn: [] };
  try {
    await using handle = await fs.openRead(file);
    let before: string | undefined;
    for await (const line of readLines(handle)) {
      report.lines++;
      const record = line.bytes === undefined ? "it is too long for a record" : parseLedgerLine(line.bytes);
      if (typeof record === "string") {
        report.torn.push({ file: basename(file), line: line.number, reason: record });
      } else if (report.broken === undefined) {
        report.broken = before === undefined
          ? await firstProblem(fs, file, { prev: record.prev, line: line.number })
          : problem(record.prev, before, line.number);
      }
      before = line.sha256();
    }
  } catch (error) {
    throw ioError(error, { verb: "read the ledger", path: file });
  }
  return report;
}

function problem(found: string, wanted: string, line: number): ChainReport["broken"] {
  if (found === wanted) return undefined;
  return {
    line,
    found,
    wanted,
    why: `line ${line - 1} was changed, or a line was removed or put in before line ${line}`,
  };
}

async function firstProblem(
  fs: FileSystem,
  file: string,
  first: { prev: string; line: number },
): Promise<ChainReport["broken"]> {
  // The earliest month of a ledger begins it. So does a month that was written before any earlier one existed.
  if (first.prev === NO_PREVIOUS) return undefined;
  const earlier = (await ledgerMonths(fs, dirname(file))).filter((month) => month < basename(file)).reverse();
  for (const month of earlier) {
    await using handle = await fs.openRead(join(dirname(file), month));
    for await (const line of readLines(handle)) if (line.sha256() === first.prev) return undefined;
  }
  return {
    line: first.line,
    found: first.prev,
    wanted: earlier.length === 0 ? NO_PREVIOUS : "the hash of a line of an earlier month",
    why: "the earlier month it follows is missing or was changed, or lines were removed before it",
  };
}
