/** A terminal made of strings, and the whole command line run against it. */
import { main } from "../../cli/main.ts";
import { COMMANDS } from "../../cli/table.ts";
import type { CommandSpec } from "../../cli/command.ts";
import type { Terminal } from "../../cli/terminal.ts";

export interface FakeOptions {
  env?: Record<string, string>;
  cwd?: string;
  now?: number;
  columns?: number;
  errIsTerminal?: boolean;
  answer?: string;
  system?: "windows" | "posix";
  /** Ctrl+C was pressed before anything began. */
  interrupted?: boolean;
  /** Something went wrong outside of the command. */
  broken?: AbortSignal;
}

export interface FakeTerminal {
  terminal: Terminal;
  stdout(): string;
  stderr(): string;
  /** Presses Ctrl+C. */
  interrupt(): void;
  /** Lets every timer tick once. */
  tick(): void;
}

export function fakeTerminal(options: FakeOptions = {}): FakeTerminal {
  let out = "";
  let err = "";
  const stop = new AbortController();
  const abort = new AbortController();
  if (options.interrupted) stop.abort();
  const ticks = new Set<() => void>();
  return {
    stdout: () => out,
    stderr: () => err,
    interrupt() {
      if (stop.signal.aborted) abort.abort();
      else stop.abort();
    },
    tick() {
      for (const tick of ticks) tick();
    },
    terminal: {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      outIsTerminal: false,
      errIsTerminal: options.errIsTerminal ?? false,
      columns: () => options.columns ?? 100,
      env: options.env ?? {},
      system: options.system ?? (Deno.build.os === "windows" ? "windows" : "posix"),
      host: "testhost",
      cwd: options.cwd ?? Deno.cwd(),
      now: () => options.now ?? Date.parse("2025-06-15T12:00:00Z"),
      every(_ms, tick) {
        ticks.add(tick);
        return { [Symbol.dispose]: () => void ticks.delete(tick) };
      },
      broken: options.broken,
      failureEvent: {},
      interrupts: () => ({ stop: stop.signal, abort: abort.signal, [Symbol.dispose]() {} }),
      ask: () => options.answer ?? null,
      askSecret: () => Promise.resolve(options.answer ?? null),
    },
  };
}

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs one command line in this process. Without a home in `env`, nothing of the machine's own is read. */
export async function runCli(
  argv: readonly string[],
  options: FakeOptions & { commands?: readonly CommandSpec[] } = {},
): Promise<CliResult> {
  const fake = fakeTerminal({ env: { HOME: "/nowhere" }, ...options });
  const code = await main(argv, fake.terminal, { commands: options.commands ?? COMMANDS });
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}
