/** Nothing a plugin is given is the engine's own: whatever is done to it, the engine goes on as if it had not been. */
import assert from "node:assert/strict";
import { type AnySource, type AnyStage, defineStage, type Item, type StageRun } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { z } from "../../../core/options.ts";
import type { SourceContext } from "../../../core/ports.ts";
import { failureView } from "../../../core/run/views.ts";
import { idleFolders } from "../../../plugins/sources/idle_folders.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";

/** Overwrites all that can be reached from a value, and says what took it; what throws is as it should be. */
function vandalise(value: unknown, path: string, took: string[], seen = new Set<unknown>()): void {
  if ((typeof value !== "object" || value === null) || seen.has(value) || value instanceof AbortSignal) return;
  seen.add(value);
  for (const key of Object.keys(value)) {
    const held = (value as Record<string, unknown>)[key];
    vandalise(held, `${path}.${key}`, took, seen);
    try {
      (value as Record<string, unknown>)[key] = typeof held === "function" ? () => 0 : "/home/docs";
      took.push(`${path}.${key}`);
    } catch (error) {
      assert.ok(error instanceof TypeError, String(error));
    }
  }
  try {
    (value as Record<string, unknown>).more = 1;
    took.push(`${path}.more`);
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error));
  }
}

function vandal(took: string[]): AnyStage {
  return defineStage({
    kind: "stage",
    name: "vandal",
    summary: "Changes all it is given.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open(_options, run): StageRun {
      vandalise(run, "open.run", took);
      vandalise(run.standard("phenocycler"), "standard", took);
      return {
        async *plan(item, ctx) {
          vandalise(item, "plan.item", took);
          vandalise(ctx, "plan.ctx", took);
          for (const key of ["aborted", "throwIfAborted"]) {
            assert.throws(() => Object.defineProperty(ctx.signal, key, { value: () => {} }), TypeError);
          }
          vandalise(await ctx.ledger(), "plan.ledger", took);
          yield { kind: "todo", id: "x", summary: "x", data: null };
        },
        async apply(_step, ctx) {
          vandalise(ctx, "apply.ctx", took);
          assert.throws(() => Object.defineProperty(ctx.signal, "aborted", { value: true }), TypeError);
          vandalise(await ctx.ledger(), "apply.ledger", took);
        },
      };
    },
  } as AnyStage);
}

/** The shipped source, which changes what it is given, too. */
function vandalSource(took: string[]): AnySource {
  return {
    ...idleFolders,
    name: "vandal-folders",
    async open(options, run) {
      vandalise(run, "source.run", took);
      const opened = await idleFolders.open(options, run);
      return {
        async *items(ctx: SourceContext) {
          for await (const folder of ctx.folders()) folder.path = "/home/docs";
          for (const key of ["log", "clock", "run"] as const) vandalise(ctx[key], `items.${key}`, took);
          yield* opened.items(ctx);
        },
        ack(_item: Item, _outcome, ctx) {
          for (const key of ["log", "clock", "run"] as const) vandalise(ctx[key], `ack.${key}`, took);
          return Promise.resolve();
        },
      };
    },
  } as AnySource;
}

Deno.test("S3 nothing of what plugins are given can be changed, and the engine works on as ever", async () => {
  const took: string[] = [];
  await using world = await World.open({ plugins: [vandal(took), vandalSource(took)] });
  world.study("study1", { "a.txt": "alpha" });
  const watched = BACKUP.replace('"idle-folders"', '"vandal-folders"').replace(
    /\[\[stage\]\]\nuse\s*= "copy"/,
    (copy) => `[[stage]]\nuse = "vandal"\n${copy}`,
  );
  assert.match(watched, /vandal-folders[\s\S]*"vandal"/);
  const report = await world.run({ pipeline: watched });
  assert.deepEqual(took, []);
  assert.deepEqual([report.exit_code, report.items.map(({ name, outcome }) => `${name} ${outcome}`)], [0, [
    "study1 done",
  ]], JSON.stringify(report.error ?? report.items));
  const record = (await world.ledger()).get("study1")!;
  assert.equal(record.source_path, `${SOURCE_ROOT}/study1`);
  assert.notEqual(record.source_deleted_at, null);
});

Deno.test("failureView() is a copy that cannot be changed", () => {
  const error = new PipelineError("a/b", `Cannot do "it": a test`, { stopsRun: 1, hint: "None.", findings: [] });
  const view = failureView({ stage: "s", use: "s", error, status: "failed" })!;
  const took: string[] = [];
  vandalise(view, "failure", took);
  assert.deepEqual(took, []);
  assert.notEqual(view.error, error);
  assert.deepEqual([view.error.code, view.error.stopsRun, view.error.hint], ["a/b", 1, "None."]);
  assert.equal(failureView(undefined), undefined);
});

Deno.test("failureView() keeps the class of the error, and where it came from", () => {
  class OwnError extends PipelineError {}
  const error = new OwnError("a/b", `Cannot do "it": a test`);
  const view = failureView({ stage: "s", use: "s", error, status: "failed" })!;
  assert.ok(view.error instanceof OwnError);
  assert.equal(view.error.stack, error.stack);
});
