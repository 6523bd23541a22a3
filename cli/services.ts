/** The services of the engine on this machine. @module */
import { join } from "@std/path";
import { systemClock } from "../core/io/clock.ts";
import { ChildNotes } from "../core/io/child_notes.ts";
import { Disk } from "../core/io/disk.ts";
import { pathKey } from "../core/io/paths.ts";
import { runProcess } from "../core/io/exec.ts";
import { copyJournalForReading, openJournal } from "../core/journal/sqlite.ts";
import type { JournalOptions, LocalJournal } from "../core/journal/sqlite.ts";
import type { Registry } from "../core/registry.ts";
import type { EngineServices } from "../core/run/services.ts";
import type { CommandContext } from "./command.ts";
import type { Locations } from "./locations.ts";
import type { Terminal } from "./terminal.ts";
import { makeStateDir } from "./project.ts";
import { whyStateIsNotApart } from "./state_apart.ts";

/** The journal, with the events and marks of the config that is in force; several may share a state folder. */
export function openOwnJournal(
  { journalFile, configFile }: Pick<Locations, "journalFile" | "configFile">,
  options: Pick<JournalOptions, "busyMs"> = {},
): Promise<LocalJournal> {
  return openJournal(journalFile, { ...options, config: pathKey(configFile) });
}

/** The processes of this host, and the programs that the runs of this state folder have started. */
export function ownProcesses(
  { locations, terminal }: { locations: Pick<Locations, "stateDir">; terminal: Pick<Terminal, "host"> },
): ChildNotes {
  return new ChildNotes({ dir: join(locations.stateDir, "children"), host: terminal.host });
}

/**
 * Opens disk and journal for as long as `work` lasts. A dry run gets a copy of the journal: the live one is not even
 * opened (SAFETY S17).
 */
export async function withServices<T>(
  registry: Registry,
  { dryRun, context, journal: own }: {
    dryRun: boolean;
    /** In place of this machine's journal, which is then not even looked at. It stays open. */
    journal?: LocalJournal;
    context: Pick<CommandContext, "terminal" | "locations" | "log" | "openDisk"> & {
      logs: Pick<CommandContext["logs"], "scrubber">;
    };
  },
  work: (services: EngineServices) => Promise<T>,
): Promise<T> {
  const { terminal, locations, log, openDisk = () => new Disk() } = context;
  await using fs = openDisk();
  const astray = dryRun || own !== undefined ? undefined : await whyStateIsNotApart(locations);
  if (astray) throw astray;
  if (!dryRun && own === undefined) await makeStateDir(locations.journalFile);
  await using opened = own !== undefined
    ? undefined
    : dryRun
    ? await copyJournalForReading(locations.journalFile, { config: pathKey(locations.configFile) })
    : await openOwnJournal(locations);
  const journal = own ?? opened;
  if (journal === undefined) throw new TypeError("a journal was neither given nor opened");
  const processes = ownProcesses({ locations, terminal });
  if (!dryRun && own === undefined) await processes.tidy().catch(() => {}); // what stays is judged where it matters
  const noteOf = (program: string) => (pid: number) => {
    try {
      return processes.add(pid, program);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`Cannot note that "${program}" is at work: ${why}; should this run be killed, the next one is not told`);
    }
  };
  return await work({
    fs,
    clock: systemClock,
    log,
    journal,
    registry,
    host: terminal.host,
    hidden: context.logs.scrubber.text,
    processes,
    // The log shows a child's lines on stderr already, scrubbed and in the format that was asked for.
    exec: ({ signal, log, graceMs, ...command }) =>
      runProcess(command, {
        signal,
        log,
        stderr: () => {},
        hide: context.logs.scrubber.text,
        abortGraceMs: graceMs,
        note: noteOf(command.argv[0]),
      }),
  });
}
