/**
 * Tier 3 of lint, what a run needs of this machine beside places: programs of hooks, and a state folder it may write to.
 * Only looks; changes nothing.
 * @module
 */
import { dirname } from "@std/path";
import type { CompiledPart, CompiledPipeline } from "../pipeline/compile.ts";
import type { Plugin } from "../contract.ts";
import type { FileSystem } from "../io/file_system.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import { valueWrittenAt } from "../pipeline/written.ts";
import { ruleSeverity } from "./rules.ts";

export interface MachineOptions {
  fs: Pick<FileSystem, "lstat" | "whyNotWritable">;
  /** Absolute OS path; it is made by the first run. */
  stateDir: string;
  /** Why a program would not start; undefined when it would. */
  whyNotRunnable(program: string): Promise<{ why: string; hint: string } | undefined>;
}

/** Checks the programs of hooks and the state folder. */
export async function lintMachine(pipeline: CompiledPipeline, options: MachineOptions): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  const parts = [...pipeline.before, ...pipeline.stages, ...pipeline.onItemFailed];
  for (const part of parts) found.push(...await programOf(pipeline, part, options));
  const why = await whyNoState(options);
  if (why !== undefined) {
    found.push(diagnose({ source: pipeline.document.source, span: pipeline.source.position }, {
      code: "env/no-state",
      severity: ruleSeverity("env/no-state"),
      message: `Cannot use the state folder "${options.stateDir}": ${why}`,
      hint: "a run keeps its journal there: give this account the right to write, or name another folder with " +
        "LABFERRY_STATE_DIR",
    }));
  }
  return found;
}

async function programOf(
  pipeline: CompiledPipeline,
  part: CompiledPart<Plugin>,
  { whyNotRunnable }: MachineOptions,
): Promise<Diagnostic[]> {
  const { argv } = part.options as { argv?: unknown };
  const [program] = Array.isArray(argv) ? argv : [];
  // A program whose name depends on the item is looked for when it is run.
  if (typeof program !== "string" || program.includes("${")) return [];
  const problem = await whyNotRunnable(program);
  if (problem === undefined) return [];
  return [diagnose(valueWrittenAt(pipeline, { part, value: argv as string[] }), {
    code: "env/no-program",
    severity: ruleSeverity("env/no-program"),
    message: `Cannot run "${program}": ${problem.why}`,
    hint: problem.hint,
  })];
}

/** The folder, or the nearest one above it in which it would be made. */
async function whyNoState({ fs, stateDir }: MachineOptions): Promise<string | undefined> {
  for (let at = stateDir;; at = dirname(at)) {
    const stat = await fs.lstat(at).catch(() => null);
    if (stat === null) return `this account may not look at "${at}"`;
    if (stat?.kind === "directory") {
      const why = await fs.whyNotWritable?.(at);
      return why !== undefined && at !== stateDir ? `it would be made in "${at}", and ${why}` : why;
    }
    if (stat !== undefined && stat.kind !== "symlink") return `"${at}" is not a folder`;
    if (stat !== undefined || dirname(at) === at) return undefined;
  }
}
