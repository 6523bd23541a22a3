import assert from "node:assert/strict";
import { stages } from "../../stages/mod.ts";
import { testDescription, testStage } from "../../testing/conformance.ts";
import type { StageFixture } from "../../testing/conformance.ts";

const stage = (use: string, more = "") => `[[stage]]\nuse = "${use}"\n${more}`;
const subject = (use: string, withOptions = "") =>
  stage(use, `id = "subject"\n${withOptions === "" ? "" : `with = ${withOptions}\n`}`);

const LOCK = stage("lock");
const COPY = stage("copy", `id = "truenas"\nwith = { to = "\${paths.truenas_root}" }\n`);
const VERIFY = stage("verify", `with = { place = "truenas" }\n`);
const SIDECAR = stage("checksum-sidecar", `with = { place = "truenas" }\n`);
const S3 = stage("s3-upload", `id = "s3"\nwith = { bucket = "archive", prefix = "fusion", part = "5 MiB" }\n`);
const RECORD = stage("manifest-append", `id = "record"\nwith = { status = "complete" }\n`);

const FIXTURES: Record<string, StageFixture> = {
  "lock": { upstream: "", stage: subject("lock") },
  "hook": { upstream: "", stage: subject("hook", `{ argv = ["true"] }`) },
  "validate": { upstream: "", stage: subject("validate", `{ standard = "phenocycler" }`) },
  "health": { upstream: "", stage: subject("health") },
  "copy": { upstream: LOCK, stage: subject("copy", `{ to = "\${paths.truenas_root}" }`) },
  "verify": { upstream: LOCK + COPY, stage: subject("verify", `{ place = "truenas" }`) },
  "checksum-sidecar": { upstream: LOCK + COPY + VERIFY, stage: subject("checksum-sidecar", `{ place = "truenas" }`) },
  "s3-upload": {
    upstream: LOCK,
    stage: subject("s3-upload", `{ bucket = "archive", prefix = "fusion", part = "5 MiB" }`),
  },
  "manifest-append": {
    upstream: LOCK + COPY + VERIFY + SIDECAR,
    stage: subject("manifest-append", `{ status = "complete" }`),
  },
  "prove-archived": {
    upstream: LOCK,
    stage: subject("prove-archived", `{ bucket = "archive", prefix = "fusion" }`),
    overBackups: true,
    exits: 1,
  },
  "evict": {
    upstream: LOCK + stage("prove-archived", `id = "s3"\nwith = { bucket = "archive", prefix = "fusion" }\n`),
    stage: subject("evict", `{ require = { places = 1 } }`),
    overBackups: true,
  },
  "delete": {
    upstream: LOCK + COPY + VERIFY + SIDECAR + S3 + RECORD,
    stage: subject("delete", `{ require = { places = 2 } }`),
  },
};

for (const plugin of stages) {
  const fixture = FIXTURES[plugin.name];
  if (fixture) testStage(plugin, fixture);
  // Events have no bytes that a crash could harm; what becomes of them is in the test of each.
  if (plugin.takes === "event") testDescription(plugin);
}

Deno.test("every registered stage that takes trees has a fixture for the conformance suite", () => {
  const ofTrees = stages.filter((plugin) => plugin.takes !== "event");
  assert.deepEqual(ofTrees.map((plugin) => plugin.name).sort(), Object.keys(FIXTURES).sort());
});
