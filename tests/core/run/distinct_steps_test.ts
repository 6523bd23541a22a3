import assert from "node:assert/strict";
import type { Plan } from "../../../core/contract.ts";
import { distinctSteps, SeenIds } from "../../../core/run/distinct_steps.ts";
import { defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import { event, eventStage, listSource } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

const todo = (id: string): Plan => ({ kind: "todo", id, summary: id, data: null });

async function* of(...plans: Plan[]): AsyncGenerator<Plan> {
  yield* plans;
}

Deno.test("distinctSteps() passes plans on up to a second step of an id, and names the stage, its file and the id", async () => {
  const plans = [todo("a"), { kind: "skip", why: "no" }, { kind: "skip", why: "no" }, todo("b")] as Plan[];
  assert.deepEqual(await Array.fromAsync(distinctSteps(of(...plans), { id: "own" })), plans);
  await assert.rejects(Array.fromAsync(distinctSteps(of(todo("a"), todo("b"), todo("a")), { id: "own" })), {
    code: "stage/step-twice",
    message: 'Cannot run stage "own": its plan has two steps with the id "a", wanted one of its own for each',
  });
  const external = { file: "/lab/own.ts", sha256: "0", pinned: false };
  const long = "x".repeat(1_000_000);
  await assert.rejects(Array.fromAsync(distinctSteps(of(todo(long), todo(long)), { id: "own", external })), {
    message: /^Cannot run stage "own" of "\/lab\/own\.ts": .* "x{80}…", wanted/,
  });
});

Deno.test("SeenIds.add() tells new ids from old ones, also of very many that differ little", () => {
  const seen = new SeenIds();
  for (let at = 0; at < 200_000; at++) {
    assert.ok(seen.add(`step ${at}`), `${at} is new`);
    assert.ok(seen.add(`${at}`), `${at} is new`);
  }
  for (let at = 0; at < 200_000; at += 1_000) assert.equal(seen.add(`step ${at}`), false);
  assert.deepEqual([seen.add(""), seen.add(""), seen.add("\0"), seen.add("\0\0")], [true, false, true, true]);
});

Deno.test("a stage whose plan has one id twice fails its item, of studies and of events, and does no second step", async () => {
  const applied: string[] = [];
  const plugin = defineStage({
    kind: "stage",
    name: "own",
    summary: "Plans badly.",
    takes: "tree",
    effect: "create",
    resume: "skip-finished",
    options: z.strictObject({}),
    example: "",
    open: () => ({
      plan: () => of({ ...todo("a"), summary: "one" } as Plan, { ...todo("a"), summary: "two" } as Plan),
      apply: (step) => Promise.resolve(void applied.push(step.summary)),
    }),
  });
  const told = eventStage("told", { plan: () => of(todo("a"), todo("a")) }, { resume: "skip-finished" });
  await using world = await World.open({ plugins: [plugin, told, listSource([event("e")]).plugin] });
  world.study("study1", { "a.txt": "alpha" });
  const source = '[source]\nuse = "idle-folders"\nwith = { root = "${paths.source_root}", idle = "1d" }\n';
  for (const head of [`${source}[[stage]]\nuse = "own"\n`, '[source]\nuse = "list"\n[[stage]]\nuse = "told"\n']) {
    const { items } = await world.run({ pipeline: `name = "p"\n${head}` });
    assert.deepEqual(items.map(({ outcome, error }) => [outcome, error?.code]), [["failed", "stage/step-twice"]]);
  }
  assert.deepEqual(applied, ["one"]);
});
