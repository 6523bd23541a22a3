import assert from "node:assert/strict";
import { PipelineError } from "../../core/errors.ts";
import { boxNotifier, event } from "../../testing/event_plugins.ts";
import { runOver } from "./_event_world.ts";

const STAGE = `use = "notify"\nwith = { via = "box" }`;
const words = { subject: "s", text: "t", html: "<p>t</p>", event: "e", at: "2026-01-01T00:00:00Z", details: { n: 1 } };
const mail = (id: string, to: string[]) => event("e", { ...words, to }, id);

function refuse(code: string): PipelineError {
  return new PipelineError(code, "Cannot deliver: no");
}

Deno.test("notify sends to each recipient alone, with what was rendered", async () => {
  const box = boxNotifier();
  const { items, world } = await runOver([mail("1", ["a@x", "b@x"])], [STAGE], { plugins: [box.plugin] });
  await using _ = world;
  assert.equal(items[0].outcome, "done");
  assert.deepEqual(box.delivered.map(({ to }) => to), ["a@x", "b@x"]);
  const { id, event: name, subject, text, html, data } = box.delivered[0];
  assert.deepEqual([id, name, subject, text, html], ["1", "e", "s", "t", "<p>t</p>"]);
  assert.deepEqual(data, { event: "e", at: words.at, details: { n: 1 } });
});

Deno.test("notify sends once where nobody is addressed", async () => {
  const box = boxNotifier({ addressed: false });
  const { items, world } = await runOver([event("e", words)], [STAGE], { plugins: [box.plugin] });
  await using _ = world;
  assert.equal(items[0].outcome, "done");
  assert.deepEqual(box.delivered.map(({ to }) => to), [undefined]);
});

Deno.test("notify goes on with the others when one is refused, and sends none of them twice", async () => {
  const refused = new Set(["a@x"]);
  const box = boxNotifier({
    onDeliver({ to = "" }) {
      if (refused.has(to)) throw refuse("notify/refused");
    },
  });
  const events = [mail("1", ["a@x", "b@x", "c@x"])];
  const first = await runOver(events, [STAGE], { plugins: [box.plugin] });
  await using world = first.world;
  assert.equal(first.items[0].outcome, "failed");
  assert.deepEqual(box.delivered.map(({ to }) => to), ["b@x", "c@x"]);
  refused.clear();
  const again = await runOver(events, [STAGE], { world });
  assert.equal(again.items[0].outcome, "done");
  assert.deepEqual(box.delivered.map(({ to }) => to), ["b@x", "c@x", "a@x"]);
});

Deno.test("notify lets other events wait when the server is away, and tries again after a while", async () => {
  let tries = 0;
  const box = boxNotifier({
    onDeliver() {
      tries++;
      throw refuse("notify/unreachable");
    },
  });
  const events = [mail("1", ["a@x", "b@x"]), mail("2", ["a@x"]), mail("3", ["a@x"])];
  const { items, world, report } = await runOver(events, [STAGE], { plugins: [box.plugin] });
  await using _ = world;
  assert.deepEqual(items.map(({ outcome }) => outcome), ["failed", "waiting", "waiting"]);
  assert.match(items[1].why ?? "", /the last delivery failed: Cannot deliver: no/);
  assert.equal(items[1].until, "2026-01-02T03:04:35.000Z");
  assert.equal(tries, 1);
  assert.equal(report.exit_code, 1);
});

Deno.test("notify gives up a recipient refused for good: five tries over a day, then the event counts as told", async () => {
  let tries = 0;
  const box = boxNotifier({
    onDeliver({ to }) {
      if (to !== "a@x") return;
      tries++;
      throw refuse("notify/refused");
    },
  });
  const events = [mail("1", ["a@x", "b@x"])];
  const first = await runOver(events, [STAGE], { plugins: [box.plugin] });
  await using world = first.world;
  const again = async (ms: number) => {
    world.clock.time += ms;
    const { items } = await runOver(events, [STAGE], { world });
    return [items[0].outcome, tries];
  };
  const minute = 60_000, hour = 60 * minute;
  assert.equal(tries, 1);
  assert.deepEqual(await again(0), ["failed", 2], "the second try comes with the next run");
  assert.deepEqual(await again(9 * minute), ["failed", 2], "then it rests");
  assert.deepEqual(await again(minute), ["failed", 3]);
  assert.deepEqual(await again(hour), ["failed", 4]);
  assert.deepEqual(await again(24 * hour - 1), ["failed", 4]);
  assert.deepEqual(await again(1), ["done", 5]);
  assert.deepEqual(box.delivered.map(({ to }) => to), ["b@x"]);
  assert.ok(
    world.log.lines.some(({ level, message }) => level === "warn" && /refused 5 times and is given up/.test(message)),
  );
});

