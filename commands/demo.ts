/** `demo`: the whole job on made-up studies, in a scratch folder. @module */
import { join, resolve } from "@std/path";
import type { Arguments, Command, CommandContext, Globals } from "../cli/command.ts";
import { interruption } from "../cli/interruption.ts";
import { PipelineError } from "../core/errors.ts";
import type { RunReport } from "../core/run/report.ts";
import { tour } from "../demo/tour.ts";
import type { CommandOptions, Ended, TourOptions } from "../demo/tour/lab.ts";

export const run: Command = (args, context) => runDemo(args, context);

/** Shows the tour; 1 when anything was not as it should be. `show` is for tests. */
export async function runDemo(
  args: Arguments,
  context: CommandContext,
  { show = tour }: { show?: (options: TourOptions) => Promise<string[]> } = {},
): Promise<number> {
  const { terminal } = context;
  const keep = args.value("keep");
  const folder = keep === undefined
    ? await Deno.makeTempDir({ prefix: "labferry-demo-" })
    : await emptyFolder(resolve(terminal.cwd, keep));
  try {
    const wrong = await tourIn(folder, { context, show });
    if (keep !== undefined) terminal.out(`\nEverything is kept in ${folder}, the mails in its folder mails\n`);
    if (wrong.length === 0) {
      terminal.out(
        "\nThe demo went as it should: four studies archived and freed, one refused, one left alone; a full NAS freed of " +
          "what S3 holds; an error of the instrument told once.\n",
      );
      return 0;
    }
    for (const line of wrong) terminal.err(`not as it should be: ${line}\n`);
    return 1;
  } finally {
    if (keep === undefined) await Deno.remove(folder, { recursive: true });
  }
}

async function tourIn(
  folder: string,
  { context, show }: { context: CommandContext; show: (options: TourOptions) => Promise<string[]> },
): Promise<string[]> {
  const { terminal } = context;
  using interrupts = terminal.interrupts();
  return await show({
    folder,
    now: terminal.now(),
    say: (text) => terminal.out(text),
    labferry: (argv, options) => runInner(argv, { folder, context, options }),
    useKeys: ({ accessKey, secretKey }) =>
      setEnvironment({
        AWS_ACCESS_KEY_ID: accessKey,
        AWS_SECRET_ACCESS_KEY: secretKey,
        AWS_SESSION_TOKEN: undefined,
        AWS_PROFILE: undefined,
      }),
    signal: interrupts.stop,
  });
}

/** Runs a command as one that was typed; it sees nothing of this process's environment. */
async function runInner(
  argv: readonly string[],
  { folder, context, options = {} }: { folder: string; context: CommandContext; options?: CommandOptions },
): Promise<Ended> {
  const { terminal, globals } = context;
  const { openDisk, onOut, stop, pace = 1 } = options;
  let report: RunReport | undefined;
  const code = await context.inner([...flagsOf(globals), ...argv], {
    openDisk,
    onReport: (given) => void (report = given),
    terminal: {
      env: { LABFERRY_CONFIG: join(folder, "config.toml"), LABFERRY_STATE_DIR: join(folder, "state") },
      out(text) {
        terminal.out(text);
        onOut?.(text);
      },
      every: (ms, tick) => terminal.every(ms / pace, tick),
      interrupts() {
        const outer = terminal.interrupts();
        if (stop === undefined) return outer;
        const stopped = new AbortController();
        const onStop = () => stopped.abort(interruption());
        stop.addEventListener("abort", onStop, { once: true });
        return {
          stop: AbortSignal.any([outer.stop, stopped.signal]),
          abort: outer.abort,
          [Symbol.dispose]() {
            stop.removeEventListener("abort", onStop);
            outer[Symbol.dispose]();
          },
        };
      },
    },
  });
  return { code, report };
}

/** The flags that hold for everything the demo shows. */
function flagsOf({ verbose, quiet, logFormat }: Globals): string[] {
  return [...verbose ? ["--verbose"] : [], ...quiet ? ["--quiet"] : [], "--log-format", logFormat];
}

/** Sets variables of this process, or takes them away, until it is disposed. */
function setEnvironment(values: Readonly<Record<string, string | undefined>>): Disposable {
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  const set = ([name, value]: readonly [string, string | undefined]) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  Object.entries(values).forEach(set);
  return { [Symbol.dispose]: () => before.forEach(set) };
}

/** The demo never mixes with what is there. */
async function emptyFolder(path: string): Promise<string> {
  await Deno.mkdir(path, { recursive: true }).catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError("demo/no-folder", `Cannot work in "${path}": ${reason}`, {
      cause,
      stopsRun: 2,
      hint: "Name a folder that can be made and written to.",
    });
  });
  for await (const entry of Deno.readDir(path)) {
    throw new PipelineError(
      "demo/not-empty",
      `Cannot work in "${path}": "${entry.name}" is in it, wanted an empty folder`,
      {
        stopsRun: 2,
        hint: "Name a folder that does not exist yet.",
      },
    );
  }
  return path;
}
