import assert from "node:assert/strict";
import type { AnyStage } from "../../core/contract.ts";
import { stages } from "../../stages/mod.ts";
import { boxNotifier, event } from "../../testing/event_plugins.ts";
import { conformance, type ConformanceOptions } from "../../testing/conformance.ts";

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

const RECORD_OF_LOG = { at: 0, text: "2026-01-02 03:04:05 ERROR too hot\n  at stage 1", context: ["Sample: b1"] };
const LOG = { log: "/instrument/Fusion.log", file: "f1" };
const BLOCKS = { ...LOG, blocks: [{ ...RECORD_OF_LOG, nth: 0 }] };
const TOLD = { event: "fusion_error", at: "2026-01-02T03:04:05.000Z", details: { message: "too hot" } };
const NOTIFY = "[notify]\nenabled = true\n";

const OF_EVENTS: Record<string, ConformanceOptions> = {
  "cooldown": { options: { window: "1h" }, events: [event("a", TOLD), event("b", TOLD)] },
  "drop-repeats": { options: { window: "1h" }, events: [event("a", BLOCKS), event("b", BLOCKS)] },
  "error-blocks": { events: [event("a", { ...LOG, records: [RECORD_OF_LOG] })] },
  "error-context": { events: [event("a", BLOCKS)] },
  "notify": { options: { via: "box" }, plugins: [boxNotifier({ addressed: false }).plugin], events: [words()] },
  "raise-event": {
    options: { event: "fusion_error" },
    config: NOTIFY,
    events: [event("a", BLOCKS), event("b", BLOCKS)],
  },
  "recipients": {
    options: { folder: "/state/lists" },
    disk: { "/state/lists/default.txt": "ops@lab.example" },
    events: [event("fusion_error", TOLD)],
  },
  "render": { events: [event("fusion_error", TOLD)] },
};

/** An event that was put into words. */
function words() {
  return event("fusion_error", { ...TOLD, subject: "too hot", text: "too hot\n", html: "<p>too hot</p>" });
}

for (const plugin of stages) {
  const setting = SETTINGS[plugin.name] ?? OF_EVENTS[plugin.name];
  if (setting) { for (const check of conformance(plugin, { deadlineMs: 300_000, ...setting })) Deno.test(check); }
}

/** Whether the test of the stage itself puts it through the suite, as that of `new stage --builtin` does. */
function hasItsOwn({ name }: AnyStage): boolean {
  const test = new URL(`./${name.replaceAll("-", "_")}_test.ts`, import.meta.url);
  return Deno.readTextFileSync(test).includes("of conformance(");
}

Deno.test("every registered stage is put through the conformance suite", () => {
  const names = stages.filter((plugin) => !hasItsOwn(plugin)).map((plugin) => plugin.name);
  assert.deepEqual(names.sort(), Object.keys({ ...SETTINGS, ...OF_EVENTS }).sort());
});
