import assert from "node:assert/strict";
import { type AnyStage, defineStage, type Plan, type StageRun } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { z } from "../../../core/options.ts";
import { systemError } from "../../../testing/memory_file_system.ts";
import { SOURCE_ROOT, World } from "../../../testing/world.ts";
import { runAndBeforeRemoval } from "../../kit/rules.ts";

const HEAD = `
name = "one"
[source]
use = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
[[stage]]
use = "lock"
`;
const PROBE = `${HEAD}[[stage]]\nuse = "probe"\n`;
const STEP: Plan = { kind: "todo", id: "step", summary: "a step", data: null };

function probe(run: Partial<StageRun>, more: Partial<AnyStage> = {}): AnyStage {
  return defineStage({
    kind: "stage",
    name: "probe",
    summary: "A stage of a test.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({ text: z.string().default("") }),
    example: "",
    open: (): StageRun => ({ async *plan() {}, apply: () => Promise.resolve(), ...run }),
    ...more,
  } as AnyStage);
}

/** A plan that fails before its first step. */
function fails(): AsyncIterable<Plan> {
  throw new PipelineError("test/failed", `Cannot do "it": a test`);
}

async function worldWith(...stages: AnyStage[]): Promise<World> {
  const world = await World.open({ plugins: stages });
  world.study("study1", { "a.txt": "alpha" });
  return world;
}

Deno.test("runItem() says of a waiting or dropped item why, and until when", async () => {
  const plans: Plan[] = [
    { kind: "wait", why: "the job is queued", until: Date.UTC(2026, 1, 3) },
    { kind: "wait", why: "the window is closed", until: Infinity },
    { kind: "drop", why: "nobody subscribed" },
  ];
  for (const planned of plans) {
    await using world = await worldWith(probe({
      async *plan() {
        yield planned;
      },
    }));
    const [item] = (await world.run({ pipeline: PROBE })).items;
    assert.equal(item.outcome, planned.kind === "wait" ? "waiting" : "dropped");
    assert.equal(item.why, "why" in planned && planned.why);
    const until = planned === plans[0] ? "2026-02-03T00:00:00.000Z" : undefined;
    assert.deepEqual([item.until, item.stages[1].until], [until, until]);
  }
});

Deno.test("runItem() blames no stage for a failure that happens outside of all, whatever a stage warned of", async () => {
  await using world = await worldWith(probe({ plan: fails }));
  world.fs.fault = ({ operation, path }) => {
    if (operation === "removeFile" && path.endsWith(".labferry.lock")) throw systemError("EIO", path);
  };
  const [item] = (await world.run({ pipeline: `${PROBE}on_error = "warn"\n` })).items;
  assert.equal(item.outcome, "failed");
  assert.match(item.error?.message ?? "", /release the lock/);
  assert.equal(item.error?.stage, "");
});

Deno.test("runItem() disposes a stage that was opened for the item before it releases the lock", async () => {
  const events: string[] = [];
  const locked = (world: World) => world.fs.disk.lstat(`${SOURCE_ROOT}/study1/.labferry.lock`) !== undefined;
  const worlds: World[] = [];
  const stage = probe({}, {
    open: ({ text }: { text: string }) => ({
      plan() {
        events.push(`plan ${text}`);
        return fails();
      },
      apply: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(void events.push(`dispose ${text} ${locked(worlds[0])}`)),
    }),
  });
  await using opened = await worldWith(stage);
  worlds.push(opened);
  opened.study("study2", { "a.txt": "alpha" });
  const locks = { study1: `plan study1`, study2: `plan study2` };
  const report = await opened.run({ pipeline: `${PROBE}with = { text = "\${item.name}" }\n` });
  assert.equal(report.items.every((item) => item.error?.code === "test/failed"), true);
  assert.deepEqual(events, [locks.study1, "dispose study1 true", locks.study2, "dispose study2 false"]);
});

Deno.test("runItem() refuses a stage whose facts depend on the item", async () => {
  let plans = 0;
  const stage = probe({
    async *plan() {
      plans++;
      yield STEP;
    },
  }, { facts: ({ text }: { text: string }) => text.startsWith("wild") ? { kills: "everything" } : {} });
  await using world = await worldWith(stage);
  world.study("wild1", { "a.txt": "alpha" });
  const report = await world.run({ pipeline: `${PROBE}with = { text = "\${item.name}" }\n` });
  assert.deepEqual(report.items.map(({ error }) => error?.code), [undefined, "item/other-facts"]);
  assert.equal(plans, 1);
});

Deno.test("runItem() tells the failure of a stage, not that its evidence could not be put away after it", async () => {
  for (const broken of [true, false]) {
    const stage = probe({
      async *plan() {
        if (broken) fails();
        yield STEP;
      },
    }, { effect: "modify", facts: () => ({ kills: "everything" }) });
    await using world = await worldWith(stage);
    const full = () => Promise.reject(new Error("database or disk is full"));
    const report = await world.run({
      pipeline: PROBE,
      wrap: (services) => {
        const evidence = new Proxy(services.journal.evidence, {
          get: (store, key) => key === "remove" ? full : Reflect.get(store, key).bind?.(store),
        });
        const journal = new Proxy(services.journal, {
          get: (inner, key) => {
            const found = key === "evidence" ? evidence : Reflect.get(inner, key);
            return typeof found === "function" ? found.bind(inner) : found;
          },
        });
        return { ...services, journal };
      },
    });
    const { error, stages } = report.items[0];
    assert.match(error?.message ?? "", broken ? /a test/ : /disk is full/);
    assert.equal(error?.stage, "probe");
    assert.equal(stages[1].outcome, "failed");
    assert.ok(!broken || world.log.lines.some((line) => /behind stage probe: .*disk is full/.test(line.message)));
  }
});

Deno.test("S4 a lock that a destroy which goes on cannot have is a failure of the stage that takes it", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  const lock = `${SOURCE_ROOT}/study1/.labferry.lock`;
  const itemStarted = () => {
    world.fs.fault = ({ path }) => {
      if (path === lock) throw systemError("EIO", path);
    };
  };
  const [item] = (await world.run({ progress: { itemStarted } })).items;
  assert.deepEqual([item.outcome, item.error?.stage], ["failed", "lock"]);
});
