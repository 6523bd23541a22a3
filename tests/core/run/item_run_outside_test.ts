/**
 * A destroy that was begun goes on whatever stages from outside stand in the pipeline (SAFETY S4, S22), and whatever one
 * throws, the next item is taken up (S19).
 */
import assert from "node:assert/strict";
import { type AnyStage, defineStage } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { checkedStage } from "../../../core/external/checked_stage.ts";
import { z } from "../../../core/options.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { ownStage } from "../../kit/own_stage.ts";
import { runAndBeforeRemoval } from "../../kit/rules.ts";

const ORIGINS = { nobody: { pinned: false }, "the config": { pinned: true, touches: [] } };

for (const [voucher, origin] of Object.entries(ORIGINS)) {
  Deno.test(`S22 a destroy goes on where the lock is taken by a stage that ${voucher} vouches for`, async () => {
    let asked = 0;
    const plugin = defineStage({
      kind: "stage",
      name: "own-lock",
      summary: "Locks.",
      takes: "tree",
      effect: "create",
      resume: "redo",
      options: z.strictObject({}),
      example: "",
      facts: () => ({ gives: [{ fact: "locked" }] }),
      open: () => ({
        async *plan() {
          asked++;
          yield { kind: "todo", id: "lock", summary: "lock", data: null };
        },
        apply: (_step, ctx) => ctx.lock(),
      }),
    }) as AnyStage;
    await using world = await World.open({
      external: [{ plugin, origin: { file: "/own.ts", sha256: "0", ...origin } }],
    });
    world.study("study1", { "a.txt": "alpha", "b.txt": "beta", "c/d.txt": "gamma" });
    const pipeline = BACKUP.replace(/use\s*= "lock"/, 'use = "own-lock"');
    await runAndBeforeRemoval(world, 2, () => world.fs.crash(), { pipeline }).catch(() => {});
    world.fs.restart();
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
    assert.equal(asked, 1);
    const report = await world.run({ pipeline });
    assert.equal(report.exit_code, 0, JSON.stringify(report.error ?? report.items));
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
    assert.equal(asked, 1, "it is left out");
  });
}

const ERRORS: Record<string, () => unknown> = {
  "findings that are none": () => new PipelineError("x/y", "Cannot do", { findings: ["a.txt is bad"] as never }),
  "nothing of its type": () => new PipelineError(42 as never, { a: 1 } as never, { hint: [], findings: "x" } as never),
  "a message that throws": () =>
    Object.defineProperty(new PipelineError("x/y", "Cannot"), "message", {
      get() {
        throw new Error("not to be read");
      },
    }),
  "a code alone": () => new PipelineError("Cannot do it", undefined as never),
  "a late wish to end the run": () => {
    let asked = 0;
    const get = () => asked++ < 2 ? undefined : 0;
    return Object.defineProperty(new PipelineError("x/y", "Cannot"), "stopsRun", { get });
  },
  "a code that changes": () => {
    let asked = 0;
    const get = () => asked++ === 0 ? "x/y" : "run/stopped";
    return Object.defineProperty(new PipelineError("x/y", "Cannot"), "code", { get });
  },
};

for (const [what, error] of Object.entries(ERRORS)) {
  Deno.test(`S19 a stage from outside that throws an error with ${what} fails its item, and the next is taken up`, async () => {
    const plugin = ownStage(() => Promise.reject(error()), { effect: "read" });
    const origin = { file: "/own.ts", sha256: "0", pinned: false };
    await using world = await World.open({ external: [{ plugin: checkedStage(plugin, "/own.ts"), origin }] });
    world.study("study1", { "a.txt": "alpha" });
    world.study("study2", { "a.txt": "alpha" });
    const pipeline = BACKUP.replace(/\[\[stage\]\][^]*$/, '[[stage]]\nuse = "own"\n');
    const report = await world.run({ pipeline });
    assert.deepEqual(report.items.map(({ outcome }) => outcome), ["failed", "failed"]);
    assert.deepEqual([report.exit_code, report.error], [1, undefined]);
    for (const item of report.items) assert.match(item.error?.message ?? "", /\S.*stage "own" of "\/own\.ts"/);
    assert.equal(structuredClone(report).items.length, 2);
  });
}
