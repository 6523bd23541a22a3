/**
 * What a command has to tell people at its end: events in the outbox, and the warnings and errors it logged. Nothing
 * heavy is loaded before it is known that there may be something to do.
 * @module
 */
import type { CommandContext } from "./command.ts";
import type { LogControl, LogLine } from "./log.ts";

/** How many different messages of one command are told; more would be the same trouble. */
const MESSAGES = 100;

/** A line of the log that people want to hear of, and how often it came. */
export interface Trouble extends Pick<LogLine, "at" | "level" | "message"> {
  count: number;
}

export interface Notices {
  /**
   * Delivers what there is to tell now, for at most 30 s; while that goes on, all who ask share the next delivery. Never
   * throws: a failed notification fails nothing else.
   */
  flush(): Promise<void>;
  /** Whoever waits must not wait long: what is not delivered within `ms` stays queued. */
  hurry(ms: number): void;
  /** The command delivers by itself: from now on `flush` does nothing. */
  dismiss(): void;
}

/** Delivers what waits: `drainOutbox`, which is not loaded before there is something to do. */
export type Drain = (
  context: Omit<CommandContext, "notices">,
  options: { smtpEnv?: string; trouble: readonly Trouble[]; signal: AbortSignal },
) => Promise<void>;

/** What marks a line as the notify pipeline's own: of those nobody is told, or a broken mail server would be told of. */
export const OWN = { pipeline: "notify" } as const;

/** The warnings and errors of a log that nobody was told of yet. */
export interface Troubles {
  /** Gives and forgets them. */
  take(): Trouble[];
  /** Takes back what was taken and not told. */
  putBack(lines: readonly Trouble[]): void;
}

/** Codes of errors that only whoever typed the command can mend, and reads on the screen. */
const TYPED = /^(cli|init)\//;

/** Collects the warnings and errors of a log from now on. */
export function collectTrouble(logs: Pick<LogControl, "onTrouble">): Troubles {
  let lines = new Map<string, Trouble>();
  logs.onTrouble(({ at, level, message, data }) => {
    if (data.pipeline === OWN.pipeline || TYPED.test(String(data.code ?? ""))) return;
    const known = lines.get(message);
    if (known) known.count++;
    else if (lines.size < MESSAGES) lines.set(message, { at, level, message, count: 1 });
  });
  return {
    take() {
      const taken = [...lines.values()];
      lines = new Map();
      return taken;
    },
    putBack(taken) {
      const since = lines;
      // The earlier ones first, as they came: of too many, the later are left out.
      lines = new Map(taken.map((line) => [line.message, line]));
      for (const line of since.values()) {
        const known = lines.get(line.message);
        if (known) known.count += line.count;
        else if (lines.size < MESSAGES) lines.set(line.message, line);
      }
    },
  };
}

/**
 * Whether the config may switch notifications on: a look at its text, which costs nothing where they are off. Whoever
 * says yes reads it properly.
 */
async function mayNotify(configFile: string): Promise<boolean> {
  try {
    return /enabled["']?\s*=\s*true/.test(await Deno.readTextFile(configFile));
  } catch {
    return false; // no config, no notifications; the command itself says what is wrong with it
  }
}

/** The notices of one command. `trouble` is left out for commands that keep no log. */
export function openNotices(
  context: Omit<CommandContext, "notices">,
  { smtpEnv, trouble, drain }: {
    smtpEnv?: string;
    trouble?: Pick<Troubles, "take"> & Partial<Troubles>;
    /** For tests. */
    drain?: Drain;
  },
): Notices {
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let isDismissed = false;
  const said = new Set<string>();
  const hurried = new AbortController();
  const flush = async () => {
    if (isDismissed) return;
    const { log, locations } = context;
    const lines = trouble?.take() ?? [];
    // Too late to deliver anything: what was queued stays so.
    if (hurried.signal.aborted && lines.length === 0) return;
    if (!await mayNotify(locations.configFile)) return;
    try {
      await (drain ?? (await import("./drain.ts")).drainOutbox)(context, {
        smtpEnv,
        trouble: lines,
        signal: hurried.signal,
        said,
      });
    } catch (error) {
      // Whether they were queued before it failed nobody knows: told twice is better than not at all.
      trouble?.putBack?.(lines);
      log.warn(`Events cannot be delivered: ${error instanceof Error ? error.message : String(error)}`, OWN);
    }
  };
  return {
    // One after the other: two at once would only hold each other up. And one that waits is enough: while a mail server
    // hangs they would pile up, and the end of the command would wait for each of them.
    flush: () =>
      waiting ??= last = last.then(() => {
        waiting = undefined;
        return flush();
      }),
    hurry(ms) {
      const deadline = AbortSignal.timeout(ms);
      deadline.addEventListener("abort", () => hurried.abort(deadline.reason), { once: true });
    },
    dismiss: () => isDismissed = true,
  };
}
