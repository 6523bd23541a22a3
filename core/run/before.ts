/** What stands before the items: the context of a run, and the stages of `[[before]]`. @module */
import type { Item } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";
import type { RunContext } from "../ports.ts";
import { beforeContext } from "./before_context.ts";
import { deadlinesOf } from "./deadlines.ts";
import { type Acts, Lease } from "./lease.ts";
import { disposeOf, disposeWith, untilLeft } from "./left_behind.ts";
import type { EngineServices, RunRequest } from "./services.ts";
import { runStage } from "./stage_run.ts";
import { frozenItem, runView } from "./views.ts";

type BeforeRequest =
  & Pick<RunRequest, "compiled" | "config" | "dryRun" | "abort" | "deadlines">
  & Partial<Pick<RunRequest, "stop">>;

/** What every plugin is told of the run; nothing of it is the engine's own. */
export function runContext(request: BeforeRequest, services: EngineServices, runId: string): RunContext {
  return runView({
    runId,
    pipeline: request.compiled.name,
    dryRun: request.dryRun,
    host: services.host,
    config: request.config,
    configFile: request.compiled.config.file,
    signal: request.abort,
    log: services.log,
    clock: services.clock,
    standard: (name) => services.registry.get("standard", name),
  });
}

/** Stages of `[[before]]`: once per run, before paths are checked, since they may mount them. */
export async function runBefore(request: BeforeRequest, services: EngineServices, context: RunContext): Promise<void> {
  const deadlines = deadlinesOf(request);
  const item: Item = frozenItem({ id: "run", name: request.compiled.name, kind: "event", data: {} });
  for (const stage of request.compiled.before) {
    using lease = new Lease(stage.id, {
      abort: request.abort,
      timeoutMs: stage.timeoutMs,
      leaveMs: deadlines.leaveMs,
      log: services.log,
    });
    const disposing = { log: services.log, deadlines, isHurried: () => request.abort.aborted };
    await using opened = new AsyncDisposableStack();
    const make = (signal: AbortSignal, acts?: Acts) =>
      beforeContext(services, { run: context, item, stage: stage.id, signal, acts });
    try {
      await runStage({
        plugin: stage.plugin,
        lease,
        open: async () => {
          const run = await stage.plugin.open(stage.options, context);
          const dispose = () => disposeOf(`stage "${stage.id}"`, run, disposing);
          await disposeWith(opened, dispose);
          return {
            plan: (signal) => run.plan(item, make(signal)),
            begin: (step, acts) => ({ apply: () => run.apply(step, untilLeft(make(acts.signal, acts), acts.left)) }),
          };
        },
        dryRun: false,
        parallel: 1,
        retry: stage.retry,
        stop: request.stop ?? request.abort,
        clock: services.clock,
        log: services.log,
        isFinished: () => Promise.resolve(false),
        finished: () => Promise.resolve(),
        onPlan: () => {},
      }, { applied: 0, skipped: 0, files: 0, bytes: 0 });
    } catch (error) {
      const known = asKnownError(error, `run "${stage.id}" before the run`);
      // What was left behind may still be at work: nothing must run beside it, no lock be taken and no place looked at.
      if (stage.onError === "warn" && !lease.isLeft) services.log.warn(known.message);
      else {throw new PipelineError(known.code, known.message, {
          cause: known,
          hint: known.hint,
          stopsRun: known.stopsRun ?? 1,
        });}
    }
  }
}
