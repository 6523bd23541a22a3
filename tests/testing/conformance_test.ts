import assert from "node:assert/strict";
import type { AnyStage, Json, StageRun } from "../../core/contract.ts";
import { defineStage } from "../../core/contract.ts";
import type { WriteContext } from "../../core/ports.ts";
import { z } from "../../core/options.ts";
import { copy } from "../../stages/copy.ts";
import { conformance, type ConformanceOptions } from "../../testing/conformance.ts";
import { eventStage } from "../../testing/event_plugins.ts";
import type { World } from "../../testing/world.ts";

/** A stage that passes, changed. */
function stage(run: Partial<StageRun<Json, "tree">>, more: Partial<AnyStage> = {}): AnyStage {
  return defineStage({
    kind: "stage",
    name: "try-out",
    summary: "Is tried out.",
    takes: "tree",
    effect: "create",
    resume: "redo",
    options: z.strictObject({}),
    example: `[[stage]]\nuse = "try-out"\n`,
    open: (): StageRun<Json, "tree"> => ({
      async *plan() {
        yield { kind: "todo", id: "one", summary: "do it", data: null };
      },
      apply: () => Promise.resolve(),
      ...run,
    }),
    ...more,
  } as AnyStage);
}

/** What the suite finds wrong, by what the check says. */
async function findings(plugin: AnyStage, options: ConformanceOptions = {}): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, fn } of conformance(plugin, options)) {
    try {
      await fn();
    } catch (error) {
      found[name.slice(`stage ${plugin.name} `.length)] = (error as Error).message;
    }
  }
  return found;
}

async function assertFinds(plugin: AnyStage, wanted: Record<string, RegExp>, options?: ConformanceOptions) {
  const found = await findings(plugin, options);
  assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort(), JSON.stringify(found, null, 1));
  for (const [says, words] of Object.entries(wanted)) assert.match(found[says], words);
}

/** A program that writes a line to the end of a file. */
const appendLine = (_argv: readonly string[], world: World) => {
  const path = "/instrument/out.txt";
  const before = world.fs.disk.mayStand(path) ? world.fs.disk.readText(path) : "";
  world.fs.seed({ [path]: `${before}line\n` });
};

