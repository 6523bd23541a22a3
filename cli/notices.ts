/**
 * What a command has to tell people at its end: events in the outbox, and the warnings and errors it logged. Nothing
 * heavy is loaded before it is known that there may be something to do.
 * @module
 */
import type { CommandContext } from "./command.ts";
import type { PastJournal } from "./past_journal.ts";
import type { LogControl, LogLine } from "./log.ts";
import { Said } from "./said.ts";

/** How many different messages are told at a time; of more, one message says how often others came. */
const MESSAGES = 100;
const MORE = `More than ${MESSAGES} different messages were logged at a time: the others stand in the log alone`;

/** How soon what was logged is queued, in ms: until then a process that is killed takes it along. */
const KEEP_MS = 1_000;

/** A line of the log that people want to hear of, and how often it came. */
export interface Trouble extends Pick<LogLine, "at" | "level" | "message"> {
  /** By which it is told once, however often it is queued. */
  id: string;
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

type Context = Omit<CommandContext, "notices">;

/** What is told, or queued for it, is told no more by whoever gave it. */
interface Given {
  smtpEnv?: string;
  trouble: readonly Trouble[];
}

/** What a command knows of its earlier deliveries. */
export interface Remembered {
  /** Words of the deliveries themselves. */
  said: Said;
  /** What was told past the journal, and to whom. */
  past?: PastJournal;
}

/**
 * Delivers what waits: `drainOutbox`, which is not loaded before there is something to do. Returns the lines that are
 * still on the hands of whoever gave them: neither told nor queued, and not known to be for nobody.
 */
export type Drain = (
  context: Context,
  options: Given & { signal: AbortSignal; remembered: Remembered },
) => Promise<readonly Trouble[]>;

/** Queues lines, and delivers nothing: `keepTrouble`. Whether they are queued. */
export type Keep = (context: Context, options: Given) => Promise<boolean>;

/** What marks a line as the notify pipeline's own: of those nobody is told, or a broken mail server would be told of. */
export const OWN = { pipeline: "notify" } as const;

/** The warnings and errors of a log that nobody was told of yet. */
export interface Troubles {
  /** Gives them. */
  list(): Trouble[];
  /** Gives and forgets them. */
  take(): Trouble[];
  /** Takes back what was taken and not told. */
  putBack(lines: readonly Trouble[]): void;
  /** Calls `listener` at each line that is no repetition. */
  onNews(listener: () => void): void;
}

/** Codes of errors that only whoever typed the command can mend, and reads on the screen. */
const TYPED = /^(cli|init)\//;

/** Collects the warnings and errors of a log from now on. */
export function collectTrouble(logs: Pick<LogControl, "onTrouble">): Troubles {
  let lines = new Map<string, Trouble>();
  const listeners: (() => void)[] = [];
  logs.onTrouble(({ at, level, message, data }) => {
    if (data.pipeline === OWN.pipeline || TYPED.test(String(data.code ?? ""))) return;
    const told = lines.has(message) || lines.size < MESSAGES ? message : MORE;
    const known = lines.get(told);
    if (known) known.count++;
    else {
      lines.set(told, { id: crypto.randomUUID(), at, level, message: told, count: 1 });
      for (const listener of listeners) listener();
    }
  });
  return {
    list: () => [...lines.values()],
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
        const told = lines.has(line.message) || lines.size < MESSAGES ? line.message : MORE;
        const known = lines.get(told);
        if (known) known.count += line.count;
        // What was queued under its id stays what it says.
        else lines.set(told, told === line.message ? line : { ...line, id: crypto.randomUUID(), message: told });
      }
    },
    onNews: (listener) => void listeners.push(listener),
  };
}

/**
 * Whether the config may switch notifications on: a look at its text, which costs nothing where they are off. Whoever
 * hears `on` reads it properly. Of a config that cannot be read, or is not there, nobody knows: an editor may be saving it.
 */
async function lookAtConfig(configFile: string): Promise<"on" | "off" | "unknown"> {
  try {
    return /enabled["']?\s*=\s*true/.test(await Deno.readTextFile(configFile)) ? "on" : "off";
  } catch {
    return "unknown"; // the command itself says what is wrong with it
  }
}

/** The notices of one command. `trouble` is left out for commands that keep no log. */
export function openNotices(
  context: Context,
  { smtpEnv, trouble, drain, keep }: {
    smtpEnv?: string;
    trouble?: Pick<Troubles, "take"> & Partial<Troubles>;
    /** For tests. */
    drain?: Drain;
    /** For tests. */
    keep?: Keep;
  },
): Notices {
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let isDismissed = false;
  let wasOff = false;
  const remembered: Remembered = { said: new Said() };
  const hurried = new AbortController();
  const { log, locations } = context;
  const keeping = keepSoon(context, { smtpEnv, trouble, keep, isDismissed: () => isDismissed });
  const flush = async () => {
    await keeping.end();
    if (isDismissed) return;
    const look = await lookAtConfig(locations.configFile);
    if (look === "off") {
      // Half a file may say so, for a moment: what is for nobody is forgotten when it still is at the next look.
      if (wasOff) trouble?.take();
      wasOff = true;
      return;
    }
    wasOff = false;
    const lines = trouble?.take() ?? [];
    // Too late to deliver anything: what was queued stays so.
    if (lines.length === 0 && (hurried.signal.aborted || look === "unknown")) return;
    try {
      const left = await (drain ?? (await import("./drain.ts")).drainOutbox)(context, {
        smtpEnv,
        trouble: lines,
        signal: hurried.signal,
        remembered,
      });
      if (left.length > 0) trouble?.putBack?.(left);
    } catch (error) {
      // Whether they were queued before it failed nobody knows: queued again, they are told once all the same.
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
      keeping.now();
      const deadline = AbortSignal.timeout(ms);
      deadline.addEventListener("abort", () => hurried.abort(deadline.reason), { once: true });
    },
    dismiss: () => isDismissed = true,
  };
}

/**
 * Queues what is logged soon after it came, at one go, so that the end of a process does not take it along; a delivery
 * takes it from there. A repetition is not news: it counts from the next delivery on.
 */
function keepSoon(
  context: Context,
  { smtpEnv, trouble, keep, isDismissed }: Omit<Given, "trouble"> & {
    trouble?: Partial<Troubles>;
    keep?: Keep;
    isDismissed(): boolean;
  },
): { now(): void; end(): Promise<void> } {
  const kept = new WeakSet<Trouble>();
  let timer: Disposable | undefined;
  let work: Promise<void> | undefined;
  const stop = () => {
    timer?.[Symbol.dispose]();
    timer = undefined;
  };
  const queue = async () => {
    const lines = (trouble?.list?.() ?? []).filter((line) => !kept.has(line));
    if (isDismissed() || lines.length === 0) return;
    if (await lookAtConfig(context.locations.configFile) === "off") return;
    const isKept = await (keep ?? (await import("./drain.ts")).keepTrouble)(context, { smtpEnv, trouble: lines });
    if (isKept) { for (const line of lines) kept.add(line); }
  };
  const now = () => {
    if (work !== undefined) return;
    stop();
    // What fails here is tried again, and said, by the next delivery.
    work = queue().catch(() => {}).finally(() => work = undefined);
  };
  // While one is under way the timer goes on: what came meanwhile is for the next.
  trouble?.onNews?.(() => timer ??= context.terminal.every(KEEP_MS, now));
  return {
    now,
    async end() {
      stop();
      await work;
    },
  };
}
