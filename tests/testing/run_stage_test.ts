import assert from "node:assert/strict";
import type { AnyStage } from "../../core/contract.ts";
import { pluginApi, type StageFactory } from "../../core/plugin_api.ts";
import { copy } from "../../stages/copy.ts";
import { event, eventStage } from "../../testing/event_plugins.ts";
import { runStage } from "../../testing/run_stage.ts";
import { STUDY } from "../../testing/stage_setting.ts";
import { NAS_ROOT } from "../../testing/world.ts";

const TO_NAS = { options: { to: "${paths.truenas_root}" }, files: { "a.txt": "alpha", "b/c.txt": "gamma" } };

Deno.test("runStage() says what a stage did, and what it left", async () => {
  const { outcome, applied, skipped, evidence, stage, world, log } = await runStage(copy, TO_NAS);
  assert.deepEqual([outcome, applied, skipped], ["done", ["copy 2 files from a.txt to subject"], []]);
  assert.deepEqual([stage.files, stage.bytes], [2, 10]);
  assert.deepEqual(evidence.map(({ place, path }) => `${place} ${path}`), [
    "source a.txt",
    "source b/c.txt",
    "subject a.txt",
    "subject b/c.txt",
  ]);
  assert.deepEqual(world.files(NAS_ROOT), { [`${STUDY}/a.txt`]: "alpha", [`${STUDY}/b/c.txt`]: "gamma" });
  assert.deepEqual(log.filter(({ level }) => level === "error"), []);
});

Deno.test("runStage() in the world of a result is a second run", async () => {
  const { world } = await runStage(copy, TO_NAS);
  const { outcome, skipped } = await runStage(copy, { ...TO_NAS, world });
  assert.equal(outcome, "skipped");
  assert.match(skipped[0], /already at subject/);
  await assert.rejects(runStage(eventStage("other", {}), { world }), /the world is that of another stage/);
});

Deno.test("runStage() of a dry run plans and changes nothing", async () => {
  const { planned, applied, world } = await runStage(copy, { ...TO_NAS, dryRun: true });
  assert.deepEqual(planned.map(({ kind }) => kind), ["todo"]);
  assert.deepEqual([applied, world.files(NAS_ROOT)], [[], {}]);
});

Deno.test("runStage() gives the words of the error of a stage that fails, and of lint where it refuses", async () => {
  const stage = eventStage("fails", { apply: () => Promise.reject(new Error("no room")) });
  const { outcome, error, applied } = await runStage(stage);
  assert.deepEqual([outcome, error?.code, applied], ["failed", "plugins/stage-failed", []]);
  assert.match(error?.message ?? "", /no room/);
  await assert.rejects(runStage(copy, { options: { too: "/x" } }), /lint refuses: .*key "too" of stage "subject"/);
});

Deno.test("runStage() gives a stage of events its events, and what they carry behind it", async () => {
  const events = [event("a", { n: 1 }), event("b", { n: 2 })];
  const add = eventStage("add", {
    apply: (_step, ctx) => Promise.resolve(ctx.amend({ twice: 2 * (ctx.item.data.n as number) })),
  });
  const { data, world } = await runStage(add, { events });
  assert.deepEqual(data, [{ n: 1, twice: 2 }, { n: 2, twice: 4 }]);
  assert.deepEqual((await runStage(add, { events, world })).data, data, "events are made anew for each run");
});

Deno.test("runStage() runs a stage made by a plugin file", async () => {
  const factory: StageFactory = ({ defineStage, z }) =>
    defineStage({
      kind: "stage",
      name: "start",
      summary: "Starts a program.",
      takes: "tree",
      effect: "create",
      resume: "redo",
      options: z.strictObject({ program: z.string().meta({ description: "The program." }) }),
      example: `[[stage]]\nuse = "start"\nwith = { program = "pack" }\n`,
      open: ({ program }) => ({
        async *plan(item) {
          yield { kind: "todo", id: "start", summary: `start ${program}`, data: item.root ?? "" };
        },
        apply: (step, ctx) => ctx.exec({ argv: [program, step.data] }),
      }),
    });
  const started: (readonly string[])[] = [];
  await runStage(factory(pluginApi), { options: { program: "pack" }, exec: (argv) => void started.push(argv) });
  assert.deepEqual(started, [["pack", `/instrument/studies/${STUDY}`]]);
});

Deno.test("runStage() refuses what is no stage, and ends one that waits for what never comes, in words", async () => {
  const hangs = eventStage("hangs", { apply: () => new Promise(() => {}) });
  await assert.rejects(runStage(hangs, { deadlineMs: 20 }), /stage "hangs" has not ended within 20 ms/);
  const none = { ...hangs, options: undefined } as unknown as AnyStage;
  await assert.rejects(runStage(none), {
    message: /^Cannot test stage "hangs": "options": found nothing, wanted an object schema/,
  });
});
