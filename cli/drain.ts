/** Delivers what waits in the outbox, by the pipeline `notify`. @module */
import { dirname } from "@std/path";
import { PipelineError } from "../core/errors.ts";
import { emitEvent } from "../core/events/events.ts";
import { adoptOld } from "../core/events/tidy_outbox.ts";
import type { Secrets } from "../core/contract.ts";
import { brokenError } from "../core/external/external_stage.ts";
import { lintPipeline } from "../core/lint/safety.ts";
import { compilePipeline } from "../core/pipeline/compile.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import { throwOnErrors } from "../core/pipeline/diagnostic.ts";
import type { Logger } from "../core/ports.ts";
import type { Registry } from "../core/registry.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { RunReport } from "../core/run/report.ts";
import type { CommandContext } from "./command.ts";
import { deliverDirectly } from "./deliver_directly.ts";
import { count } from "./format.ts";
import { OWN } from "./notices.ts";
import type { Trouble } from "./notices.ts";
import { builtinRegistry, findPipelineText, loadKnownPlugins, readTextIfThere } from "./project.ts";
import type { Project } from "./project.ts";
import { readSecrets } from "./secrets.ts";
import type { SecretsContext } from "./secrets.ts";
import { withServices } from "./services.ts";
import { whyStateIsNotApart } from "./state_apart.ts";

/** How long the end of a command may take for its notifications, in ms (DESIGN 4). */
export const DRAIN_MS = 30_000;

/** The name of the pipeline that tells people. */
export const NOTIFY = "notify";

type Context = SecretsContext & Pick<CommandContext, "log">;

/** The notify pipeline, ready to run. */
export interface NotifySetup {
  compiled: CompiledPipeline;
  secrets: Secrets;
  /** Names of secrets that are not set and without which it delivers nothing. */
  missing: string[];
}

/**
 * Compiles the notify pipeline and finds its credentials.
 * @throws {PipelineError} what lint says of it, exit code 2
 */
export async function setUpNotify(project: Project, context: SecretsContext, smtpEnv?: string): Promise<NotifySetup> {
  const secrets = await readSecrets(context, smtpEnv);
  const { config, registry } = project;
  const found = await findPipelineText(NOTIFY, context);
  const compile = (registry: Registry) => compilePipeline({ ...found, config, registry, env: context.terminal.env });
  let { pipeline, diagnostics } = compile(registry);
  const lacksStage = () => diagnostics.some(({ code }) => code === "pipeline/unknown-plugin");
  if (lacksStage()) {
    // Only a notify pipeline of the laboratory's own needs stages from outside; what is broken hinders no other stage.
    const known = await loadKnownPlugins(config, context.terminal);
    ({ pipeline, diagnostics } = compile(known.registry));
    if (lacksStage() && known.broken.length > 0) throw brokenError(known.broken);
  }
  throwOnErrors(pipeline === undefined ? diagnostics : [...diagnostics, ...lintPipeline(pipeline)]);
  if (pipeline === undefined) throw new TypeError("the notify pipeline has no error and was not compiled");
  const missing = pipeline.stages.flatMap((stage) => stage.plugin.uses?.(stage.options) ?? []).flatMap((use) => {
    const notifier = registry.get("notifier", use.name);
    return notifier.secrets(notifier.options.parse(use.options)).filter((name) => secrets.get(name) === undefined);
  });
  return { compiled: pipeline, secrets, missing: [...new Set(missing)] };
}

/**
 * Whether events are queued here: notifications are on, and nothing they need is missing. Of a config that cannot be
 * read at all nobody knows whether it switches them on: then the credentials decide.
 */
export async function queuesEvents(context: SecretsContext, smtpEnv?: string): Promise<boolean> {
  const project = await quietProject(context);
  if (project !== undefined && !project.config.config.notify.enabled) return false;
  try {
    return (await setUpNotify(project ?? emptyProject(context), context, smtpEnv)).missing.length === 0;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    // A file of credentials that is not there holds none.
    if (error.code === "cli/no-path") return await queuesEvents(context);
    return true; // the pipeline is broken, and delivers once it is mended
  }
}

/**
 * Queues what was logged, then delivers what waits, for at most 30 s. Without notifications switched on, or without
 * credentials, nothing is queued and nothing is opened.
 */
