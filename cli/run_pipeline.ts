/** Runs a pipeline from the command line: config to report, and the event when it fails. @module */
import { PipelineError } from "../core/errors.ts";
import { nearestName } from "../core/pipeline/nearest.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { ProgressSink } from "../core/run/progress.ts";
import type { ItemReport, RunReport } from "../core/run/report.ts";
import { AtWork } from "./at_work.ts";
import type { Arguments, CommandContext } from "./command.ts";
import { NOTIFY, ownLog, queuesEvents } from "./drain.ts";
import { withFailureEvent } from "./failed_run.ts";
import { loadProject, requirePipeline } from "./project.ts";
import type { Project } from "./project.ts";
import { showProgress } from "./progress_view.ts";
import { renderItem, renderReport, reportJson, summaryLine } from "./render_report.ts";
import { expectSmtpEnv, readSecrets } from "./secrets.ts";
import { withServices } from "./services.ts";

export interface RunOptions {
  dryRun: boolean;
  only?: string;
  /** Repeat work of all stages, or of one. */
  force?: true | string;
}

/** How often an endless run delivers what it had to leave queued, in ms. */
const FLUSH_MS = 60_000;
/** How soon after a delivery the next one may begin, in ms: a swarm of events must not hold up what raises them. */
const FLUSH_PAUSE_MS = 5_000;

/**
 * Runs the pipeline `name` with the flags of `run`; prints the report and returns the exit code. An endless one prints
 * each item when it has ended. `load` is for tests.
 */
export async function runCommand(
  name: string,
  args: Arguments,
  given: CommandContext,
  { load = loadProject }: { load?: (context: CommandContext) => Promise<Project> } = {},
): Promise<number> {
  // Of its own troubles the notify pipeline tells nobody.
  const isNotify = name === NOTIFY || new RegExp(`[\\\\/]${NOTIFY}\\.toml$`).test(name);
  const context = isNotify ? { ...given, log: ownLog(given.log) } : given;
  const { terminal, globals, log, logs, notices } = context;
  if (isNotify) notices.dismiss();
  const options = toRunOptions(args);
  const smtpEnv = args.value("smtp-env");
  const isWanted = askedRarely(() => isNotify ? Promise.resolve(false) : queuesEvents(context, smtpEnv), terminal);
  let endless = false;
  const report = await withFailureEvent(name, { dryRun: options.dryRun, context, isWanted }, async ({ cutOff }) => {
    await expectSmtpEnv(smtpEnv, context);
    const project = await load(context);
    const compiled = await requirePipeline(project, name, context);
    // Whether people are to be told of its end is not to hang on how the config looks at that moment.
    if (!options.dryRun) await isWanted();
    using progress = showProgress(context);
    ({ endless } = compiled.source.plugin);
    using deliver = endless && !options.dryRun ? deliveries(context) : undefined;
    const onItem = (item: ItemReport) => {
      if (!endless) return;
      const shown = logs.scrubber.value(item) as ItemReport;
      terminal.out(args.has("json") ? `${JSON.stringify(shown)}\n` : renderItem(shown, options));
      if (item.outcome !== "dropped") deliver?.soon();
    };
    return await execute(compiled, {
      options,
      project,
      context,
      progress: logged(progress.sink, log),
      // To end is all that is asked of an endless run, however it does.
      cutOff: endless ? undefined : cutOff,
      events: { onItem, queueEvents: isWanted, smtpEnv },
    });
  });
  context.onReport?.(report);
  const shown = logs.scrubber.value(report) as RunReport;
  if (args.has("json")) terminal.out(endless ? "" : reportJson(shown));
  else terminal.out(renderReport(shown, { quiet: globals.quiet }));
  logOutcome(report, log);
  return report.exit_code;
}

/** How long an answer holds, in ms: credentials that are set up while the monitor runs count soon. */
const ASK_MS = 60_000;
/** How long, in ms, before a first no is asked again: a file that is being saved may be empty for a moment. */
const DOUBT_MS = 5_000;

/** The same question, asked anew at most once a minute. Behind a yes, a no counts when the next answer is no as well. */
function askedRarely(ask: () => Promise<boolean>, { now }: Pick<CommandContext["terminal"], "now">) {
  let last: { at: number; holdsMs: number; answer: Promise<boolean> } | undefined;
  let holds = false;
  let isDoubted = false;
  const judge = (answer: boolean) => {
    isDoubted = holds && !answer && !isDoubted;
    return holds = answer || isDoubted;
  };
  return (): Promise<boolean> => {
    const at = now();
    // A clock that was set back does not make an answer hold for longer.
    if (last === undefined || Math.abs(at - last.at) >= last.holdsMs) {
      const asked = { at, holdsMs: ASK_MS, answer: ask().then(judge) };
      asked.answer.then(() => isDoubted && (asked.holdsMs = DOUBT_MS), () => {});
      last = asked;
    }
    return last.answer;
  };
}

/** Delivers while an endless run goes on: what was raised, at once or within seconds; what was left, every minute. */
function deliveries({ terminal, notices }: CommandContext): Disposable & { soon(): void } {
  let isDue = false;
  let isPausing = false;
  const flush = () => {
    isDue = false;
    isPausing = true;
    void notices.flush();
  };
  const pause = terminal.every(FLUSH_PAUSE_MS, () => {
    isPausing = false;
    if (isDue) flush();
  });
  const minute = terminal.every(FLUSH_MS, flush);
  return {
    soon() {
      isDue = true;
      if (!isPausing) flush();
    },
    [Symbol.dispose]() {
      pause[Symbol.dispose]();
      minute[Symbol.dispose]();
    },
  };
}

