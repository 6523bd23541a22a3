import assert from "node:assert/strict";
import { lab } from "./_lab.ts";

Deno.test("graph prints a flowchart, also of a pipeline that lint refuses; one that does not compile exits 2", async () => {
  await using place = await lab();
  const { code, stdout, stderr } = await place.cli(["graph", "local"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.match(stdout, /^flowchart TB\n[^]*== "writes" ==> place_truenas\n/);
  const head = `name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "instrument" }\n`;
  await place.pipeline("unsafe", `${head}[[stage]]\nuse = "delete"\n`);
  const unsafe = await place.cli(["graph", "unsafe"]);
  assert.deepEqual([unsafe.code, /"removes" ==> source/.test(unsafe.stdout)], [0, true]);
  assert.match(unsafe.stdout, /^%% Lint refuses this pipeline, it cannot run: safety\/\S+.*\nflowchart TB\n/);
  assert.match(unsafe.stderr, /unsafe\.toml:\d+:\d+: error\b[^]*safety\//);
  await place.pipeline("broken", `${head}[[stage]]\nuse = "delet"\n`);
  const broken = await place.cli(["graph", "broken"]);
  assert.deepEqual([broken.code, broken.stdout], [2, ""]);
  assert.match(broken.stderr, /did you mean "delete"/);
});
