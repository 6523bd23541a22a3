import assert from "node:assert/strict";
import { event } from "../../testing/event_plugins.ts";
import { runOver } from "./_event_world.ts";

const STAGE = `use = "recipients"\nwith = { folder = "/state/recipients" }`;
const files = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [`/state/recipients/${name}`, text]));

Deno.test("recipients adds who hears of the event, read anew each time", async () => {
  const events = [event("backup_failure", {}, "1"), event("fusion_error", {}, "2")];
  const first = await runOver(events, [STAGE], {
    files: files({ "backup_failure.txt": "ops@lab\n", "default.txt": "all@lab\n" }),
  });
  await using world = first.world;
  assert.deepEqual(first.data.map(({ to }) => to), [["ops@lab"], ["all@lab"]]);
  world.fs.seed(files({ "fusion_error.txt": "oncall@lab\nowner@lab\n" }));
  const second = await runOver(events, [STAGE], { world });
  assert.deepEqual(second.report.items.map(({ outcome }) => outcome), ["unchanged", "unchanged"]);
  assert.deepEqual(first.data.slice(2).map(({ to }) => to), [["ops@lab"], ["oncall@lab", "owner@lab"]]);
});

Deno.test("recipients drops an event nobody hears of, and says so", async () => {
  const { items, data, world } = await runOver([event("backup_failure")], [STAGE], { files: files({ "x.txt": "" }) });
  await using _ = world;
  assert.equal(items[0].outcome, "dropped");
  assert.match(items[0].why ?? "", /nobody is subscribed: backup_failure\.txt and default\.txt/);
  assert.deepEqual(data, []);
});

Deno.test("recipients warns of what is no address and leaves it out", async () => {
  const { data, world } = await runOver([event("backup_failure")], [STAGE], {
    files: files({ "backup_failure.txt": "ops@lab\nnonsense\n" }),
  });
  await using _ = world;
  assert.deepEqual(data[0].to, ["ops@lab"]);
  const [warning] = world.log.lines.filter(({ level }) => level === "warn");
  assert.match(
    warning.message,
    /backup_failure\.txt, line 2: "nonsense" is no address, wanted one plain address a line; it is left out/,
  );
});

Deno.test("recipients refuses an event whose list would lie elsewhere", async () => {
  const { items, world } = await runOver([event("../secrets")], [STAGE]);
  await using _ = world;
  assert.equal(items[0].error?.code, "notify/bad-event");
});

Deno.test("recipients fails where a list has only wrong lines, so that the event stays queued", async () => {
  const { items, world } = await runOver([event("backup_failure")], [STAGE], {
    files: files({ "backup_failure.txt": "# ours\nops at lab\n" }),
  });
  await using _ = world;
  assert.equal(items[0].outcome, "failed");
  assert.equal(items[0].error?.code, "notify/no-recipients");
  assert.match(items[0].error?.message ?? "", /backup_failure\.txt, line 2: "ops at lab" is no address/);
});

Deno.test("recipients gives a list that is being saved a moment, once for many events, and drops none meanwhile", async () => {
  const events = ["1", "2", "3"].map((id) => event("backup_failure", {}, id));
  const first = await runOver(events, [STAGE], { files: files({ "x.txt": "" }) });
  await using world = first.world;
  assert.deepEqual(world.clock.slept, [200]);
  assert.deepEqual(first.items.map(({ outcome }) => outcome), ["dropped", "dropped", "dropped"]);
  world.fs.seed(files({ "backup_failure.txt": "" }));
  world.clock.sleep = () => Promise.resolve(world.fs.seed(files({ "backup_failure.txt": "ops@lab\n" })));
  await runOver(events, [STAGE], { world });
  assert.deepEqual(first.data.map(({ to }) => to), [["ops@lab"], ["ops@lab"], ["ops@lab"]]);
});

Deno.test("recipients waits once for lists that are empty on purpose, however many events have one", async () => {
  const names = Array.from({ length: 100 }, (_, at) => `event_${at}`);
  const texts = Object.fromEntries(names.map((name) => [`${name}.txt`, ""]));
  const events = names.map((name) => event(name, {}, name));
  const { world, items } = await runOver(events, [STAGE], { files: files({ ...texts, "default.txt": "" }) });
  await using _ = world;
  assert.deepEqual(world.clock.slept, [200]);
  assert.ok(items.every(({ outcome }) => outcome === "dropped"));
});
