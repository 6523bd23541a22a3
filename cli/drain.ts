/** Delivers what waits in the outbox, by the pipeline `notify`. @module */
import { dirname } from "@std/path";
import { PipelineError } from "../core/errors.ts";
import { adoptOutbox } from "../core/events/adopt_outbox.ts";
import type { Secrets } from "../core/contract.ts";
import { isAbsent } from "../core/io/io_errors.ts";
import type { OutboxEvent } from "../core/journal/journal.ts";
import { brokenError } from "../core/external/external_stage.ts";
import { lintPipeline } from "../core/lint/safety.ts";
import { compilePipeline } from "../core/pipeline/compile.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import { throwOnErrors } from "../core/pipeline/diagnostic.ts";
import type { Logger } from "../core/ports.ts";
import type { Registry } from "../core/registry.ts";
import type { RunReport } from "../core/run/report.ts";
import type { CommandContext } from "./command.ts";
import { PastJournal } from "./past_journal.ts";
import { count } from "./format.ts";
import { OWN } from "./notices.ts";
import type { Remembered, Trouble } from "./notices.ts";
import { builtinRegistry, findPipelineText, loadKnownPlugins, readTextIfThere } from "./project.ts";
import type { Project } from "./project.ts";
import { eventsOf, queueAll } from "./queue_trouble.ts";
import { runNotify } from "./run_notify.ts";
import { Said } from "./said.ts";
import { readSecrets } from "./secrets.ts";
import type { SecretsContext } from "./secrets.ts";
import { withServices } from "./services.ts";
import { whyStateIsNotApart } from "./state_apart.ts";

/** How long the end of a command may take for its notifications, in ms (DESIGN 4). */
export const DRAIN_MS = 30_000;

/** For how long (ms) a delivery does not say the same again, where the cooldown is shorter: there may be one in 5 s. */
const SAID_MS = 300_000;

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
 * Queues what was logged and delivers nothing: people are told by whoever delivers next. Whether it is queued; it is not
 * where notifications are off or have no credentials, nor in a state folder that is not apart.
 */
export async function keepTrouble(
  context: Context,
  { smtpEnv, trouble }: { smtpEnv?: string; trouble: readonly Trouble[] },
): Promise<boolean> {
  if (!await queuesEvents(context, smtpEnv) || await whyStateIsNotApart(context.locations)) return false;
  if (trouble.length > 0) await queueAll(eventsOf(trouble, context), context);
  return true;
}

interface DrainOptions {
  smtpEnv?: string;
  trouble: readonly Trouble[];
  deadlineMs?: number;
  /** Leaves the rest queued. */
  signal?: AbortSignal;
  /** What the command knows of its earlier deliveries: the monitor delivers again and again. */
  remembered?: Remembered;
}

/**
 * Queues what was logged, then delivers what waits, for at most 30 s. Without notifications switched on, or without
 * credentials, nothing is queued and nothing is opened; what the journal does not take is delivered past it. Returns the
 * lines that are still whoever's gave them: neither told nor queued, and not known to be for nobody.
 */
