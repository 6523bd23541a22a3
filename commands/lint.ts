/** `lint [PIPELINE…]`: syntax and options, safety, environment. @module */
import { storeOptions } from "../core/places/store_options.ts";
import type { Command, CommandContext } from "../cli/command.ts";
import { count } from "../cli/format.ts";
import { NOTIFY } from "../cli/drain.ts";
import { readSecrets } from "../cli/secrets.ts";
import { wrap } from "../cli/help.ts";
import { whyTooOpen } from "../cli/smtp_env_mode.ts";
import { checkPipeline, loadProject, pipelineNames } from "../cli/project.ts";
import type { CheckedPipeline, Project } from "../cli/project.ts";
import { PipelineError } from "../core/errors.ts";
import { copyJournalForReading } from "../core/journal/sqlite.ts";
import { DiskFiles } from "../core/io/disk_files.ts";
import { whyNotRunnable } from "../core/io/programs.ts";
import { lintMachine } from "../core/lint/machine.ts";
import { createEnvironmentProbe, lintEnvironment } from "../core/lint/environment.ts";
import { lintLists, lintNotifiers } from "../core/lint/notifiers.ts";
import { findLintRule, LINT_RULES, tierOf } from "../core/lint/rules.ts";
import {
  type Diagnostic,
  DiagnosticsError,
  diagnosticToJson,
  hasErrors,
  renderDiagnostics,
  sortDiagnostics,
} from "../core/pipeline/diagnostic.ts";
import { nameHint } from "../core/pipeline/nearest.ts";

export const run: Command = async (args, context) => {
  const { terminal, logs } = context;
  const code = args.value("explain");
  if (code !== undefined) return explain(code, context);
  const project = args.has("json") ? await loadOrTell(context) : await loadProject(context);
  if (project === undefined) return 2;
  const open = await whyTooOpen(context.locations.smtpEnvFile);
  if (open !== undefined) context.log.warn(open);
  const given = args.all("PIPELINE");
  const names = given.length > 0 ? given : await pipelineNames(context);
  const checked: (CheckedPipeline & { name: string })[] = [];
  for (const name of names) {
    checked.push({ name, ...await lintOne(name, { project, context, offline: args.has("offline") }) });
  }
  const { text: scrub } = logs.scrubber;
  if (args.has("json")) {
    const result = checked.map(({ name, found, diagnostics }) => toJson(name, { file: found.file, diagnostics }));
    terminal.out(scrub(`${JSON.stringify(result, null, 2)}\n`));
  } else {
    for (const { name, diagnostics } of checked) {
      if (diagnostics.length > 0) terminal.out(scrub(`${renderDiagnostics(diagnostics)}\n\n`));
      terminal.out(`${name}: ${verdict(diagnostics)}\n`);
    }
    const all = sortDiagnostics(checked.flatMap(({ diagnostics }) => diagnostics));
    const first = all.find(({ severity }) => severity === "error") ?? all[0];
    if (first && !context.globals.quiet) {
      terminal.err(`What a code means: labferry lint --explain ${first.code}\n`);
    }
  }
  return checked.some(({ diagnostics }) => hasErrors(diagnostics)) ? 2 : 0;
};

/** One entry of `--json`, as docs/language.md describes it; `pipeline` is null for the config. */
function toJson(pipeline: string | null, { file, diagnostics }: { file: string; diagnostics: readonly Diagnostic[] }) {
  return {
    pipeline,
    file,
    ok: !hasErrors(diagnostics),
    diagnostics: sortDiagnostics(diagnostics).map(diagnosticToJson),
  };
}

/** Reads the config; what is wrong with it goes to stdout in the shape of all findings. */
async function loadOrTell(context: CommandContext): Promise<Project | undefined> {
  try {
    return await loadProject(context);
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const { terminal, logs, locations } = context;
    const result = [toJson(null, { file: locations.configFile, diagnostics: error.diagnostics })];
    terminal.out(logs.scrubber.text(`${JSON.stringify(result, null, 2)}\n`));
    return undefined;
  }
}

/** Prints the page of a rule. */
function explain(code: string, { terminal }: CommandContext): number {
  const rule = findLintRule(code);
  if (rule === undefined) {
    const codes = LINT_RULES.map((one) => one.code);
    throw new PipelineError("cli/no-rule", `Cannot explain "${code}": lint has no rule of that code`, {
      stopsRun: 2,
      hint: nameHint(code, codes, "codes"),
    });
  }
  const lines = [
    `${code} (${rule.severity}; ${tierOf(rule)})`,
    "",
    ...wrap(rule.text, Math.min(terminal.columns(), 100)),
  ];
  terminal.out(lines.map((line) => `${line}\n`).join(""));
  return 0;
}

async function lintOne(
  name: string,
  { project, context, offline }: { project: Project; context: CommandContext; offline: boolean },
): Promise<CheckedPipeline> {
  const checked = await checkPipeline(project, name, context);
  if (checked.compiled === undefined || offline) return checked;
  using interrupts = context.terminal.interrupts();
  // A copy: what lint asks, like a dry run, leaves the journal as it is (SAFETY S17).
  await using journal = await copyJournalForReading(context.locations.journalFile);
  const probe = createEnvironmentProbe({
    fs: new DiskFiles(),
    cursors: journal.cursors,
    openStore: (place) => {
      const store = project.registry.get("store", place.store);
      return store.open(storeOptions(store, place));
    },
  });
  const { stop: signal } = interrupts;
  const found = await lintEnvironment(checked.compiled, {
    probe,
    signal,
    roots: [{ id: "state", path: context.locations.stateDir }],
  });
  const { terminal, locations } = context;
  found.push(
    ...await lintMachine(checked.compiled, {
      fs: new DiskFiles(),
      stateDir: locations.stateDir,
      whyNotRunnable: (program) => whyNotRunnable(program, terminal),
    }),
  );
  const isNotify = checked.compiled.name === NOTIFY && project.config.config.notify.enabled;
  const told = isNotify
    ? [
      ...await lintNotifiers(checked.compiled, {
        registry: project.registry,
        secrets: await readSecrets(context),
        fs: new DiskFiles(),
      }),
      ...await lintLists(checked.compiled, new DiskFiles()),
    ]
    : [];
  return { ...checked, diagnostics: [...checked.diagnostics, ...found, ...told] };
}

function verdict(diagnostics: CheckedPipeline["diagnostics"]): string {
  if (diagnostics.length === 0) return "ok";
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [
    errors > 0 ? count(errors, "error") : undefined,
    warnings > 0 ? count(warnings, "warning") : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
