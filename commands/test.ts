/** `test [CASE…]`: runs the cases of pipelines in a scratch world. Nothing the config names is touched. @module */
import type { Command, CommandContext } from "../cli/command.ts";
import { loadExternalStages } from "../cli/external.ts";
import { interruption } from "../cli/interruption.ts";
import { loadShippedProject } from "../cli/project.ts";
import { PipelineError } from "../core/errors.ts";
import { brokenError, type ExternalStage } from "../core/external/external_stage.ts";
import { readCase } from "../testing/case_file.ts";
import { runCase } from "../testing/case_run.ts";
import { findCases, type FoundCase } from "./test/find_cases.ts";
import {
  caseToJson,
  type EndedCase,
  exitCodeOfCases,
  renderCase,
  renderTotals,
  verdictOf,
} from "./test/render_cases.ts";

export const run: Command = async (args, context) => {
  const { terminal, locations, globals } = context;
  const found = await findCases(args.all("CASE"), { cwd: terminal.cwd, pipelinesDir: locations.pipelinesDir });
  const filter = args.value("filter");
  const wanted = filter === undefined ? found : found.filter((one) => isMeant(one, filter));
  if (wanted.length === 0) {
    throw new PipelineError(
      "cli/no-case",
      `Cannot test: none of ${found.length} cases has "${filter}" in its name or summary`,
      {
        stopsRun: 2,
        hint: "labferry test without --filter runs and names all of them",
      },
    );
  }
  const external = await ownStages(context);
  using interrupts = terminal.interrupts();
  const ended: EndedCase[] = [];
  for (const one of wanted) {
    if (interrupts.stop.aborted) throw interruption();
    const end = await runOne(one, external);
    ended.push(end);
    if (args.has("json") || (globals.quiet && verdictOf(end) === "ok")) continue;
    terminal.out(renderCase(end, globals));
  }
  if (args.has("json")) terminal.out(`${JSON.stringify(ended.map(caseToJson), null, 2)}\n`);
  else terminal.out(renderTotals(ended));
  return exitCodeOfCases(ended);
};

async function runOne({ name, file, text, finder }: FoundCase, external: readonly ExternalStage[]): Promise<EndedCase> {
  const { read, diagnostics } = readCase({ file, text });
  if (read === undefined) return { name, file, summary: "", diagnostics, failures: [], runs: [], log: [] };
  const { summary } = read.spec;
  return { name, file, summary, ...await runCase(read, { finder, external }) };
}

function isMeant({ name, file, text }: FoundCase, filter: string): boolean {
  if (name.includes(filter)) return true;
  return readCase({ file, text }).read?.spec.summary.includes(filter) ?? false;
}

/**
 * The stages of the laboratory's own, which are all that counts of the config here. Without a config there are none.
 * @throws {PipelineError} `config/…`, `plugins/…`, exit code 2
 */
async function ownStages(context: CommandContext): Promise<readonly ExternalStage[]> {
  try {
    const { config, registry } = await loadShippedProject(context);
    const { stages, broken } = await loadExternalStages(config, registry, context.terminal);
    if (broken.length > 0) throw brokenError(broken);
    return stages;
  } catch (error) {
    const isAbsent = error instanceof PipelineError && error.code === "config/not-found";
    if (isAbsent && !context.locations.configIsNamed) return [];
    throw error;
  }
}
