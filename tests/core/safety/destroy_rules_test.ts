import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";
import type { DestroyRules, FileBatch, WriteContext } from "../../../core/ports.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { manyFiles, rewrite, runAndBeforeRemoval } from "../../kit/rules.ts";

type Act = (batch: FileBatch, ctx: WriteContext) => Promise<void>;

const rules = (places: number, recheck: DestroyRules["recheck"] = "identity"): DestroyRules => ({
  place: "source",
  places,
  recheck,
});

/** A stage that frees by acts of its own, declared with one place. */
function freeing(act: Act): AnyStage {
  return defineStage({
    kind: "stage",
    name: "own",
    summary: "Frees.",
    takes: "tree",
    effect: "destroy",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    facts: () => ({ kills: [{ fact: "hashed" }], destroys: { place: "source", places: 1 } }),
    open: () => ({
      async *plan() {
        yield { kind: "todo", id: "own", summary: "own", data: null };
      },
      async apply(_step, ctx) {
        for await (const batch of ctx.destroyBatches("source")) await act(batch, ctx);
      },
    }),
  }) as AnyStage;
}

async function freed(act: Act) {
  const world = await World.open({ plugins: [freeing(act)] });
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  const report = await world.run({ pipeline: BACKUP.replace(/use\s*= "delete"\nwith.*/, 'use = "own"') });
  return { world, error: report.items[0]?.error, left: Object.keys(world.files(SOURCE_ROOT)) };
}

const first = (batch: FileBatch) => ({ ...batch, files: batch.files.slice(0, 1) });
const second = (batch: FileBatch) => ({ ...batch, files: batch.files.slice(1) });

Deno.test("S5 a destroy asks for the places of each act, not for those of the first one", async () => {
  const { world, error, left } = await freed(async (batch, ctx) => {
    await ctx.destroy(first(batch), rules(1));
    await ctx.destroy(second(batch), rules(9));
  });
  await using _world = world;
  assert.equal(error?.code, "destroy/not-proved");
  assert.match(error?.message ?? "", /proved at 2 other places \(2 strongly\), wanted 9/);
  assert.deepEqual(left, ["study1/b.txt"]);
});

Deno.test("S5 an act that asks for fewer places than the one before it has what it asks for", async () => {
  let refused = 0;
  const { world, error, left } = await freed(async (batch, ctx) => {
    await ctx.destroy(first(batch), rules(9)).catch(() => refused++);
    await ctx.destroy(batch, rules(2));
    await ctx.finishDestroy(rules(2));
  });
  await using _world = world;
  assert.deepEqual([refused, error, left], [1, undefined, []]);
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S5 the end of a destroy is refused where files went by fewer places than it asks for", async () => {
  for (const [went, asked] of [[1, 2], [2, 3]]) {
    const { world, error } = await freed(async (batch, ctx) => {
      await ctx.destroy(batch, rules(went));
      await ctx.finishDestroy(rules(asked));
    });
    await using _world = world;
    assert.equal(error?.code, "destroy/not-proved", `${went}, then ${asked}`);
    assert.match(error?.message ?? "", new RegExp(`at ${went} other places, wanted ${asked}`));
    assert.equal(world.fs.disk.lstat(`${SOURCE_ROOT}/study1`)?.kind, "directory");
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});

Deno.test("S6 an act that asks for a hash reads the files, whatever the act before it asked for", async () => {
  const read: string[] = [];
  let stage: World | undefined;
  const plugin = freeing(async (batch, ctx) => {
    stage!.fs.fault = ({ operation, path }) => {
      if (operation === "read" && path.startsWith(SOURCE_ROOT) && path.endsWith(".txt")) read.push(path.slice(-5));
    };
    await ctx.destroy(first(batch), rules(1));
    assert.deepEqual(read, [], "by its identity");
    await ctx.destroy(second(batch), rules(1, "hash"));
    await ctx.finishDestroy(rules(1));
  });
  await using world = stage = await World.open({ plugins: [plugin] });
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  const { items } = await world.run({ pipeline: BACKUP.replace(/use\s*= "delete"\nwith.*/, 'use = "own"') });
  assert.equal(items[0].outcome, "done", JSON.stringify(items[0].error));
  assert.deepEqual([...new Set(read)], ["b.txt"]);
});

Deno.test("S5 a stage that asks for all files at once has them proved a thousand at a time", async () => {
  const files: FileBatch["files"] = [];
  let last: FileBatch | undefined;
  const plugin = freeing(async (batch, ctx) => {
    files.push(...batch.files);
    last = batch;
    if (files.length === 1010) await ctx.destroy({ ...last, files }, rules(1));
  });
  await using world = await World.open({ plugins: [plugin] });
  world.study("study1", manyFiles());
  const pipeline = BACKUP.replace(/use\s*= "delete"\nwith.*/, 'use = "own"');
  const lost = "/nas/backups/study1/f01009";
  const report = await runAndBeforeRemoval(world, 1000, () => rewrite(world, lost, "changed"), { pipeline });
  assert.equal(report.items[0].error?.code, "destroy/not-proved");
  assert.match(report.items[0].error?.message ?? "", /f01009: truenas no longer holds it/);
  assert.equal(Object.keys(world.files(`${SOURCE_ROOT}/study1`)).length, 10);
});
