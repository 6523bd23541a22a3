import assert from "node:assert/strict";
import { assertFinds, COPY, edited, inserted, lint, RECORD } from "../../kit/backup_variants.ts";

Deno.test("S2 lintPipeline() counts places of one domain once", () => {
  const text = edited(COPY, (block) => block.replace('}" }', '}", domain = "room" }'))
    .replace('verify = "auto" }', 'verify = "auto", domain = "room" }');
  assertFinds(text, {
    code: "safety/too-few-places",
    line: "with = { require = { places = 2 } }",
    message: /places of one domain count once: "truenas" in "room", "s3" in "room"/,
  });
});

Deno.test("S2 lintPipeline() refuses two places at one root, nested roots and nested prefixes", () => {
  const second = (to: string) =>
    `[[stage]]\nuse = "copy"\nid = "second"\nwith = { to = "${to}" }\n\n[[stage]]\nuse = "verify"\nid = "verify2"\nwith = { place = "second" }`;
  const cases: [string, RegExp][] = [
    ["${paths.truenas_root}", /place "second" at "\/nas\/backup": it is the same as place "truenas"/],
    ["${paths.truenas_root}/deep", /it lies within place "truenas"/],
    ["/nas", /it contains place "truenas"/],
    ["/lab/source/copies", /it lies within the source at "\/lab\/source"/],
  ];
  for (const [to, message] of cases) {
    assertFinds(inserted(second(to), RECORD), {
      code: "safety/same-place-twice",
      line: `with = { to = "${to}" }`,
      message,
    });
  }
  const upload = (prefix: string) =>
    `[[stage]]\nuse = "s3-upload"\nid = "s4"\nwith = { bucket = "archive", prefix = "${prefix}" }`;
  assertFinds(inserted(upload("fusion/x"), RECORD), {
    code: "safety/same-place-twice",
    line: 'use = "s3-upload"',
    message: /place "s4" at "s3:\/\/archive\/fusion\/x\/": it lies within place "s3"/,
  });
  assert.deepEqual(lint(inserted(upload("fusion10"), RECORD)), [], "S18: study1 is not study10");
});

Deno.test("S2 lintPipeline() refuses a place within the folder of the ledger", () => {
  const text = edited(COPY, (block) => block.replace("${paths.truenas_root}", "/nas/manifests/copies"));
  assert.ok(lint(text).some((d) => d.code === "safety/same-place-twice" && /ledger/.test(d.message)));
});
