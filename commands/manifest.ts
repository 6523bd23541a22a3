/** `manifest show|verify FILE`: the folded ledger, its hash chain. @module */
import { basename, join, resolve } from "@std/path";
import type { Command } from "../cli/command.ts";
import { count } from "../cli/format.ts";
import { PipelineError } from "../core/errors.ts";
import { DiskFiles } from "../core/io/disk_files.ts";
import type { FileSystem } from "../core/io/file_system.ts";
import { foldFile, foldLedger, isMonth, ledgerMonths } from "../core/ledger/fold.ts";
import type { LedgerFold } from "../core/ledger/fold.ts";
import { renderLedger, tornWarnings, unseenCuts } from "../core/ledger/show.ts";
import type { ChainReport } from "../core/ledger/verify_chain.ts";
import { verifyChain, vouchedLines } from "../core/ledger/verify_chain.ts";
import { readPlaceMarker } from "../core/safety/place_marker.ts";

export const run: Command = async (args, { terminal, log, globals }) => {
  const fs = new DiskFiles();
  const path = resolve(terminal.cwd, args.at("FILE"));
  const kind = await kindOf(fs, path);
  const json = args.value("format") === "json";
  if (args.command[1] === "show") {
    const fold = kind === "directory" ? await foldLedger(fs, path) : await foldFile(fs, path);
    if (fold.records.size === 0) await expectLedger(fs, path, { kind, fold });
    for (const warning of tornWarnings(fold.torn)) log.warn(warning);
    terminal.out(renderLedger(fold, json ? "json" : "text"));
    return 0;
  }
  const files = kind === "directory" ? (await ledgerMonths(fs, path)).map((month) => join(path, month)) : [path];
  const reports: ChainReport[] = [];
  for (const file of files) reports.push(await verifyChain(fs, file));
  const verdicts = reports.map((report) => {
    const why = problem(report);
    const vouched = kind === "directory" ? { vouched_lines: vouchedLines(report, reports) } : {};
    return { ...report, ...vouched, ok: why === undefined, ...why === undefined ? {} : { why } };
  });
  const unseen = unseenCuts(reports, kind);
  if (json) {
    terminal.out(`${JSON.stringify(verdicts, null, 2)}\n`);
    for (const line of unseen) log.info(line);
  } else {
    for (const verdict of verdicts) {
      if (verdict.ok && globals.quiet) continue;
      terminal.out(
        `${verdict.ok ? "ok  " : "FAIL"}  ${verdict.file}: ${verdict.why ?? count(verdict.lines, "line")}\n`,
      );
      for (const warning of tornWarnings(verdict.torn)) log.warn(warning);
    }
    if (!globals.quiet) { for (const line of unseen) terminal.out(`${line}\n`); }
    if (verdicts.length === 0) terminal.out(`FAIL  ${path}: there is no month of a ledger\n`);
  }
  // Nothing to verify is not a verified ledger (SAFETY S18).
  return verdicts.length > 0 && verdicts.every((verdict) => verdict.ok) ? 0 : 1;
};

/** What holds no record may be a ledger that is not begun, and must not be anything else (SAFETY S18). */
async function expectLedger(
  fs: FileSystem,
  path: string,
  { kind, fold }: { kind: "file" | "directory"; fold: LedgerFold },
): Promise<void> {
  const isEmpty = path.endsWith(".jsonl") && fold.torn.length === 0;
  if (kind === "file" && (isEmpty || isMonth(basename(path)))) return;
  const isMarked = kind === "directory" && await readPlaceMarker(fs, path).catch(() => undefined) !== undefined;
  if (isMarked || kind === "directory" && (await ledgerMonths(fs, path)).length > 0) return;
  const found = kind === "file"
    ? "no line of it is a record of a ledger"
    : "there is no month of a ledger in it, and no mark that it is to hold one";
  throw new PipelineError("cli/no-ledger", `Cannot read the ledger "${path}": ${found}`, {
    stopsRun: 2,
    hint: "Name the folder of paths.manifest_root, or one of the YYYY-MM.jsonl files in it",
  });
}

/** A torn line that later lines vouch for is a crash that was lived through; at the end nothing vouches for it. */
function problem({ lines, broken, torn }: ChainReport): string | undefined {
  if (broken !== undefined) return `the chain breaks at line ${broken.line}: ${broken.why}`;
  if (lines === 0) return "there is no line";
  return torn.some(({ line }) => line === lines) ? `the last line, ${lines}, cannot be read` : undefined;
}

async function kindOf(fs: FileSystem, path: string): Promise<"file" | "directory"> {
  const stat = await fs.lstat(path);
  const kind = stat?.kind === "symlink" ? (await fs.lstat(await fs.realPath(path)))?.kind : stat?.kind;
  if (kind === "file" || kind === "directory") return kind;
  const found = kind === undefined ? "nothing is there" : "it is neither a file nor a folder";
  throw new PipelineError("cli/no-path", `Cannot read the ledger "${path}": ${found}`, { stopsRun: 2 });
}
