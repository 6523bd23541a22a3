import assert from "node:assert/strict";
import type { AnyStage } from "../../core/contract.ts";
import { stages } from "../../stages/mod.ts";
import { conformance, conformanceOfDescription, type ConformanceOptions } from "../../testing/conformance.ts";

const stage = (use: string, more = "") => `[[stage]]\nuse = "${use}"\n${more}`;
const LOCK = stage("lock");
const COPY = stage("copy", `id = "truenas"\nwith = { to = "\${paths.truenas_root}" }\n`);
const VERIFY = stage("verify", `with = { place = "truenas" }\n`);
const SIDECAR = stage("checksum-sidecar", `with = { place = "truenas" }\n`);
const S3 = stage("s3-upload", `id = "s3"\nwith = { bucket = "archive", prefix = "fusion", part = "5 MiB" }\n`);
const RECORD = stage("manifest-append", `id = "record"\nwith = { status = "complete" }\n`);

const SETTINGS: Record<string, ConformanceOptions> = {
  "lock": {},
  "hook": { options: { argv: ["true"] } },
  "validate": { options: { standard: "phenocycler" } },
  "health": {},
  "copy": { upstream: LOCK, options: { to: "${paths.truenas_root}" } },
  "verify": { upstream: LOCK + COPY, options: { place: "truenas" } },
  "checksum-sidecar": { upstream: LOCK + COPY + VERIFY, options: { place: "truenas" } },
  "s3-upload": { upstream: LOCK, options: { bucket: "archive", prefix: "fusion", part: "5 MiB" } },
  "manifest-append": { upstream: LOCK + COPY + VERIFY + SIDECAR, options: { status: "complete" } },
  "prove-archived": { upstream: LOCK, options: { bucket: "archive", prefix: "fusion" }, exits: 1 },
  "evict": {
    upstream: LOCK + stage("prove-archived", `id = "s3"\nwith = { bucket = "archive", prefix = "fusion" }\n`),
    options: { require: { places: 1 } },
  },
  "delete": { upstream: LOCK + COPY + VERIFY + SIDECAR + S3 + RECORD, options: { require: { places: 2 } } },
};

for (const plugin of stages) {
  const setting = SETTINGS[plugin.name];
  if (setting) { for (const check of conformance(plugin, setting)) Deno.test(check); }
  // Events have no bytes that a crash could harm; what becomes of them is in the test of each.
  if (plugin.takes === "event") Deno.test(conformanceOfDescription(plugin));
}

/** Whether the test of the stage itself puts it through the suite, as that of `new stage --builtin` does. */
function hasItsOwn({ name }: AnyStage): boolean {
  const test = new URL(`./${name.replaceAll("-", "_")}_test.ts`, import.meta.url);
  return Deno.readTextFileSync(test).includes("of conformance(");
}

Deno.test("every registered stage that takes trees is put through the conformance suite", () => {
  const ofTrees = stages.filter((plugin) => plugin.takes !== "event" && !hasItsOwn(plugin));
  assert.deepEqual(ofTrees.map((plugin) => plugin.name).sort(), Object.keys(SETTINGS).sort());
});
