import assert from "node:assert/strict";
import { factsOf } from "../../cli/plugin_facts.ts";
import { stages } from "../../stages/mod.ts";
import { lab } from "./_lab.ts";

Deno.test("show describes every plugin with its options", async () => {
  await using place = await lab();
  const all = JSON.parse((await place.cli(["list", "--json"])).stdout) as Record<string, { name: string }[]>;
  for (const { name } of Object.values(all).flat()) {
    const { code, stdout } = await place.cli(["show", name]);
    assert.equal(code, 0, name);
    assert.ok(stdout.includes(name));
    assert.ok(Array.isArray(JSON.parse((await place.cli(["show", name, "--json"])).stdout)));
  }
  const idle = await place.cli(["show", "idle-folders"]);
  assert.match(idle.stdout, / {2}option {2}type +default +unit +what it is\n/);
  assert.match(idle.stdout, / {2}idle {4}duration {2}"14d" +ms s min h d w {2}\S/);
  const health = await place.cli(["show", "health"]);
  assert.match(health.stdout, /mtime_gap_days {2}number +14 +days {2}\S/);
  const bad = await place.cli(["show", "idle-folder"]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /did you mean "idle-folders"/);
});

Deno.test("show says what a stage needs, gives and takes away", async () => {
  await using place = await lab();
  const lines = async (name: string) => (await place.cli(["show", name])).stdout.split("\n");
  const copy = await lines("copy");
  for (
    const line of [
      "stands in   [[stage]]",
      "effect      create: it adds, and changes nothing that is there",
      "needs       nothing",
      `gives       hashed; written at "truenas"`,
      "takes away  nothing",
    ]
  ) assert.ok(copy.includes(line), line);
  assert.ok((await lines("verify")).includes(`gives       proved at "truenas"`));
  assert.ok(
    (await lines("delete")).some((line) => /^needs .* recorded, and each file proved at 2 other places$/.test(line)),
  );
  assert.ok((await lines("hook")).includes("takes away  everything: it may change any byte"));
  assert.ok((await lines("hook")).includes("stands in   [[stage]], [[before]], [[on_item_failed]]"));
  assert.ok((await lines("lock")).includes("It takes no options."));
  const [record] = JSON.parse((await place.cli(["show", "manifest-append", "--json"])).stdout);
  assert.deepEqual(record.facts, {
    needs: [],
    gives: [{ fact: "recorded" }],
    kills: [],
    needs_all_proved: true,
    destroys: null,
  });
  assert.equal(record.on_item_failed, true);
});

Deno.test("show knows the facts of every stage there is", () => {
  for (const stage of stages) assert.ok(factsOf(stage), stage.name);
});

Deno.test("show prints a pipeline that can be saved and run as it is", async () => {
  await using place = await lab();
  const { stdout } = await place.cli(["show", "notify"]);
  await place.pipeline("notify", stdout);
  const { code, stdout: verdict } = await place.cli(["lint", "--offline", "notify"]);
  assert.deepEqual([code, verdict], [0, "notify: ok\n"]);
});
