import assert from "node:assert/strict";
import { defineStage, type StageRun } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { z } from "../../../core/options.ts";
import type { WriteContext } from "../../../core/ports.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";

const withBefore = (text: string) => BACKUP.replace("[[stage]]", `[[before]]\n${text}\n[[stage]]`);

function beforeStage(apply: StageRun["apply"]) {
  return defineStage({
    kind: "stage",
    name: "prepare",
    summary: "A stage of a test.",
    takes: "any",
    effect: "modify",
    resume: "redo",
    before: true,
    options: z.strictObject({}),
    example: "",
    open: (): StageRun => ({
      async *plan() {
        yield { kind: "todo", id: "step", summary: "a step", data: null };
      },
      apply,
    }),
  });
}

Deno.test("runBefore() tries again as the pipeline says, then the run goes on", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  let runs = 0;
  world.onExec = () => {
    if (++runs < 3) throw new PipelineError("hook/failed", `Cannot run "mount": it ended with 1`);
  };
  const hook =
    `use = "hook"\nwith = { argv = ["mount"] }\nretry = { attempts = 3, first = "1s", on = ["hook/failed"] }`;
  const report = await world.run({ pipeline: withBefore(hook) });
  assert.equal(report.exit_code, 0, JSON.stringify(report));
  assert.equal(runs, 3);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("runBefore() ends a stage when its time is over, and the run with it", async () => {
  const stage = beforeStage((_step, ctx) =>
    new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)))
  );
  await using world = await World.open({ plugins: [stage] });
  world.study("study1", { "a.txt": "alpha" });
  const report = await world.run({ pipeline: withBefore(`use = "prepare"\ntimeout = "5ms"`) });
  assert.equal(report.error?.code, "run/timeout");
  assert.equal(report.exit_code, 1);
  assert.deepEqual(report.items, []);
});

Deno.test("runBefore() says of every port that there is no item yet", async () => {
  const uses: ((ctx: WriteContext) => unknown)[] = [
    (ctx) => ctx.lock(),
    (ctx) => ctx.record("complete"),
    (ctx) => ctx.ledger(),
    (ctx) => ctx.place("truenas"),
    (ctx) => ctx.evidence.totals("source"),
    (ctx) => ctx.source.walk(),
    (ctx) => ctx.destroyBatches("source"),
    (ctx) => ctx.checkpoint(1),
    (ctx) => ctx.readCheckpoint(),
    (ctx) => ctx.finishDestroy({ place: "source", places: 1, recheck: "hash" }),
  ];
  for (const use of uses) {
    await using world = await World.open({ plugins: [beforeStage(async (_step, ctx) => void await use(ctx))] });
    world.study("study1", { "a.txt": "alpha" });
    const report = await world.run({ pipeline: withBefore(`use = "prepare"`) });
    assert.equal(report.error?.code, "before/no-item", String(use));
    assert.match(report.error?.message ?? "", /stands in \[\[before\]\]/);
    assert.equal(report.exit_code, 1);
  }
});

Deno.test("runBefore() waits for what a stage does not wait for, and fails with it", async () => {
  for (const outcome of ["well", "badly"]) {
    const events: string[] = [];
    await using world = await World.open({
      plugins: [beforeStage((_step, ctx) => Promise.resolve(void ctx.exec({ argv: ["mount"] } as never)))],
    });
    world.study("study1", { "a.txt": "alpha" });
    world.onExec = async () => {
      for (let turn = 0; turn < 3; turn++) await Deno.lstat(".");
      events.push("mounted");
      if (outcome === "badly") throw new PipelineError("hook/failed", `Cannot run "mount": it ended with 1`);
    };
    const report = await world.run({
      pipeline: withBefore(`use = "prepare"`),
      progress: { itemStarted: (name) => events.push(name) },
    });
    assert.deepEqual(events, outcome === "well" ? ["mounted", "study1"] : ["mounted"]);
    assert.equal(report.error?.code, outcome === "well" ? undefined : "hook/failed");
  }
});

Deno.test("runBefore() ends the run behind a stage that was left behind, also where that may fail", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.onExec = () => new Promise(() => {});
  const hook = `use = "hook"\nwith = { argv = ["mount"] }\ntimeout = "5ms"\non_error = "warn"`;
  const report = await world.run({ pipeline: withBefore(hook), deadlines: { leaveMs: 0 } });
  assert.deepEqual([report.exit_code, report.error?.code, report.items], [1, "run/timeout", []]);
});
