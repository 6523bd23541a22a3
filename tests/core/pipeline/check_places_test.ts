import assert from "node:assert/strict";
import type { PlaceDeclaration } from "../../../core/contract.ts";
import { placesFault } from "../../../core/pipeline/check_places.ts";
import { BACKUP, World } from "../../../testing/world.ts";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { z } from "../../../core/options.ts";

const place = (id: string): PlaceDeclaration => ({ kind: "directory", id, root: `/${id}`, durability: "flushed" });

Deno.test("placesFault() takes one place, under the id of its stage", () => {
  const stage = { id: "own", use: "copy" };
  assert.equal(placesFault([], stage), undefined);
  assert.equal(placesFault([place("own")], stage), undefined);
  assert.match(placesFault([place("source")], stage)?.message ?? "", /declares place "source", wanted "own"/);
  assert.match(placesFault([place("own"), place("own")], stage)?.message ?? "", /declares "own" 2 times, wanted once/);
});

Deno.test("a stage that declares the place of another, or the source, does not pass lint", async () => {
  for (const id of ["truenas", "source"]) {
    const plugin = defineStage({
      kind: "stage",
      name: "own",
      summary: "Own.",
      takes: "tree",
      effect: "create",
      resume: "redo",
      options: z.strictObject({}),
      example: "",
      places: () => [place(id)],
      open: () => ({ async *plan() {}, apply: () => Promise.resolve() }),
    }) as AnyStage;
    await using world = await World.open({
      external: [{ plugin, origin: { file: "/o.ts", sha256: "0", pinned: false } }],
    });
    const pipeline = BACKUP.replace("[[stage]]", '[[stage]]\nuse = "own"\n[[stage]]');
    const { diagnostics } = world.compile(pipeline);
    const found = diagnostics.find(({ code }) => code === "pipeline/foreign-place");
    assert.match(found?.message ?? "", new RegExp(`"own" declares place "${id}", wanted "own"`));
    assert.equal(pipeline.split("\n")[(found?.line ?? 0) - 1], 'use = "own"');
    assert.match(found?.hint ?? "", /under the id that places\(\) is given/);
  }
});
