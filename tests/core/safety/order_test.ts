import assert from "node:assert/strict";
import { BACKUP } from "../../kit/world.ts";
import { assertFailed, assertSourceWhole, worldWith } from "./_rules.ts";

Deno.test("S5 an order of stages that could lose data is refused by lint, and by the engine when lint is bypassed", async () => {
  const stage = (text: string) => new RegExp(`\\[\\[stage\\]\\]\\nuse *= "${text}"[^[]*`);
  const record = /\[\[stage\]\]\nuse {2}= "manifest-append"\nid {3}= "record"[^[]*/;
  const without: Record<string, [pipeline: string, code: string]> = {
    "no lock": [BACKUP.replace(stage("lock"), ""), "lock/not-held"],
    "no record": [BACKUP.replace(record, ""), "destroy/not-recorded"],
    "no verify": [BACKUP.replace(stage("verify"), ""), "seal/not-proved"],
    "no sidecar, no s3": [
      BACKUP.replace(stage("checksum-sidecar"), "").replace(stage("s3-upload"), ""),
      "record/not-proved",
    ],
    "s3 not verified": [BACKUP.replace(`part = "5 MiB"`, `part = "5 MiB", verify = "none"`), "record/not-proved"],
    "one place, two wanted": [BACKUP.replace(stage("s3-upload"), ""), "destroy/not-proved"],
    "delete before record": [
      BACKUP.replace(stage("delete"), "").replace(record, (found) => `[[stage]]\nuse = "delete"\n${found}`),
      "destroy/not-recorded",
    ],
    "delete before verify": [
      BACKUP.replace(stage("delete"), "").replace(stage("verify"), (found) => `[[stage]]\nuse = "delete"\n${found}`),
      "destroy/not-recorded",
    ],
  };
  for (const [what, [pipeline, code]] of Object.entries(without)) {
    await using world = await worldWith();
    const errors = world.compile(pipeline).diagnostics.filter((found) => found.severity === "error");
    assert.ok(errors.length > 0, `${what}: lint lets it pass`);
    const report = await world.run({ pipeline, unlinted: true });
    assertFailed(report, code);
    assertSourceWhole(world);
    const status = (await world.ledger()).get("study1")?.status;
    assert.equal(status === "complete", ["one place, two wanted", "no lock"].includes(what), what);
  }
});
