/** `notify list-subscribers`, `notify test`: who hears what, and whether it arrives. @module */
import type { Command, CommandContext } from "../cli/command.ts";
import { columns } from "../cli/format.ts";
import { ownLog, setUpNotify } from "../cli/drain.ts";
import { loadShippedProject, pipelineNames, readListIfThere } from "../cli/project.ts";
import type { Project } from "../cli/project.ts";
import { renderReport } from "../cli/render_report.ts";
import { withServices } from "../cli/services.ts";
import { defineSource, type Item, type Json, type Recipients, recipientsOf } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { ioError } from "../core/io/io_errors.ts";
import { EVENTS, failureEvent, isEventName } from "../core/events/events.ts";
import { openMemoryJournal } from "../core/journal/sqlite.ts";
import { z } from "../core/options.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { nameHint } from "../core/pipeline/nearest.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { RunReport } from "../core/run/report.ts";

export const run: Command = async (args, given) => {
  // Of the notify pipeline's own troubles nobody is told.
  const context = { ...given, log: ownLog(given.log) };
  const project = await loadShippedProject(context);
  const event = args.value("event");
  const known = await knownEvents(project, context);
  if (event !== undefined && !known.includes(event)) throw noEvent(event, known);
  if (args.command[1] === "list-subscribers") {
    return await list(event === undefined ? known : [event], { project, context, json: args.has("json") });
  }
  if (event === undefined) {
    throw new PipelineError("cli/missing-flag", `Cannot send a test: --event is missing, wanted the name of an event`, {
      stopsRun: 2,
      hint: `events: ${known.join(", ")}`,
    });
  }
  return await test(event, {
    project,
    context,
    dryRun: args.has("dry-run"),
    json: args.has("json"),
    smtpEnv: args.value("smtp-env"),
  });
};

/** Events that labferry knows, the failures of the pipelines here, and whatever has a list of its own; sorted. */
async function knownEvents({ config }: Project, context: CommandContext): Promise<string[]> {
  const names = new Set(Object.keys(EVENTS));
  for (const name of await pipelineNames(context)) if (name !== "notify") names.add(failureEvent(name));
  try {
    for await (const { name, isDirectory } of Deno.readDir(config.config.notify.recipients_dir)) {
      const event = name.replace(/\.txt$/, "");
      if (!isDirectory && event !== name && event !== "default" && isEventName(event)) names.add(event);
    }
  } catch (error) {
    // What is no folder is told by whoever looks for the lists.
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw ioError(error, { verb: "list", path: config.config.notify.recipients_dir });
    }
  }
  return [...names].sort();
}

function noEvent(event: string, known: readonly string[]): PipelineError {
  return new PipelineError("cli/no-event", `Cannot find event "${event}": nothing raises it and it has no list`, {
    stopsRun: 2,
    hint: nameHint(event, known, "events"),
  });
}

async function list(
  events: readonly string[],
  { project, context, json }: { project: Project; context: CommandContext; json: boolean },
): Promise<number> {
  const { terminal, log } = context;
  const { enabled, recipients_dir: folder } = project.config.config.notify;
  const found = [];
  for (const event of events) {
    const readText = (path: string) => readListIfThere(path, "list of recipients");
    const none = (error: unknown): Recipients => {
      // Where nobody is to be told, nothing is amiss.
      if (enabled || !(error instanceof PipelineError) || error.code !== "notify/no-lists") throw error;
      return { to: [], problems: [] };
    };
    found.push({ event, ...await recipientsOf(event, { folder, readText }).catch(none) });
  }
  for (const problem of new Set(found.flatMap(({ problems }) => problems))) log.warn(`${problem}; it is left out`);
  if (!enabled) log.info("nobody is told of anything: [notify] enabled is not true in the config");
  if (json) {
    const result = found.map(({ event, to, file, problems }) => ({ event, to, file: file ?? null, problems }));
    terminal.out(`${JSON.stringify(result, null, 2)}\n`);
    return 0;
  }
  const rows = found.map(({ event, to, file }) => [event, file ?? "nobody", to.join(", ")]);
  terminal.out(columns([["EVENT", "LIST", "RECIPIENTS"], ...rows]).map((line) => `${line}\n`).join(""));
  return 0;
}

interface TestOptions {
  project: Project;
  context: CommandContext;
  dryRun: boolean;
  json: boolean;
  smtpEnv?: string;
}

async function test(event: string, { project, context, dryRun, json, smtpEnv }: TestOptions): Promise<number> {
  const { terminal, log, logs } = context;
  const { compiled, secrets, missing } = await setUpNotify(project, context, smtpEnv);
  if (missing.length > 0) {
    const error = new PipelineError("notify/no-credentials", `Cannot send a test: ${missing.join(", ")} not set`, {
      stopsRun: 2,
      hint: missing.map((name) => `Set ${secrets.where(name)}`).join("\n"),
    });
    if (!dryRun) throw error;
    log.warn(error.message);
  }
  if (!project.config.config.notify.enabled) {
    log.info("only this test is sent: [notify] enabled is not true in the config");
  }
  const promised: { [key: string]: Json } = {};
  using interrupts = terminal.interrupts();
  // Neither a cooldown nor an earlier test counts.
  await using journal = await openMemoryJournal();
  const report = await withServices(project.registry, { dryRun, context, journal }, async (services) => {
    return await runPipeline({
      compiled: overOneEvent(compiled, testEvent(event, terminal)),
      config: project.config.view,
      stateDir: context.locations.stateDir,
      dryRun,
      stop: interrupts.stop,
      abort: interrupts.abort,
      progress: {
        stagePlanned(_item, _stage, plan) {
          if (plan.kind === "todo") Object.assign(promised, plan.promises);
        },
      },
    }, { ...services, secrets });
  });
  const shown = logs.scrubber.value(report) as RunReport;
  const { to, subject, text } = promised;
  if (json) terminal.out(`${JSON.stringify({ ...shown, message: { to, subject, text } }, null, 2)}\n`);
  else {
    const head = [["to", Array.isArray(to) ? to.join(", ") : "nobody"], ["subject", String(subject ?? "")]];
    terminal.out(`${columns(head).join("\n")}\n\n${String(text ?? "")}\n${renderReport(shown)}`);
  }
  const [item] = report.items;
  // Absence is no success (SAFETY S18): a test that reaches nobody has failed.
  return report.exit_code === 0 && item?.outcome !== "done" ? 1 : report.exit_code;
}

function testEvent(event: string, { now, host }: CommandContext["terminal"]): Item {
  const at = new Date(now()).toISOString();
  const details = { test: true, host, started_at: at };
  return { id: `test-${crypto.randomUUID()}`, name: event, kind: "event", data: { event, at, details } };
}

/** The same pipeline with this event in place of the outbox. */
function overOneEvent(compiled: CompiledPipeline, event: Item): CompiledPipeline {
  const plugin = defineSource({
    kind: "source",
    name: "test",
    summary: "One event.",
    yields: "event",
    endless: false,
    options: z.strictObject({}),
    example: "",
    open: () => ({
      async *items() {
        yield event;
      },
    }),
  });
  return { ...compiled, source: { ...compiled.source, use: plugin.name, plugin, options: {} } };
}