Deno.test("notify tells of each recipient that was refused", async () => {
  const box = boxNotifier({
    onDeliver({ to = "" }) {
      if (to !== "c@x") throw new PipelineError("notify/refused", `Cannot deliver to ${to}: no`);
    },
  });
  const { world, items } = await runOver([mail("1", ["a@x", "b@x", "c@x", "d@x"])], [STAGE], { plugins: [box.plugin] });
  await using _ = world;
  assert.match(items[0].error?.message ?? "", /to a@x/);
  const told = world.log.lines.filter(({ level }) => level !== "debug").map(({ message }) => message).join("\n");
  for (const address of ["a@x", "b@x", "d@x"]) assert.match(told, new RegExp(`Cannot deliver to ${address}`));
});

const SLACK = `use = "notify"\nid = "slack"\nwith = { via = "open-box" }`;

/** Two channels: by mail, which is down for as long as `isDown`, and one behind it. */
function twoChannels(isDown: () => boolean, code = "notify/unreachable") {
  const box = boxNotifier({
    onDeliver() {
      if (isDown()) throw refuse(code);
    },
  });
  const slack = boxNotifier({ addressed: false });
  return { box, slack, plugins: [box.plugin, { ...slack.plugin, name: "open-box" }] };
}

Deno.test("notify by a second way is tried though the first one is dead, and repeats nothing when it is back", async () => {
  for (const code of ["notify/unreachable", "notify/login", "notify/refused"]) {
    let isDown = true;
    const { box, slack, plugins } = twoChannels(() => isDown, code);
    const events = [mail("1", ["a@x"]), mail("2", ["a@x"])];
    const { items, world } = await runOver(events, [STAGE, `use = "render"`, SLACK], { plugins });
    await using _ = world;
    assert.deepEqual(slack.delivered.map(({ id }) => id), ["1", "2"], code);
    assert.deepEqual(items.map(({ outcome }) => outcome), ["failed", "failed"]);
    assert.match(items[0].error?.message ?? "", /Cannot deliver: no/);
    isDown = false;
    world.clock.time += 30_000;
    const again = await runOver(events, [STAGE, `use = "render"`, SLACK], { world });
    assert.deepEqual(again.items.map(({ outcome }) => outcome), ["done", "done"]);
    assert.deepEqual([box.delivered.length, slack.delivered.length], [2, 2], code);
  }
});

Deno.test("S17 notify opens no notifier in a dry run", async () => {
  const box = boxNotifier({ onDeliver: () => assert.fail("delivered") });
  const { plans, report, world } = await runOver([mail("1", ["a@x"])], [STAGE], {
    plugins: [box.plugin],
    dryRun: true,
  });
  await using _ = world;
  assert.equal(report.exit_code, 0);
  assert.ok(plans.some((plan) => plan.kind === "todo" && plan.summary === 'send "s" by box to a@x'));
});

Deno.test("notify says what stands in no stage before it", async () => {
  const box = boxNotifier();
  const { items, world } = await runOver([event("a", {}), event("b", { subject: "s" })], [STAGE], {
    plugins: [box.plugin],
  });
  await using _ = world;
  assert.deepEqual(items.map(({ error }) => error?.hint), [
    'Put a stage "render" before "notify"',
    'Put a stage "recipients" before "notify"',
  ]);
});

