import assert from "node:assert/strict";
import { repeatKey } from "../../stages/drop_repeats.ts";
import { append, LOG, logWorld, monitor, raised, wait } from "../kit/log_world.ts";
import type { World } from "../../testing/world.ts";

const DAY = 86_400_000;
const error = (what: string, day = 2) => `2026-01-0${day} 03:04:05 ERROR ${what}\n`;
const messages = async (world: World) => (await raised(world)).map(({ message }) => message);

Deno.test("repeatKey() leaves timestamps out and looks at the first characters only", () => {
  const key = (text: string, chars = 200) => repeatKey(text, chars);
  assert.equal(key("2026-01-02 03:04:05.678 ERROR a\n  at b"), key("[2027-11-30T13:14:15Z] ERROR a\n\tat b"));
  assert.notEqual(key("2026-01-02 03:04:05 ERROR a"), key("2026-01-02 03:04:05 ERROR b"));
  assert.equal(key(`ERROR ${"a".repeat(194)}x`), key(`ERROR ${"a".repeat(194)}y`));
  assert.notEqual(key(`ERROR ${"a".repeat(193)}x`), key(`ERROR ${"a".repeat(193)}y`));
  assert.equal(key("😀😀😀", 2), key("😀😀x", 2));
});

Deno.test("drop-repeats lets an error pass once in sent_keep_days, from when it was first told", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  const later = (days: number) => () => {
    world.clock.time += days * DAY;
    return append(world, error("same", 3));
  };
  await monitor(world, [() => append(world, error("same").repeat(3)), ...wait(3), later(20), ...wait(3)]);
  assert.deepEqual((await raised(world)).map(({ message, repeats }) => [message, repeats]), [["ERROR same", 1]]);
  await monitor(world, [later(9), ...wait(3), later(2), ...wait(3)]);
  assert.equal((await messages(world)).length, 2, "30 days after the first");
});

Deno.test("S13 drop-repeats is not silenced by a clock that was ahead", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  world.clock.time += 400 * DAY;
  await monitor(world, [() => append(world, error("same")), ...wait(3)]);
  world.clock.time -= 400 * DAY;
  await monitor(world, [
    ...wait(1),
    () => append(world, error("same")),
    ...wait(3),
    () => append(world, error("same")),
    ...wait(3),
  ]);
  assert.equal((await messages(world)).length, 2);
});