Deno.test("conformance() finds a stage that changes the item it was given", async () => {
  const renaming = stage({
    async *plan(item) {
      const before = item.name;
      try {
        item.name = before.toUpperCase();
      } catch { /* the engine does not let it */ }
      yield { kind: "skip", why: "only looking" };
    },
  });
  await assertFinds(renaming, { "leaves the item as it is": /plan made \{.*"name":"[0-9A-Z_]+".* of the item/ });
});

Deno.test("conformance() finds nothing in a stage that keeps the contract", async () => {
  await assertFinds(stage({}), {});
});

Deno.test("conformance() makes checks that run without any permission unless some are given", () => {
  assert.deepEqual([...new Set(conformance(stage({})).map(({ permissions }) => permissions))], ["none"]);
  const [{ permissions }] = conformance(stage({}), { permissions: { read: true } });
  assert.deepEqual(permissions, { read: true });
});

Deno.test("conformance() finds a plan that is another each time", async () => {
  let asked = 0;
  const plugin = stage({
    async *plan() {
      yield { kind: "todo", id: `step ${asked++}`, summary: "do it", data: null };
    },
  });
  await assertFinds(plugin, {
    "plans the same steps twice and changes nothing by planning": /the second plan is another than the first/,
  });
});

Deno.test("conformance() finds a plan that acts, and one whose ids stand for two steps", async () => {
  const says = "plans the same steps twice and changes nothing by planning";
  const acting = stage({
    async *plan(_item, ctx) {
      await (ctx as unknown as WriteContext).exec({ argv: ["append"] });
      yield { kind: "skip", why: "nothing to do" };
    },
  });
  assert.match((await findings(acting, { exec: appendLine }))[says], /ctx.exec is not a function/);
  const twins = stage({
    async *plan() {
      yield { kind: "todo", id: "one", summary: "do it", data: null };
      yield { kind: "todo", id: "one", summary: "do more", data: null };
    },
  });
  assert.match(
    (await findings(twins))[says],
    /its plan has two steps with the id .{1,2}one.{1,2}, wanted one of its own/,
  );
});

Deno.test("conformance() finds a step that cannot be repeated", async () => {
  const plugin = stage({ apply: (_step, ctx) => ctx.exec({ argv: ["append"] }) });
  const found = await findings(plugin, { exec: appendLine });
  for (
    const says of [
      "run again leaves the same end state",
      "may apply a step twice",
      "crashed at any moment and run again reaches the same end state",
      "crashed right behind a step and run again reaches the same end state",
    ]
  ) assert.match(found[says], /left something else|crashed/, says);
});

Deno.test("conformance() finds evidence that a stage does not say it gives, and gives without evidence", async () => {
  const options = { options: { to: "${paths.truenas_root}" } };
  const silent: AnyStage = { ...copy, facts: () => ({}) };
  assert.match((await findings(silent, options))["mints evidence only for facts it gives"], /is not among what it/);
  const boasting: AnyStage = {
    ...copy,
    facts: (_options, id) => ({
      gives: [{ fact: "hashed" }, { fact: "written", place: id }, { fact: "proved", place: id }],
    }),
  };
  await assertFinds(
    boasting,
    { "mints the evidence of every fact it gives": /proved at "subject" stands for 0/ },
    options,
  );
});

Deno.test("conformance() finds half a job that the next run takes for a whole one", async () => {
  const exec = ([, path]: readonly string[], world: World) => world.fs.seed({ [path]: "x" });
  const plugin = stage({
    async apply(_step, ctx) {
      if (await ctx.readCheckpoint() === "begun") return;
      await ctx.checkpoint("begun");
      await ctx.exec({ argv: ["write", "/instrument/a"] });
      await ctx.exec({ argv: ["write", "/instrument/b"] });
    },
  });
  await assertFinds(plugin, {
    "crashed at any moment and run again reaches the same end state":
      /crashed at step \d+ of the run: (before|after) exec/,
  }, { exec });
});

Deno.test("conformance() finds a stage whose disposal fails", async () => {
  const found = await findings(stage({
    [Symbol.asyncDispose]: () => Promise.reject(new Error("the connection hangs")),
  }));
  assert.match(found["is disposed of once, however the run ends"] ?? "", /the connection hangs/);
});

Deno.test("conformance() finds a stage of events that tells people twice", async () => {
  const told = (key?: () => string): AnyStage =>
    eventStage("try-out", {
      apply: async (_step, ctx) => {
        await ctx.emit({ event: "fusion_error", data: null, ...key ? { key: key() } : {} });
      },
    }, { summary: "Tells people.", example: `[[stage]]\nuse = "try-out"\n` });
  const config = "[notify]\nenabled = true\n";
  await assertFinds(told(), {}, { config });
  const found = await findings(told(() => crypto.randomUUID()), { config });
  assert.match(found["run again leaves the same end state"], /a second run left something else/);
  assert.match(found["may apply a step twice"], /a step applied twice left something else/);
});

Deno.test("conformance() finds what a stage leaves unsaid of itself", async () => {
  const says = "describes itself";
  await assertFinds(stage({}, { summary: "no sentence" }), { [says]: /a summary is one sentence/ });
  await assertFinds(stage({}, { example: `[[stage]]\nuse = "try-out"\nwith = { fast = true }\n` }), {
    [says]: /the example sets "fast", which is no option/,
  });
  await assertFinds(stage({}, { options: z.strictObject({ deep: z.number().default(1) }) }), {
    [says]: /option deep is described in a sentence/,
  });
});

Deno.test("conformance() finds a stage that acts, and says that it only reads", async () => {
  const acts: Partial<StageRun<Json, "tree">>[] = [
    { apply: (_step, ctx: WriteContext) => ctx.record("failed") },
    { apply: (_step, ctx: WriteContext) => ctx.exec({ argv: ["touch", "x"] }) },
  ];
  for (const run of acts) {
    const found = Object.values(await findings(stage(run, { effect: "read", usesLedger: true })));
    assert.ok(found.some((words) => /its effect is .{1,2}read.{1,2}, wanted/.test(words)), String(found));
  }
});

Deno.test("conformance() holds a stage to what the engine holds one from outside to", async () => {
  const anyOf = async (plugin: AnyStage) => Object.values(await findings(plugin)).join("\n");
  const facts = (given: unknown) => stage({}, { facts: () => given } as unknown as Partial<AnyStage>);
  assert.match(await anyOf(facts({ need: [{ fact: "hashed" }] })), /facts\(\).*Unrecognized key.*need/);
  assert.match(await anyOf(facts({ gives: [{ fact: "hashed" }] })), /plugins\/not-minted.*says that it gives/);
  const map = stage({
    async *plan() {
      yield { kind: "todo", id: "one", summary: "do it", data: new Map() as unknown as Json };
    },
  });
  assert.match(await anyOf(map), /found an instance of Map, wanted what JSON can hold/);
});

Deno.test("conformance() says of every field that was forgotten what is wanted", async () => {
  for (const field of ["summary", "options", "example", "takes", "open"]) {
    const found = await findings(stage({}, { [field]: undefined }));
    assert.deepEqual(Object.keys(found), ["is one"]);
    assert.match(found["is one"], new RegExp(`^Cannot test stage "try-out": "${field}": found nothing, wanted `));
  }
});

Deno.test("conformance() ends a check of a stage that waits for what never comes", async () => {
  const found = await findings(stage({ apply: () => new Promise<never>(() => {}) }), { deadlineMs: 50 });
  const words = /^stage "try-out" has not ended within 50 ms: its open, plan, apply or disposal awaits what does not/;
  assert.match(found["may apply a step twice"], words);
});
