/** Stage `hook`: runs a program of the operator, once before the run or inside an item. @module */
import { defineStage } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { argv, duration, z } from "../core/options.ts";
import type { RunContext } from "../core/ports.ts";

export const hook = defineStage({
  kind: "stage",
  name: "hook",
  summary: "Runs a program by its argument list, without a shell; a non-zero exit fails the run or the item.",
  takes: "any",
  effect: "modify",
  resume: "redo",
  before: true,
  onItemFailed: true,
  options: z.strictObject({
    argv: argv().default([]).meta({
      description: "Program and arguments; empty means there is nothing to run.",
      example: ["powershell.exe", "-NoProfile", "-File", "C:/labferry/mount-truenas.ps1"],
    }),
    timeout: duration().prefault("10min").meta({ description: "How long the program may run.", unit: "ms" }),
    on_error: z.enum(["fail", "warn"]).default("fail").meta({
      description: "Whether a failure of the program fails the item or is a warning.",
    }),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "wanted 64 lower-case hex digits").optional().meta({
      description: "SHA-256 of the program, named by its absolute path; with it, `touches` is believed.",
    }),
    pins: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, "wanted 64 lower-case hex digits")).default({}).meta({
      description: "SHA-256 of further files among the arguments, by absolute path: a script, its settings.",
    }),
    touches: z.array(z.string()).optional().meta({
      description: "Places the pinned program may write to (`source` or ids of stages). Without a pin: everything.",
      example: [],
    }),
  }),
  example: `[[before]]\nuse  = "hook"\nwith = { argv = "\${hooks.backup}" }\n`,
  facts(options) {
    if (options.argv.length === 0) return {};
    if (options.sha256 === undefined || options.touches === undefined) return { kills: "everything" };
    return {
      kills: options.touches.map((place) => place === "source" ? { fact: "hashed" } : { fact: "written", place }),
    };
  },
  open(options, run) {
    return {
      async *plan() {
        if (options.argv.length === 0) yield { kind: "skip", why: "no program is configured" };
        else yield { kind: "todo", id: "run", summary: `run ${options.argv[0]}`, data: null };
      },
      async apply(_step, ctx) {
        try {
          await ctx.exec({ argv: options.argv, timeoutMs: options.timeout, pins: pinsOf(options) });
        } catch (error) {
          if (options.on_error === "fail" || ctx.signal.aborted) throw withHint(error, keyOf(options.argv, run));
          ctx.log.warn(error instanceof Error ? error.message : String(error));
        }
      },
    };
  },
});

/** The key of the config that names the program: `[hooks] backup`. Undefined when the pipeline names it itself. */
function keyOf(argv: readonly string[], { config, pipeline }: RunContext): string | undefined {
  const hooks = Object.entries(config.hooks ?? {}).filter(([, named]) =>
    JSON.stringify(named) === JSON.stringify(argv)
  );
  const [key] = hooks.find(([name]) => name === pipeline) ?? hooks[0] ?? [];
  return key === undefined ? undefined : `[hooks] ${key}`;
}

/** What to do about a program that failed: only the operator knows the program. */
function withHint(error: unknown, key: string | undefined): unknown {
  if (!(error instanceof PipelineError)) return error;
  const { code, cause, retry, stopsRun, findings } = error;
  const message = key === undefined ? error.message : error.message.replace(/^Cannot run /, `Cannot run ${key}, `);
  const where = key === undefined ? "" : ` The program is named by ${key} in the config: correct it there.`;
  const anyway = `${where} To go on in spite of it, give the hook on_error = "warn" in its pipeline` +
    `${key === undefined ? "" : ", a copy of the preset in pipelines/"}.`;
  const hint = error.hint !== undefined
    ? `${error.hint}.${where}`.replace("..", ".")
    : code === "hook/timeout"
    ? `Find out what it waits for (its output is in the log), or give it more time: with = { timeout = … }.${where}`
    : `Its output is in the log. Run it by hand under the account of labferry to see what is wrong.${anyway}`;
  return new PipelineError(code, message, { cause, retry, stopsRun, findings, hint });
}

function pinsOf(
  { argv, sha256, pins }: { argv: readonly string[]; sha256?: string; pins: Record<string, string> },
): Record<string, string> | undefined {
  return sha256 === undefined ? undefined : { ...pins, [argv[0]]: sha256 };
}
