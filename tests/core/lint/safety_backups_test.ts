import assert from "node:assert/strict";
import type { Diagnostic } from "../../../core/pipeline/diagnostic.ts";
import { CLEANUP } from "../../kit/backups.ts";
import { World } from "../../../testing/world.ts";

const stage = (use: string) => new RegExp(`\\[\\[stage\\]\\]\\nuse *= "${use}"[^[]*`);

async function lint(text: string): Promise<Diagnostic[]> {
  await using world = await World.open();
  return world.compile(text).diagnostics;
}

Deno.test("lintPipeline() passes the shipped cleanup pipeline without a word", async () => {
  assert.deepEqual(await lint(CLEANUP), []);
});

Deno.test("lintPipeline() refuses an eviction without a proof: nothing carries over from the backup", async () => {
  const found = await lint(CLEANUP.replace(stage("prove-archived"), ""));
  assert.deepEqual(found.map(({ code }) => code), ["safety/destroy-unrecorded", "safety/too-few-places"]);
  for (const { hint } of found) assert.match(hint ?? "", /^add .*"prove-archived"/);
});

Deno.test("lintPipeline() refuses an eviction before its proof, and says what to move", async () => {
  const [evict] = CLEANUP.match(stage("evict"))!, [prove] = CLEANUP.match(stage("prove-archived"))!;
  const found = await lint(CLEANUP.replace(evict, "").replace(prove, `${evict}\n${prove}`));
  assert.ok(found.length > 0);
  assert.match(found[0].hint ?? "", /move "evict" \(line \d+\) behind "s3"/);
});

Deno.test("lintPipeline() refuses an eviction without a lock", async () => {
  const found = await lint(CLEANUP.replace(stage("lock"), ""));
  assert.deepEqual(found.map(({ code }) => code), ["safety/destroy-unlocked"]);
  assert.match(found[0].hint ?? "", /use = "lock"/);
});
