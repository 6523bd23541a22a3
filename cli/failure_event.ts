/**
 * The event of a command that ends with another code than 0 (DESIGN 4): `<pipeline>_failure`, for the monitor
 * `monitor_crash`. It is queued in the journal; delivery decides who hears of it.
 * @module
 */
import type { Json } from "../core/contract.ts";
import { eventForExit, failureEvent, isEventName, toOutboxEvent } from "../core/events/events.ts";
import type { Logger } from "../core/ports.ts";
import type { CommandSpec } from "./command.ts";
import { NOTIFY, queuesEvents } from "./drain.ts";
import type { Locations } from "./locations.ts";
import { GLOBAL_FLAGS } from "./parse.ts";
import { makeStateDir } from "./project.ts";
import type { Scrubber } from "./scrub.ts";
import { openOwnJournal } from "./services.ts";
import { whyStateIsNotApart } from "./state_apart.ts";
import type { SecretsContext } from "./secrets.ts";
import { commandFlags } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { locateIn, valueIn } from "./whereabouts.ts";

/** What the event says; `more` is told beside it. */
export interface Failure {
  exitCode: number;
  code: string;
  message: string;
  more?: { [key: string]: Json };
}

interface Queue {
  locations: Pick<Locations, "journalFile" | "configFile" | "stateDir">;
  terminal: Pick<Terminal, "now" | "host" | "failureEvent">;
  log: Pick<Logger, "debug" | "error">;
  /** It knows the secrets of this machine; what it hides goes into no journal and no mail. */
  scrubber: Scrubber;
  /** How long (ms) a journal that another process writes to may hold everything up. Default: as the journal does. */
  busyMs?: number;
}

/**
 * Queues the event of a pipeline, once for the process where the terminal is a process's. A failure to do so is logged
 * and changes nothing else (SAFETY S19).
 */
export async function queueFailure(pipeline: string, failure: Failure, to: Queue): Promise<void> {
  const once = to.terminal.failureEvent ?? {};
  const before = once.queued ?? Promise.resolve(false);
  once.queued = before.then((isQueued) => isQueued || queue(pipeline, failure, to));
  await once.queued;
}

/** Whether it was queued. */
async function queue(
  pipeline: string,
  { exitCode, code, message, more }: Failure,
  { locations, terminal, log, scrubber, busyMs }: Queue,
): Promise<boolean> {
  const data = scrubber.value({ ...more, code, message, pipeline, exit_code: exitCode, host: terminal.host }) as Json;
  const name = eventForExit(pipeline, exitCode);
  if (name === undefined || !isEventName(name)) return true;
  const event = toOutboxEvent({ event: name, at: terminal.now(), data });
  try {
    const astray = await whyStateIsNotApart(locations);
    if (astray) throw astray;
    await makeStateDir(locations.journalFile);
    await using journal = await openOwnJournal(locations, { busyMs });
    await journal.outbox.enqueue(event);
    // What a run that is cut off could not queue is told by its own end, should it come to it: one end is told once.
    if (terminal.failureEvent) terminal.failureEvent.unqueued = undefined;
    log.debug(`event ${name} is queued`, { id: event.id });
    return true;
  } catch (error) {
    if (terminal.failureEvent) terminal.failureEvent.unqueued = [event];
    log.error(`The event of the failed run cannot be queued: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/** A pipeline by the name that was typed; for a path or anything else that no event can be named after, `pipeline`. */
export function eventPipeline(name: string | undefined): string {
  return name !== undefined && isEventName(failureEvent(name)) ? name : "pipeline";
}

/** Commands that run the pipeline of their own name. */
const OWN_PIPELINE = ["backup", "cleanup", "monitor"];

/** The pipeline that a command line, right or wrong, is meant to run; undefined for any other, and for a dry run. */
export function pipelineMeant(argv: readonly string[], commands: readonly CommandSpec[]): string | undefined {
  if (argv.some((word) => /^--dry-run(=|$)/.test(word))) return undefined;
  const [command, name] = plainWords(argv, commands);
  // What fails to tell people must not be told.
  if (command === "run") return name === NOTIFY ? undefined : eventPipeline(name);
  return OWN_PIPELINE.find((own) => own === command);
}

/** The words that are neither flags nor values of flags this program knows. */
function plainWords(argv: readonly string[], commands: readonly CommandSpec[]): string[] {
  const flags = [
    ...GLOBAL_FLAGS,
    ...commands.filter(({ name }) => name === "run" || name === "backup").flatMap(commandFlags),
  ];
  const taking = new Set(flags.filter((flag) => flag.value !== undefined && !flag.bare).map(({ name }) => `--${name}`));
  return argv.filter((word, at) => !word.startsWith("-") && !taking.has(argv[at - 1]));
}

/**
 * Queues the event of a command line that never came to its run, where people are to be told: it was misspelled, or the
 * process broke. Whether it was queued; a failure to do so is logged.
 */
export async function queueUnstarted(
  failure: Failure,
  { argv, commands, terminal, log, logs }: Omit<Queue, "locations" | "scrubber"> & {
    argv: readonly string[];
    commands: readonly CommandSpec[];
    terminal: Terminal;
    logs: SecretsContext["logs"];
  },
): Promise<boolean> {
  const pipeline = pipelineMeant(argv, commands);
  if (pipeline === undefined) return false;
  try {
    const locations = locateIn(argv, terminal);
    if (!await queuesEvents({ terminal, locations, logs }, valueIn(argv, "smtp-env"))) return false;
    await queueFailure(pipeline, failure, {
      locations,
      terminal,
      log,
      scrubber: logs.scrubber,
    });
    return true;
  } catch (error) {
    // Without a home folder there is no journal either.
    log.error(`The event of the failed run cannot be queued: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}
