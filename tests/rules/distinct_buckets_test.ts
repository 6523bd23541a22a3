import assert from "node:assert/strict";
import { type ObjectPlaceDeclaration, relateBuckets } from "../../core/safety/distinct_buckets.ts";
import { BACKUP, World } from "../../testing/world.ts";
import { archived, assertDone, assertFailed, assertSourceWhole, FILES, worldWith } from "../kit/rules.ts";

const place = (prefix: string, more: { bucket?: string; endpoint?: string; domain?: string } = {}) => {
  const { bucket = "archive", endpoint = "http://one:9000", domain } = more;
  const upload = { verify: "auto" as const, partSize: 5 * 2 ** 20, parallel: 1 };
  return { kind: "objects", id: "x", store: "s3", options: { bucket, endpoint }, prefix, domain, upload } as const;
};

Deno.test("S2 relateBuckets() takes one bucket name with prefixes that overlap for one place, whatever the endpoint", () => {
  const other = { endpoint: "http://two:9000" };
  const cases: [ObjectPlaceDeclaration, ObjectPlaceDeclaration, string | undefined][] = [
    [place("a/"), place("a/"), "same"],
    [place("a/"), place("a/", other), "same"],
    [place("a/"), place("/a", other), "same"],
    [place("a/"), place("a/b/", other), "inside"],
    [place("a/b/"), place("", other), "contains"],
    [place("a/"), place("a0/", other), undefined],
    [place("a/"), place("a/", { bucket: "elsewhere" }), undefined],
    [place("a/"), place("a/", { ...other, domain: "room" }), "same"],
    [place("a/", { domain: "room" }), place("a/", { ...other, domain: "room" }), "same"],
    [place("a/", { domain: "cellar" }), place("a/", { ...other, domain: "room" }), undefined],
    [place("a/", { domain: "cellar" }), place("a/", { endpoint: "HTTP://one:9000/", domain: "room" }), "same"],
  ];
  for (const [a, b, wanted] of cases) assert.equal(relateBuckets(a, b), wanted, JSON.stringify([a, b]));
});

/** The study in two places that are one: nothing is copied to a folder. */
const twice = (domains = ["", ""]) => {
  const upload = (id: string, endpoint: string, domain: string) =>
    `[[stage]]\nuse = "s3-upload"\nid = "${id}"\nwith = { bucket = "archive", prefix = "fusion", part = "5 MiB", ` +
    `endpoint = "${endpoint}"${domain && `, domain = "${domain}"`} }\n`;
  const text = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "copy"[^]*?(?=\[\[stage\]\]\nuse {2}= "s3-upload")/, "");
  return text.replace(
    /\[\[stage\]\]\nuse {2}= "s3-upload"[^]*?(?=\[\[stage\]\])/,
    upload("s3", "http://127.0.0.1:1", domains[0]) + upload("again", "http://localhost:1", domains[1]) +
      `[[stage]]\nuse = "checksum-sidecar"\nwith = { place = "s3" }\n`,
  );
};

Deno.test("S2 one bucket by two endpoints is one place: lint and the engine refuse it, nothing is written", async () => {
  await using world = await worldWith();
  const { diagnostics } = world.compile(twice());
  assert.deepEqual(diagnostics.filter((d) => d.severity === "error").map((d) => d.code), ["safety/same-place-twice"]);
  const before = archived(world);
  const report = await world.run({ pipeline: twice(), unlinted: true });
  assert.deepEqual([report.exit_code, report.error?.code], [2, "place/not-distinct"]);
  assert.deepEqual(archived(world), before);
});

Deno.test("S2 two buckets said to be apart that are one meet at the claim; the source stays", async () => {
  await using world = await worldWith();
  const pipeline = twice(["room", "cellar"]);
  for (const _ of [1, 2]) {
    assertFailed(await world.run({ pipeline }), "place/not-distinct");
    assertSourceWhole(world);
    assert.notEqual((await world.ledger()).get("study1")?.status, "complete");
  }
});

Deno.test("S11 a bucket whose stage got another id takes its claims over", async () => {
  await using world = await World.open();
  world.study("study1", FILES);
  const kept = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
  assertDone(await world.run({ pipeline: kept }));
  assertDone(await world.run({ pipeline: kept.replace('id   = "s3"', 'id   = "archive"') }));
  const claim = new TextDecoder().decode(world.store.objects.get("fusion/_claims/study1.json")?.bytes);
  assert.equal(JSON.parse(claim).place, "archive");
});