export async function drainOutbox(context: Context, options: DrainOptions): Promise<readonly Trouble[]> {
  const { smtpEnv, trouble, deadlineMs = DRAIN_MS, signal, remembered = { said: new Said() } } = options;
  const { locations, terminal, logs } = context;
  const log = ownLog(context.log);
  const project = await quietProject(context);
  if (project === undefined) return await keepTrouble(context, { smtpEnv, trouble }) ? [] : trouble;
  if (!project.config.config.notify.enabled) return [];
  const { compiled, secrets, missing } = await setUpOrKeep(project, context, options);
  const ageMs = Math.max(project.config.config.notify.toolkit_error_cooldown_seconds * 1_000, SAID_MS);
  const sayOnce = (words: string) => {
    if (remembered.said.isNews(words, { now: terminal.now(), ageMs })) log.warn(words);
  };
  if (missing.length > 0) {
    const words = missing.map((name) => secrets.where(name)).join("; and ");
    sayOnce(`Nobody is told of anything, though [notify] enabled is true: set ${words}`);
    return trouble;
  }
  const until = AbortSignal.any([AbortSignal.timeout(deadlineMs), ...signal ? [signal] : []]);
  const news = eventsOf(trouble, context);
  const delivery = { compiled, secrets, project, until };
  const pastTheJournal = async (unqueued: readonly OutboxEvent[]) => {
    const parts = { ...delivery, context: { terminal, locations, log, logs } };
    const past = remembered.past ??= new PastJournal();
    const { left, why } = await past.deliver([...unqueued, ...news], parts);
    if (left.size > 0) sayOnce(`${count(left.size, "event")} can be neither queued nor delivered: ${why}`);
    return left;
  };
  const stillOurs = (left: Set<string>) => trouble.filter((_, at) => left.has(news[at].id));
  const unqueued = terminal.failureEvent?.unqueued?.splice(0) ?? [];
  // The command said so, if it was to write there.
  if (unqueued.length > 0 || await whyStateIsNotApart(locations)) {
    let left = new Set(unqueued.map(({ id }) => id));
    try {
      left = await pastTheJournal(unqueued);
    } finally {
      terminal.failureEvent?.unqueued?.unshift(...unqueued.filter(({ id }) => left.has(id)));
    }
    return stillOurs(left);
  }
  const held = await remembered.past?.pending() ?? [];
  // A command that only looks makes no state folder.
  if (
    trouble.length === 0 && held.length === 0 &&
    await Deno.lstat(dirname(locations.journalFile)).catch(() => undefined) === undefined
  ) return [];
  try {
    // What waits in memory, for a journal that was broken, is safe in one that is mended.
    if (trouble.length > 0 || held.length > 0) await queueAll([...held, ...news], context);
  } catch (error) {
    log.warn(`Cannot queue what was logged: ${(error as Error).message}`);
    return stillOurs(await pastTheJournal([]));
  }
  await remembered.past?.release(held, terminal.now());
  await withServices(
    project.registry,
    { dryRun: false, context: { terminal, locations, log, logs } },
    async (services) => {
      const { outbox } = services.journal;
      await adoptOutbox(services.journal, { now: services.clock.now(), log, isGone });
      if (!await outbox.hasPending()) return;
      const report = await runNotify(services, { ...delivery, locations });
      const left = [...(await outbox.waiting()).values()].reduce((sum, each) => sum + each, 0);
      tell(report, { left, log });
    },
  );
  return [];
}

/** Where nothing can be delivered until the notify pipeline is mended, the lines wait for that in the journal. */
async function setUpOrKeep(
  project: Project,
  context: Context,
  { smtpEnv, trouble }: DrainOptions,
): Promise<NotifySetup> {
  try {
    return await setUpNotify(project, context, smtpEnv);
  } catch (error) {
    await keepTrouble(context, { smtpEnv, trouble });
    throw error;
  }
}

async function isGone(config: string): Promise<boolean> {
  try {
    await Deno.lstat(config);
    return false;
  } catch (error) {
    return isAbsent(error);
  }
}

function tell(
  { items, error, sent }: RunReport & { sent: number },
  { left, log }: { left: number; log: Logger },
): void {
  if (sent > 0) log.info(`people were told of ${count(sent, "event")}`);
  for (const { name, outcome, why } of items) if (outcome === "dropped") log.info(`${name} is told to nobody: ${why}`);
  if (error !== undefined) log.warn(`Events stay queued for the next command: ${error.message}`);
  else if (left > 0) log.warn(`Left queued for the next command: ${count(left, "event")}`);
}

/**
 * The config as it stands; where another section is wrong, or the file is not UTF-8, `[notify]` alone, for of that people
 * want to be told. Undefined when not even that can be read. What is wrong is said by the command that needs it.
 */
async function quietProject({ locations: { configFile } }: Pick<Context, "locations">): Promise<Project | undefined> {
  const text = await readTextIfThere(configFile, "config").catch(() => undefined);
  // A file that is being saved is empty for a moment. Of one without a word nobody can say that it switches anything off.
  if (text === undefined || text.replace("\ufeff", "").trim() === "") return undefined;
  const input = { path: configFile, text };
  const config = loadConfig(input).loaded ?? loadConfig({ ...input, text: text.toWellFormed(), only: "notify" }).loaded;
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
