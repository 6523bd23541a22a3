/** Stage `hook`: runs a program of the operator, once before the run or inside an item. @module */
import { defineStage } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { argv, duration, z } from "../core/options.ts";

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
  open(options) {
    return {
      async *plan() {
        if (options.argv.length === 0) yield { kind: "skip", why: "no program is configured" };
        else yield { kind: "todo", id: "run", summary: `run ${options.argv[0]}`, data: null };
      },
      async apply(_step, ctx) {
        try {
          await ctx.exec({ argv: options.argv, timeoutMs: options.timeout, pins: pinsOf(options) });
        } catch (error) {
          if (options.on_error === "fail" || ctx.signal.aborted) throw withHint(error);
          ctx.log.warn(error instanceof Error ? error.message : String(error));
        }
      },
    };
  },
});

/** What to do about a program that failed: only the operator knows the program. */
function withHint(error: unknown): unknown {
  if (!(error instanceof PipelineError) || error.hint !== undefined) return error;
  const hint = error.code === "hook/timeout"
    ? "Find out what it waits for (its output is in the log), or give it more time: with = { timeout = … }"
    : "Its output is in the log. Run it by hand under the account of labferry to see what is wrong; " +
      'with = { on_error = "warn" } goes on in spite of it';
  const { code, message, cause, retry, stopsRun, findings } = error;
  return new PipelineError(code, message, { cause, retry, stopsRun, findings, hint });
}

function pinsOf(
  { argv, sha256, pins }: { argv: readonly string[]; sha256?: string; pins: Record<string, string> },
): Record<string, string> | undefined {
  return sha256 === undefined ? undefined : { ...pins, [argv[0]]: sha256 };
}