Deno.test("lint holds the options of a notifier against its own schema, at their line", async () => {
  const box = boxNotifier();
  const { world } = await runOver([], [STAGE], { plugins: [box.plugin] });
  await using _ = world;
  const compile = (options: string) =>
    world.compile(`name = "p"\n[source]\nuse = "list"\n[[stage]]\nuse = "notify"\nwith = ${options}\n`).diagnostics;
  assert.deepEqual(compile(`{ via = "box", options = { size = 2 } }`), []);
  const [unknown] = compile(`{ via = "box", options = { sise = 2 } }`);
  assert.equal(unknown.code, "options/unknown-key");
  assert.match(unknown.message, /"sise" of notifier "box"/);
  assert.equal(unknown.line, 6);
  assert.deepEqual(compile(`{ via = "box", options = { size = "x" } }`).map(({ code }) => code), [
    "options/wrong-type",
  ]);
  assert.deepEqual(compile(`{ via = "bx" }`).map(({ code }) => code), ["pipeline/unknown-plugin"]);
});

/** A server that is silent for these addresses, or for all of them. */
function silentFor(silent: Set<string>) {
  const tries: string[] = [];
  const box = boxNotifier({
    onDeliver({ to = "", id }) {
      tries.push(`${id} ${to}`);
      if (silent.has("all") || silent.has(to)) throw refuse("notify/unreachable");
    },
  });
  return { ...box, tries };
}

Deno.test("notify tells the others though the server is silent for one address, whatever the order of the list", async () => {
  for (const lists of [[["bad@x", "a@x"], ["bad@x", "a@x"]], [["bad@x"], ["a@x"]]]) {
    const { plugin, delivered } = silentFor(new Set(["bad@x"]));
    const events = lists.map((to, nth) => mail(`${nth + 1}`, to));
    const first = await runOver(events, [STAGE], { plugins: [plugin] });
    await using world = first.world;
    world.clock.time += 60_000;
    const { items } = await runOver(events, [STAGE], { world });
    const good = lists.flatMap((to, nth) => to.includes("a@x") ? [`${nth + 1}`] : []);
    assert.deepEqual(delivered.map(({ id }) => id), good);
    assert.equal(items[0].outcome, "failed");
  }
});

Deno.test("notify lets a message rest that the server does not answer, while it answers others; it is never given up", async () => {
  const silent = new Set(["bad@x"]);
  const { plugin, tries, delivered } = silentFor(silent);
  const events = [mail("1", ["bad@x", "a@x"])];
  const { world } = await runOver(events, [STAGE], { plugins: [plugin] });
  await using _ = world;
  const round = async (ms: number) => {
    world.clock.time += ms;
    const before = tries.length;
    await runOver(events, [STAGE], { world });
    return tries.slice(before).filter((line) => line === "1 bad@x").length;
  };
  const seen: number[] = [];
  for (const ms of [60_000, 60_000, 600_000, 60_000, 3_600_000, 86_400_000, 86_400_000, 86_400_000]) {
    seen.push(await round(ms));
  }
  assert.deepEqual(seen, [1, 0, 1, 0, 1, 1, 1, 1]);
  silent.clear();
  assert.equal(await round(86_400_000), 1);
  assert.ok(delivered.some(({ id, to }) => id === "1" && to === "bad@x"));
});

Deno.test("notify asks a server that is away for long twice in a run, and nothing rests when it is back", async () => {
  const silent = new Set(["all"]);
  const { plugin, tries, delivered } = silentFor(silent);
  const events = ["1", "2", "3"].map((id) => mail(id, ["a@x", "b@x"]));
  const { world } = await runOver(events, [STAGE], { plugins: [plugin] });
  await using _ = world;
  assert.equal(tries.length, 1);
  for (let rounds = 0; rounds < 8; rounds++) {
    world.clock.time += 60_000;
    tries.length = 0;
    await runOver(events, [STAGE], { world });
    assert.ok(tries.length <= 2, `${tries}`);
  }
  silent.clear();
  world.clock.time += 31_000;
  await runOver(events, [STAGE], { world });
  assert.equal(delivered.length, 6);
});

Deno.test("notify tells whoever is named twice once, and those behind", async () => {
  const box = boxNotifier();
  const { items, world } = await runOver([mail("1", ["a@x", "A@x", "b@x"])], [STAGE], { plugins: [box.plugin] });
  await using _ = world;
  assert.deepEqual([items[0].outcome, box.delivered.map(({ to }) => to)], ["done", ["a@x", "b@x"]]);
});