/** How long an endless run may deliver after it was asked to stop, in ms; what is left waits for the next run. */
const LAST_FLUSH_MS = 1000;

const STOPPING_NOW = "Stopping now, within 5 s whatever is at work; interrupt again to stop at once";

/** The same progress, told to the log as well: where a run was when it was cut off, for `--verbose`. */
function logged(sink: ProgressSink, log: CommandContext["log"]): ProgressSink {
  return {
    bytes: (item, stage, count) => sink.bytes?.(item, stage, count),
    itemStarted(item) {
      log.debug(`"${item}" is taken up`);
      sink.itemStarted?.(item);
    },
    stageStarted(item, stage, expected) {
      log.debug(`"${item}": stage ${stage} begins`);
      sink.stageStarted?.(item, stage, expected);
    },
    stagePlanned(item, stage, plan) {
      const words = plan.kind === "todo" ? plan.summary : `${plan.kind}: ${plan.why}`;
      log.debug(`"${item}": stage ${stage}: ${words}`);
      sink.stagePlanned?.(item, stage, plan);
    },
    stageFinished(item, stage, outcome) {
      log.debug(`"${item}": stage ${stage} is ${outcome}`);
      sink.stageFinished?.(item, stage, outcome);
    },
    itemFinished: (item, outcome) => sink.itemFinished?.(item, outcome),
  };
}

/** Runs a compiled pipeline on this machine. */
export async function execute(
  compiled: CompiledPipeline,
  run: {
    options: RunOptions;
    project: Project;
    context: CommandContext;
    progress?: ProgressSink;
    /** Tells that the process is ended over the run. */
    cutOff?: () => Promise<void>;
    events?: { onItem?: (item: ItemReport) => void; queueEvents(): Promise<boolean>; smtpEnv?: string };
  },
): Promise<RunReport> {
  const { options, project, context, progress, events, cutOff } = run;
  const { terminal, locations } = context;
  expectStage(options.force, compiled);
  const { endless } = compiled.source.plugin;
  const atWork = new AtWork(terminal.now);
  using interrupts = terminal.interrupts({ endless, last: cutOff });
  const onStop = () => {
    if (terminal.broken?.aborted) return;
    if (!endless) return context.log.info(atWork.stopping);
    // This is how it is meant to end: no trouble to tell anybody of.
    context.log.info("Stopping, as was asked");
    context.notices.hurry(LAST_FLUSH_MS);
  };
  const onAbort = () => {
    if (!terminal.broken?.aborted && !endless) context.log.info(STOPPING_NOW);
  };
  interrupts.stop.addEventListener("abort", onStop, { once: true });
  interrupts.abort.addEventListener("abort", onAbort, { once: true });
  const secrets = compiled.source.plugin.yields === "event" ? await readSecrets(context, events?.smtpEnv) : undefined;
  return await withServices(project.registry, { dryRun: options.dryRun, context }, (services) =>
    runPipeline({
      compiled,
      config: project.config.view,
      stateDir: locations.stateDir,
      dryRun: options.dryRun,
      only: options.only,
      force: options.force,
      stop: interrupts.stop,
      abort: interrupts.abort,
      progress: atWork.sink(progress),
      onItem: events?.onItem,
      queueEvents: events?.queueEvents,
    }, { ...services, secrets, exec: atWork.exec(services.exec) }));
}

/** The item of `--only`; a shell completes the name of a folder with a separator. */
export function itemNamed(args: Arguments): string | undefined {
  return args.value("only")?.replace(/(?<=.)[/\\]+$/, "");
}

function toRunOptions(args: Arguments): RunOptions {
  const force = args.value("force");
  return {
    dryRun: args.has("dry-run"),
    only: itemNamed(args),
    force: force === undefined ? undefined : force === "" ? true : force,
  };
}

function expectStage(force: RunOptions["force"], compiled: CompiledPipeline): void {
  const ids = compiled.stages.map((stage) => stage.id);
  if (typeof force !== "string" || ids.includes(force)) return;
  const nearest = nearestName(force, ids);
  throw new PipelineError("cli/no-stage", `Cannot force "${force}": pipeline "${compiled.name}" has no such stage`, {
    stopsRun: 2,
    hint: nearest === undefined ? `its stages are ${ids.join(", ")}` : `did you mean "${nearest}"`,
  });
}

/**
 * The log tells what to do about each failure, so that the log file of a scheduled task is enough. The failure itself
 * was logged by the engine when it happened.
 */
function logOutcome(report: RunReport, log: CommandContext["log"]): void {
  for (const { name, outcome, error, why } of report.items) {
    if (outcome !== "failed") {
      log.debug(`"${name}" is ${outcome}`, { why });
      continue;
    }
    if (error?.hint !== undefined) log.info(`${name}: what to do: ${error.hint}`);
  }
  if (report.error !== undefined) {
    const { code, message, findings } = report.error;
    // What ended an item and the run with it is one error, which was logged with the item.
    const isTold = report.items.some(({ error }) => error?.code === code && error.message === message);
    if (isTold || (report.exit_code === 130 && code === "run/stopped")) log.info(message, { code });
    else log.error(message, { code, findings });
    // No trouble of its own: people would be told of it in a message apart from the error.
    if (report.error.hint !== undefined) log.info(`what to do: ${report.error.hint}`);
  }
  log.info(summaryLine(report));
}
