import assert from "node:assert/strict";
import { copy } from "../../stages/copy.ts";
import { stepper } from "../../testing/crash.ts";
import { NAS_ROOT, World } from "../../testing/world.ts";

const COPY = (to: string) =>
  `name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "\${paths.source_root}", idle = "1d" }\n` +
  `[[stage]]\nuse = "copy"\nwith = { to = "${to}" }\n`;

Deno.test("World.open() makes and marks further places, each on a device of its own", async () => {
  await using world = await World.open({ places: ["/web/previews"] });
  world.study("study1", { "a.txt": "alpha" });
  assert.equal((await world.run({ pipeline: COPY("/web/previews") })).exit_code, 0);
  assert.deepEqual(world.files("/web/previews"), { "study1/a.txt": "alpha" });
  world.fs.unmount("/web/previews");
  const { exit_code, error } = await world.run({ pipeline: COPY("/web/previews") });
  assert.deepEqual([exit_code, error?.code], [2, "place/not-marked"]);
});

Deno.test("World.open() lets a plugin stand in the place of a shipped one", async () => {
  let opened = 0;
  const own = {
    ...copy,
    open: (...given: Parameters<typeof copy.open>) => {
      opened++;
      return copy.open(...given);
    },
  };
  await using world = await World.open({ plugins: [own] });
  world.study("study1", { "a.txt": "alpha" });
  assert.equal((await world.run({ pipeline: COPY(NAS_ROOT) })).exit_code, 0);
  assert.equal(opened, 1);
});

Deno.test("stepper() can stop the machine before a program and behind it", async () => {
  for (const [word, started] of [["before", 0], ["after", 1]] as const) {
    let programs = 0;
    const hook = COPY(NAS_ROOT).replace('use = "copy"', 'use = "hook"').replace(
      /with = \{ to.*/,
      'with = { argv = ["x"] }',
    );
    await using world = await World.open();
    world.study("study1", { "a.txt": "alpha" });
    world.onExec = () => void programs++;
    let crashAt = 0;
    for (let at = 1; crashAt === 0; at++) {
      await using trial = await World.open();
      trial.study("study1", { "a.txt": "alpha" });
      const machine = stepper(trial, { crashAt: at });
      await trial.run({ pipeline: hook, wrap: machine.wrap });
      if (machine.last === `${word} exec x`) crashAt = at;
    }
    const machine = stepper(world, { crashAt });
    await world.run({ pipeline: hook, wrap: machine.wrap });
    assert.deepEqual([machine.dead, programs], [true, started], word);
  }
});
