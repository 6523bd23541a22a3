import assert from "node:assert/strict";
import type { AnyStage, Fact } from "../../../core/contract.ts";
import { defineStage } from "../../../core/contract.ts";
import type { ExternalStage } from "../../../core/external/external_stage.ts";
import { z } from "../../../core/options.ts";
import type { WriteContext } from "../../../core/ports.ts";
import { BACKUP, World } from "../../../testing/world.ts";

/** A stage vouched for that says it gives these facts, and does this for it. */
function own(gives: Fact[], act: (ctx: WriteContext) => Promise<void> = async () => {}): ExternalStage {
  const plugin = defineStage({
    kind: "stage",
    name: "own",
    summary: "Own.",
    takes: "tree",
    effect: "create",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    facts: () => ({ gives }),
    open: () => ({
      async *plan() {
        yield { kind: "todo", id: "own", summary: "own", data: null };
      },
      apply: (_step, ctx) => act(ctx),
    }),
  });
  return { plugin: plugin as AnyStage, origin: { file: "/own.ts", sha256: "0", pinned: true, touches: [] } };
}

/** Runs the shipped pipeline with `own` in place of the stage whose block holds `marker`. */
async function runWith(stage: ExternalStage, marker: string, options: { dryRun?: boolean } = {}) {
  const world = await World.open({ external: [stage] });
  world.study("s1", { "a.txt": "one", "b.txt": "two" });
  const pipeline = BACKUP.split("[[stage]]").map((block) =>
    block.includes(marker)
      ? `\nuse = "own"${block.slice(block.indexOf("\n[[on_item_failed]]") + 1 || block.length)}\n`
      : block
  ).join("[[stage]]");
  const report = await world.run({ pipeline, ...options });
  return { world, item: report.items[0] };
}

const CASES: [string, Fact, RegExp][] = [
  ['"verify"', { fact: "proved", place: "truenas" }, /gives proved at "truenas", found 0 of 2 files proved strongly/],
  ['"lock"', { fact: "locked" }, /gives locked, found no lock/],
  ['"checksum-sidecar"', { fact: "sealed", place: "truenas" }, /gives sealed at "truenas", found no list of checksums/],
];

Deno.test("a fact that a stage from outside declares and no port minted fails the item", async () => {
  for (const [marker, fact, says] of CASES) {
    const { world, item } = await runWith(own([fact]), marker);
    await using _world = world;
    assert.deepEqual(
      [item.outcome, item.error?.code, item.error?.stage],
      ["failed", "plugins/not-minted", "own"],
      marker,
    );
    assert.match(item.error?.message ?? "", says);
    assert.match(item.error?.message ?? "", /stage "own" of \/own\.ts/);
    assert.equal(Object.keys(world.files("/instrument/studies")).length, 2);
  }
});

Deno.test("a record that a stage from outside declares and nobody made fails the item", async () => {
  const { world, item } = await runWith(own([{ fact: "recorded" }]), '"record"');
  await using _world = world;
  assert.equal(item.error?.code, "plugins/not-minted");
  assert.match(item.error?.message ?? "", /found no complete record/);
  assert.equal(Object.keys(world.files("/instrument/studies")).length, 2);
});

Deno.test("facts that a stage from outside had minted by ports count, up to the delete", async () => {
  const prove = own([{ fact: "proved", place: "truenas" }], async (ctx) => {
    const files = await Array.fromAsync(ctx.source.files("truenas"));
    await ctx.place("truenas").prove(files);
  });
  const { world, item } = await runWith(prove, '"verify"');
  await using _world = world;
  assert.deepEqual([item.outcome, item.error], ["done", undefined]);
  assert.deepEqual(world.files("/instrument/studies"), {});
});

Deno.test("a dry run takes a stage from outside at its word", async () => {
  const { world, item } = await runWith(own([{ fact: "locked" }]), '"lock"', { dryRun: true });
  await using _world = world;
  assert.equal(item.error, undefined);
});

Deno.test("a stage from outside that writes only some of the files may do so behind a copy of all", async () => {
  const part: Fact[] = [{ fact: "hashed" }, { fact: "written", place: "own", strength: "none" }, {
    fact: "proved",
    place: "own",
  }];
  const share = own(part, async (ctx) => {
    const files = (await Array.fromAsync(ctx.source.files("own"))).filter(({ path }) => path === "a.txt");
    await ctx.place("own").write(files);
    await ctx.place("own").prove(files);
  });
  const plugin: AnyStage = {
    ...share.plugin,
    places: (_options, id) => [{ kind: "directory", id, root: "/web/previews", durability: "flushed" }],
  };
  await using world = await World.open({ external: [{ ...share, plugin }], places: ["/web/previews"] });
  world.study("s1", { "a.txt": "one", "b.txt": "two" });
  const [head, ...stages] = BACKUP.split("[[stage]]");
  const copy = stages.find((stage) => stage.includes('"copy"'));
  const { items, error } = await world.run({ pipeline: `${head}[[stage]]${copy}[[stage]]\nuse = "own"\n` });
  assert.deepEqual([items[0]?.outcome, items[0]?.error ?? error], ["done", undefined]);
  assert.deepEqual(world.files("/web/previews"), { "s1/a.txt": "one" });
});
