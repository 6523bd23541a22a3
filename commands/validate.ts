/** `validate study|root PATH`: the naming standard, all findings. @module */
import { basename, resolve } from "@std/path";
import { renderFinding } from "../cli/render_error.ts";
import type { Command } from "../cli/command.ts";
import type { Finding } from "../core/errors.ts";
import { PipelineError } from "../core/errors.ts";
import { DiskFiles } from "../core/io/disk_files.ts";
import type { FileSystem } from "../core/io/file_system.ts";
import { sortBytes } from "../core/io/paths.ts";
import { isReservedName } from "../core/io/names.ts";
import { walkNames } from "../core/io/walk.ts";
import { StudyCollector } from "../core/standard.ts";
import type { StandardPlugin } from "../core/contract.ts";
import { visibleLine } from "../core/visible.ts";
import { createRegistry } from "../core/registry.ts";
import { plugins } from "../plugins/mod.ts";

/** The verdict on one study, as `-f json` prints it. */
export interface Verdict {
  path: string;
  ok: boolean;
  findings: Finding[];
}

export const run: Command = async (args, { terminal, globals }) => {
  const given = args.at("PATH");
  const fs = new DiskFiles();
  const standard = createRegistry(plugins).get("standard", args.value("standard") ?? "phenocycler");
  const path = resolve(terminal.cwd, given);
  await expectThere(fs, path);
  const isRoot = args.command[1] === "root";
  const json = args.value("format") === "json";
  const verdicts: Verdict[] = [];
  let count = 0;
  let bad = 0;
  for await (const verdict of isRoot ? checkRoot(fs, path, standard) : one(checkStudy(fs, path, standard))) {
    count++;
    if (!verdict.ok) bad++;
    if (json) verdicts.push(verdict);
    else terminal.out(renderVerdict(verdict, globals.quiet));
  }
  if (json) terminal.out(`${JSON.stringify(verdicts, null, 2)}\n`);
  else if (isRoot && (count === 0 || !globals.quiet)) terminal.out(summary(path, count, bad));
  // Absence is no success (SAFETY S18): a share that is not mounted is an empty folder.
  return bad === 0 && count > 0 ? 0 : 1;
};

/** An argument's path that is absent is a fault of usage; anything else there is a verdict. */
async function expectThere(fs: FileSystem, path: string): Promise<void> {
  if (await fs.lstat(path) !== undefined) return;
  throw new PipelineError("cli/no-path", `Cannot validate "${path}": nothing is there, wanted a folder`, {
    stopsRun: 2,
    hint: "Check the spelling, and that the drive is mounted",
  });
}

async function* one(verdict: Promise<Verdict>): AsyncIterable<Verdict> {
  yield await verdict;
}

/** Every folder directly below a root, in byte order. Files are no studies; a link might be meant as one, and is reported. */
async function* checkRoot(fs: FileSystem, root: string, standard: StandardPlugin): AsyncIterable<Verdict> {
  const stat = await fs.lstat(root);
  if (stat?.kind !== "directory") {
    throw new PipelineError(
      "cli/no-folder",
      `Cannot validate "${root}": it is a ${word(stat?.kind)}, wanted a folder`,
      {
        stopsRun: 2,
      },
    );
  }
  const entries = (await fs.readDir(root)).filter(({ name, kind }) => kind !== "file" && !isReservedName(name));
  for (const name of sortBytes(entries.map((entry) => entry.name))) {
    yield await checkStudy(fs, resolve(root, name), standard);
  }
}

/** Checks one study. A path that is a link or a file, or cannot be read, is a finding too. */
export async function checkStudy(fs: FileSystem, path: string, standard: StandardPlugin): Promise<Verdict> {
  const findings = await studyFindings(fs, path, standard);
  return { path, ok: !findings.some((finding) => finding.severity === "error"), findings };
}

async function studyFindings(fs: FileSystem, path: string, standard: StandardPlugin): Promise<Finding[]> {
  const study = basename(path);
  const collector = new StudyCollector(standard);
  try {
    const kind = (await fs.lstat(path))?.kind;
    if (kind === "symlink") return [rootFinding("links", `study "${study}" is a symbolic link, wanted a folder`)];
    if (kind !== "directory") return [rootFinding("folder", `study "${study}" is a ${word(kind)}, wanted a folder`)];
    for await (const entry of walkNames(fs, path)) collector.add(entry);
  } catch (error) {
    // One study that cannot be read must not hide the verdicts on the others.
    return [rootFinding("unreadable", error instanceof Error ? error.message : String(error))];
  }
  return collector.findings(study);
}

function rootFinding(rule: string, message: string): Finding {
  return { rule, severity: "error", path: "", message };
}

function word(kind: string | undefined): string {
  return kind === undefined
    ? "vanished folder"
    : kind === "symlink"
    ? "symbolic link"
    : kind === "other"
    ? "device"
    : kind;
}

function renderVerdict({ path, ok, findings }: Verdict, quiet: boolean): string {
  if (quiet && ok) return "";
  const errors = findings.filter((finding) => finding.severity === "error").length;
  const shown = visibleLine(path);
  const head = ok ? `ok    ${shown}` : `FAIL  ${shown}: ${errors} ${errors === 1 ? "finding" : "findings"}`;
  return [head, ...findings.map((finding) => `      ${renderFinding(finding)}`)].map((line) => `${line}\n`).join("");
}

function summary(root: string, count: number, bad: number): string {
  if (count === 0) return `No study below ${root}: nothing was checked, wanted at least one folder\n`;
  const studies = count === 1 ? "1 study" : `${count} studies`;
  return bad === 0 ? `All ${studies} conform\n` : `${bad} of ${studies} do not conform\n`;
}
