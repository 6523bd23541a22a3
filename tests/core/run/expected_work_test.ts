import assert from "node:assert/strict";
import type { World } from "../../../testing/world.ts";
import { assertDone, assertFailed, runAndAfter, worldWith } from "../../kit/rules.ts";
import { failure } from "../../../testing/memory_object_store.ts";

/** Runs and returns what each stage was said to have before it. */
async function expectedIn(world: World, force?: string) {
  const expected: Record<string, unknown> = {};
  assertDone(await world.run({ force, progress: { stageStarted: (_item, stage, work) => expected[stage] = work } }));
  return expected;
}

const ALL = { files: 3, bytes: 14 };
const NONE = { files: 0, bytes: 0 };

Deno.test("runItem() tells progress what each stage that moves bytes has before it", async () => {
  await using world = await worldWith();
  const { truenas, verify, s3, ...others } = await expectedIn(world);
  assert.deepEqual({ truenas, verify, s3 }, { truenas: ALL, verify: ALL, s3: ALL });
  assert.ok(Object.keys(others).length > 0);
  assert.ok(Object.values(others).every((work) => work === undefined), JSON.stringify(others));
});

Deno.test("runItem() leaves out what is held already, unless the stage is to repeat it", async () => {
  for (const force of [undefined, "truenas"]) {
    await using world = await worldWith();
    const away = { before: () => Promise.reject(failure("unreachable")) };
    assertFailed(await runAndAfter(world, "verify", () => world.store.hooks = away), "s3/unreachable");
    world.store.hooks = {};
    world.clock.time += 3_600_000;
    const { truenas, s3 } = await expectedIn(world, force);
    assert.deepEqual({ truenas, s3 }, { truenas: force ? ALL : NONE, s3: ALL });
  }
});
