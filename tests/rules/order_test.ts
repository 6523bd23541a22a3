import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BACKUP } from "../../testing/world.ts";
import { assertDone, assertFailed, assertSourceWhole, AT_SOURCE, worldWith } from "../kit/rules.ts";

Deno.test("S5 an order of stages that could lose data is refused by lint, and by the engine when lint is bypassed", async () => {
  const stage = (text: string) => new RegExp(`\\[\\[stage\\]\\]\\nuse *= "${text}"[^[]*`);
  const record = /\[\[stage\]\]\nuse {2}= "manifest-append"\nid {3}= "record"[^[]*/;
  const without: Record<string, [pipeline: string, code: string]> = {
    "no lock": [BACKUP.replace(stage("lock"), ""), "lock/not-held"],
    "no record": [BACKUP.replace(record, ""), "destroy/not-recorded"],
    "no verify": [BACKUP.replace(stage("verify"), ""), "seal/not-proved"],
    "no sidecar": [BACKUP.replace(stage("checksum-sidecar"), ""), "record/not-proved"],
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

Deno.test("S5 a study that goes to a bucket alone is sealed by its upload, unless that proves nothing", async () => {
  const bucketOnly = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "copy"[^]*?(?=\[\[stage\]\]\nuse {2}= "s3-upload")/, "")
    .replace("places = 2", "places = 1");
  await using world = await worldWith();
  assertDone(await world.run({ pipeline: bucketOnly }));
  assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "complete");
  const sidecar = world.store.objects.get("fusion/study1/_checksums.sha256")!.bytes;
  assert.equal(record?.sidecar_sha256, createHash("sha256").update(sidecar).digest("hex"));

  const unproved = bucketOnly.replace(`part = "5 MiB"`, `part = "5 MiB", verify = "none"`);
  const codes = world.compile(unproved).diagnostics.map((found) => found.code);
  assert.ok(codes.includes("safety/not-sealed"), codes.join());
});
