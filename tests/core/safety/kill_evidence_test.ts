import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";

const TOOL = "/state/tool";
const TOOL_SHA256 = createHash("sha256").update("a program").digest("hex");

/** Copied first, then a pinned program may change the source, then all is hashed anew by the upload and proved. */
const PIPELINE = `
name = "touched"
[source]
use = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
[[stage]]
use = "lock"
[[stage]]
use = "copy"
id = "truenas"
with = { to = "\${paths.truenas_root}" }
[[stage]]
use = "hook"
with = { argv = ["${TOOL}"], sha256 = "${TOOL_SHA256}", touches = ["source"] }
[[stage]]
use = "s3-upload"
id = "s3"
with = { bucket = "archive", prefix = "fusion", part = "5 MiB" }
[[stage]]
use = "verify"
with = { place = "truenas" }
[[stage]]
use = "checksum-sidecar"
with = { place = "truenas" }
[[stage]]
use = "manifest-append"
id = "record"
with = { status = "complete" }
[[stage]]
use = "delete"
with = { require = { places = 2 } }
`;

async function worldWithTool(): Promise<World> {
  const world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.fs.seed({ [TOOL]: "a program" });
  return world;
}

Deno.test("killEvidence() leaves copies written when the source may have changed, to be proved against its new hash", async () => {
  await using world = await worldWithTool();
  const report = await world.run({ pipeline: PIPELINE });
  assert.equal(report.exit_code, 0, report.items[0]?.error?.message);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  assert.equal(world.files(NAS_ROOT)["study1/a.txt"], "alpha");
});

Deno.test("killEvidence() lets no copy of what the source was before count", async () => {
  await using world = await worldWithTool();
  world.onExec = () => world.fs.seed({ [`${SOURCE_ROOT}/study1/a.txt`]: "alphA" });
  const report = await world.run({ pipeline: PIPELINE });
  assert.equal(report.items[0]?.error?.code, "verify/mismatch");
  assert.equal(world.files(SOURCE_ROOT)["study1/a.txt"], "alphA");
  assert.equal((await world.ledger()).get("study1")?.status, undefined);
});
