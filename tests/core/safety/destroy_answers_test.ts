import assert from "node:assert/strict";
import { systemError } from "../../../testing/memory_file_system.ts";
import { assertSourceWhole, runAndBeforeRemoval, worldWith } from "../../kit/rules.ts";
import { MANIFEST_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

const BUCKET_ONLY = `
name = "bucket"
[source]
use = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
[[stage]]
use = "lock"
[[stage]]
use = "s3-upload"
id = "s3"
with = { bucket = "archive", prefix = "fusion", part = "5 MiB" }
[[stage]]
use = "checksum-sidecar"
with = { place = "s3" }
[[stage]]
use = "manifest-append"
id = "record"
with = { status = "complete" }
[[stage]]
use = "delete"
`;

Deno.test("S4 an intent stays open when a removal was done and its answer was an error", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  world.fs.fault = ({ operation, path }) => {
    if (operation !== "removeFile" || !path.endsWith("/a.txt")) return;
    world.fs.fault = undefined;
    world.fs.disk.removeFile(path);
    throw systemError("EIO", path);
  };
  assert.equal((await world.run()).exit_code, 1);
  assert.notEqual((await world.ledger()).get("study1")?.source_deleting_at, null);
  assert.equal((await world.run()).exit_code, 0);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S5 nothing is removed once another host has the name at a place", async () => {
  await using world = await World.open({ store: { putIfAbsent: false } });
  world.study("study1", { "a.txt": "alpha" });
  const key = "fusion/_claims/study1.json";
  const report = await world.run({
    pipeline: BUCKET_ONLY,
    progress: {
      stageStarted: (_item, stage) => {
        const claim = world.store.objects.get(key);
        if (stage !== "delete" || !claim) return;
        const other = { ...JSON.parse(new TextDecoder().decode(claim.bytes)), incarnation: "f".repeat(32) };
        other.source_root = "00000000-0000-4000-8000-0000000000ff";
        world.store.objects.set(key, { ...claim, bytes: new TextEncoder().encode(JSON.stringify(other)) });
      },
    },
  });
  assert.equal(report.items[0].error?.code, "item/name-claimed");
  assert.deepEqual(Object.keys(world.files(SOURCE_ROOT)), ["study1/a.txt"]);
  assert.equal((await world.ledger()).get("study1")?.source_deleting_at, null, "the intent is withdrawn");
});

Deno.test("S4 an intent that an earlier run wrote and did not flush is durable before the first file goes", async () => {
  await using world = await worldWith();
  const ledger = () => Object.values(world.fs.tree(MANIFEST_ROOT)).join("");
  world.fs.fault = ({ operation, path }) => {
    if (operation === "sync" && path.endsWith(".jsonl") && /"source_deleting_at":"2/.test(ledger())) {
      throw new Error("killed");
    }
  };
  assert.equal((await world.run()).exit_code, 1);
  world.fs.fault = undefined;
  assertSourceWhole(world);
  await runAndBeforeRemoval(world, 1, () => world.fs.crash()).catch(() => {});
  world.fs.restart(() => true);
  assert.match(ledger(), /"source_deleting_at":"2/);
});