export async function drainOutbox(
  context: Context,
  { smtpEnv, trouble, deadlineMs = DRAIN_MS, signal, said = new Set() }: {
    smtpEnv?: string;
    trouble: readonly Trouble[];
    deadlineMs?: number;
    /** Leaves the rest queued. */
    signal?: AbortSignal;
    /** What a command has said already: the monitor delivers again and again. */
    said?: Set<string>;
  },
): Promise<void> {
  const { locations, terminal } = context;
  const log = ownLog(context.log);
  const project = await quietProject(context);
  if (project === undefined || !project.config.config.notify.enabled) return;
  const { compiled, secrets, missing } = await setUpNotify(project, context, smtpEnv);
  if (missing.length > 0) {
    const words = missing.map((name) => secrets.where(name)).join("; and ");
    if (!said.has(words)) log.warn(`Nobody is told of anything, though [notify] enabled is true: set ${words}`);
    said.add(words);
    return;
  }
  const given = AbortSignal.timeout(deadlineMs);
  const unqueued = terminal.failureEvent?.unqueued?.splice(0) ?? [];
  if (unqueued.length > 0) {
    const until = AbortSignal.any([given, ...signal ? [signal] : []]);
    return await deliverDirectly(unqueued, { compiled, secrets, project, context: { ...context, log }, until });
  }
  // The command said so, if it was to write there.
  if (await whyStateIsNotApart(locations)) return;
  // A command that only looks makes no state folder.
  if (trouble.length === 0 && await Deno.lstat(dirname(locations.journalFile)).catch(() => undefined) === undefined) {
    return;
  }
  await withServices(project.registry, { dryRun: false, context: { terminal, locations, log } }, async (services) => {
    const { outbox } = services.journal;
    for (const { at, level, message, count } of trouble) {
      const data = { message, level, times: count, host: terminal.host };
      await emitEvent(outbox, { event: "toolkit_error", at, data }, { enabled: true });
    }
    await adoptOld(outbox, { now: services.clock.now(), log });
    if (!await outbox.hasPending()) return;
    const deadline = AbortSignal.any([given, ...signal ? [signal] : []]);
    const report = await runPipeline({
      compiled,
      config: project.config.view,
      stateDir: locations.stateDir,
      dryRun: false,
      stop: deadline,
      abort: deadline,
    }, { ...services, secrets });
    const left = [...(await outbox.waiting()).values()].reduce((sum, each) => sum + each, 0);
    tell(report, { left, log });
  });
}

function tell({ items, error }: RunReport, { left, log }: { left: number; log: Logger }): void {
  const sent = items.filter(({ outcome }) => outcome === "done").length;
  if (sent > 0) log.info(`people were told of ${count(sent, "event")}`);
  for (const { name, outcome, why } of items) if (outcome === "dropped") log.info(`${name} is told to nobody: ${why}`);
  if (error !== undefined) log.warn(`Events stay queued for the next command: ${error.message}`);
  else if (left > 0) log.warn(`Left queued for the next command: ${count(left, "event")}`);
}

/**
 * The config as it stands; where another section is wrong, `[notify]` alone, for of that people want to be told.
 * Undefined when not even that can be read. What is wrong is said by the command that needs it.
 */
async function quietProject({ locations: { configFile } }: Pick<Context, "locations">): Promise<Project | undefined> {
  const text = await readTextIfThere(configFile, "config").catch(() => undefined);
  if (text === undefined) return undefined;
  const input = { path: configFile, text };
  const config = loadConfig(input).loaded ?? loadConfig({ ...input, only: "notify" }).loaded;
  return config && { config, registry: builtinRegistry() };
}

/** What holds where no config says anything. */
function emptyProject({ locations: { configFile } }: Pick<Context, "locations">): Project {
  const { loaded } = loadConfig({ path: configFile, text: "" });
  if (loaded === undefined) throw new TypeError("an empty config has no error and was not loaded");
  return { config: loaded, registry: builtinRegistry() };
}

/** The same log, each line marked as the notify pipeline's own. */
export function ownLog(log: Logger): Logger {
  return {
    debug: (message, data) => log.debug(message, { ...data, ...OWN }),
    info: (message, data) => log.info(message, { ...data, ...OWN }),
    warn: (message, data) => log.warn(message, { ...data, ...OWN }),
    error: (message, data) => log.error(message, { ...data, ...OWN }),
  };
}
