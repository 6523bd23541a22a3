/**
 * The hash chain of a month: `manifest verify FILE`. It finds a line that was changed, removed or put in between, and
 * what was cut off before a line that a later month follows. Lines cut off behind that, as at the end of the newest
 * month, show only against the mirror.
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
  /** The line of an earlier month that this month's first line follows. */
  follows?: { file: string; line: number };
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
        if (before !== undefined) report.broken = problem(record.prev, before, line.number);
        else Object.assign(report, await beginning(fs, file, { prev: record.prev, line: line.number }));
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

/** Lines of a month that a later one vouches for; nothing tells whether lines stood behind them that are gone. */
export function vouchedLines(month: ChainReport, all: readonly ChainReport[]): number {
  const ends = all.flatMap(({ follows }) => follows?.file === basename(month.file) ? [follows.line] : []);
  return Math.max(0, ...ends);
}

async function beginning(
  fs: FileSystem,
  file: string,
  first: { prev: string; line: number },
): Promise<Pick<ChainReport, "broken" | "follows">> {
  // The earliest month of a ledger begins it. So does a month that was written before any earlier one existed.
  if (first.prev === NO_PREVIOUS) return {};
  const earlier = (await ledgerMonths(fs, dirname(file))).filter((month) => month < basename(file)).reverse();
  for (const month of earlier) {
    await using handle = await fs.openRead(join(dirname(file), month));
    for await (const line of readLines(handle)) {
      if (line.sha256() === first.prev) return { follows: { file: month, line: line.number } };
    }
  }
  const [newest] = earlier;
  return {
    broken: {
      line: first.line,
      found: first.prev,
      wanted: newest === undefined ? NO_PREVIOUS : "the hash of a line of an earlier month",
      why: newest === undefined
        ? "the earlier month it follows is missing, or lines were removed before it"
        : `no earlier month has the line it follows: lines were changed or cut off at the end of ${newest}, the month ` +
          "it follows is missing, or lines were removed before it",
    },
  };
}
