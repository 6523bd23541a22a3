import assert from "node:assert/strict";
import type { AnyStage } from "../../../core/contract.ts";
import { hasErrors, renderDiagnostic } from "../../../core/pipeline/diagnostic.ts";
import {
  assertFinds,
  BACKUP,
  blockIndex,
  blocks,
  COPY,
  DELETE,
  edited,
  inserted,
  lint,
  LOCK,
  moved,
  RECORD,
  SIDECAR,
  UPLOAD,
  VERIFY,
  without,
} from "../../kit/backup_variants.ts";
import { fakeRegistry, fakeStage } from "../../kit/fake_stages.ts";

Deno.test("lintPipeline() passes the shipped backup pipeline without a word", () => {
  assert.deepEqual(lint(BACKUP), []);
});

Deno.test("lintPipeline() refuses delete before verify", () => {
  assertFinds(moved(DELETE, VERIFY), {
    code: "safety/destroy-unproved",
    line: "with = { require = { places = 2 } }",
    message:
      /proved at 2 places other than "source" is missing.*"truenas" is written but not proved.*stage "verify" \(line \d+\) gives it, too late/,
    hint: /move "delete" \(line \d+\) behind "verify" \(line \d+\)/,
  });
});

Deno.test("lintPipeline() refuses delete as the first stage, naming lock, record and proofs", () => {
  const found = lint(moved(DELETE, '"validate"')).map((d) => d.code);
  for (const code of ["unlocked", "unrecorded", "unproved"]) {
    assert.ok(found.includes(`safety/destroy-${code}`), code);
  }
});

Deno.test("lintPipeline() refuses the pipeline without verify", () => {
  assertFinds(without(VERIFY), {
    code: "safety/destroy-unproved",
    line: "with = { require = { places = 2 } }",
    message: /"truenas" is written but not proved, "s3" is proved/,
    hint: /use = "verify", with = \{ place = "truenas" \}/,
  });
  assertFinds(without(VERIFY), {
    code: "safety/missing-fact",
    line: 'with = { place = "truenas" }',
    message: /Cannot run stage "checksum-sidecar": proved at "truenas"/,
  });
});

Deno.test("lintPipeline() refuses the pipeline without lock", () => {
  assertFinds(without(LOCK), {
    code: "safety/destroy-unlocked",
    line: 'use  = "delete"',
    message: /locked is missing/,
    hint: /use = "lock"/,
  });
});

Deno.test("lintPipeline() refuses the pipeline without the complete record", () => {
  assertFinds(without(RECORD), {
    code: "safety/destroy-unrecorded",
    line: 'use  = "delete"',
    message: /recorded is missing/,
    hint: /use = "manifest-append".*status = "complete"/,
  });
});

Deno.test("lintPipeline() refuses the pipeline without copy, naming the place nobody writes", () => {
  assertFinds(without(COPY), {
    code: "safety/unknown-place",
    line: 'with = { place = "truenas" }',
    message: /Cannot run stage "verify": no stage writes place "truenas", so that written at "truenas" is missing/,
    hint: /use = "copy", id = "truenas"/,
  });
  assertFinds(without(COPY), {
    code: "safety/too-few-places",
    line: "with = { require = { places = 2 } }",
    message: /found 1 in distinct domains.*the pipeline writes 1 such place, wanted 2/,
  });
});

Deno.test("lintPipeline() refuses the pipeline without the sidecar", () => {
  assertFinds(without(SIDECAR), {
    code: "safety/not-sealed",
    line: 'with = { status = "complete" }',
    message: /sealed is missing/,
    hint: /use = "checksum-sidecar"/,
  });
});

Deno.test("lintPipeline() refuses the pipeline without the upload", () => {
  assertFinds(without(UPLOAD), {
    code: "safety/too-few-places",
    line: "with = { require = { places = 2 } }",
    message: /"truenas" is proved.*the pipeline writes 1 such place, wanted 2/,
  });
});

Deno.test('lintPipeline() refuses an upload with verify = "none"', () => {
  const text = edited(UPLOAD, (block) => block.replace('verify = "auto" }', 'verify = "none" }'));
  assertFinds(text, {
    code: "safety/destroy-unproved",
    line: "with = { require = { places = 2 } }",
    message: /"s3" is written but not proved/,
    hint: /verify = "auto"/,
  });
  assertFinds(text, {
    code: "safety/complete-before-proof",
    line: 'with = { status = "complete" }',
    message: /proved at "s3" is missing/,
  });
});

for (
  const [name, marker, code] of [
    ["verify", VERIFY, "safety/destroy-unproved"],
    ["copy", COPY, "safety/destroy-unproved"],
    ["s3-upload", UPLOAD, "safety/destroy-unproved"],
    ["lock", LOCK, "safety/destroy-unlocked"],
    ["record", RECORD, "safety/destroy-unrecorded"],
    ["checksum-sidecar", SIDECAR, "safety/not-sealed"],
  ]
) {
  Deno.test(`lintPipeline() does not count ${name} with on_error = "warn"`, () => {
    const text = edited(marker, (block) => `${block.trimEnd()}\non_error = "warn"\n`);
    const found = lint(text);
    assert.ok(found.some((d) => d.code === code), found.map(renderDiagnostic).join("\n"));
    const cause = found.find((d) => /on_error = "warn"/.test(d.message));
    assert.match(cause?.hint ?? "", /take on_error = "warn" from/);
  });
}

Deno.test("lintPipeline() refuses a hook between proof and delete, naming the hook", () => {
  const hook = '[[stage]]\nuse  = "hook"\nwith = { argv = ["tidy.cmd"] }';
  assertFinds(inserted(hook, DELETE), {
    code: "safety/destroy-unproved",
    line: "with = { require = { places = 2 } }",
    message: /stage "hook" \(line \d+\) takes it away: it may change any byte/,
    hint: /move "hook" before "validate" .* or to \[\[before\]\]/,
  });
  assertFinds(inserted(hook, DELETE), {
    code: "safety/destroy-unrecorded",
    line: 'use  = "delete"',
    message: /stage "record" \(line \d+\) gives it, and stage "hook"/,
  });
});

Deno.test("lintPipeline() passes a hook where nothing is lost, one without a program, and one that touches nothing", () => {
  for (
    const [hook, before] of [
      ['[[stage]]\nuse = "hook"\nwith = { argv = ["x"] }', LOCK],
      ['[[stage]]\nuse = "hook"\nwith = { argv = "${hooks.cleanup}" }', DELETE],
      ['[[stage]]\nuse = "hook"\nwith = { argv = ["x"], touches = [] }', DELETE],
    ]
  ) {
    assert.deepEqual(lint(inserted(hook, before)), [], hook);
  }
});

Deno.test("lintPipeline() refuses a pinned hook that touches what is proved", () => {
  const hook = (place: string) => `[[stage]]\nuse = "hook"\nwith = { argv = ["x"], touches = ["${place}"] }`;
  for (const place of ["source", "truenas", "s3"]) {
    assertFinds(inserted(hook(place), DELETE), {
      code: "safety/destroy-unproved",
      line: "with = { require = { places = 2 } }",
      message: /stage "hook" \(line \d+\) takes it away/,
    });
  }
});

Deno.test("lintPipeline() refuses a modifying stage that does not say what it touches", () => {
  assertFinds(inserted('[[stage]]\nuse = "tidy"', DELETE), {
    code: "safety/destroy-unproved",
    line: "with = { require = { places = 2 } }",
    message: /stage "tidy" \(line \d+\) takes it away/,
  });
});

Deno.test("lintPipeline() lets a stage from outside that is not pinned touch everything, whatever it declares", () => {
  const own = { ...fakeRegistry().get("stage", "validate"), name: "own-step" };
  const text = inserted('[[stage]]\nuse = "own-step"\nwith = { standard = "x" }', DELETE);
  assert.deepEqual(lint(text, fakeRegistry([own])), []);
  const external = [{ plugin: own, origin: { file: "/own.ts", sha256: "0", pinned: false } }];
  assert.ok(hasErrors(lint(text, fakeRegistry([], { external }))));
});

Deno.test("lintPipeline() refuses complete where a stage writes only some of the files", () => {
  const part: Partial<AnyStage> = {
    facts: (_options, id) => ({ gives: [{ fact: "hashed" }, { fact: "written", place: id, strength: "none" }] }),
  };
  const registry = fakeRegistry([fakeStage({ name: "share-previews", ...part })]);
  const verified = `[[stage]]\nuse = "share-previews"\n\n[[stage]]\nuse = "verify"\nid = "v2"\n` +
    `with = { place = "share-previews" }`;
  const found = lint(inserted(verified, RECORD), registry).filter(({ severity }) => severity === "error");
  assert.match(
    found[0]?.message ?? "",
    /proved at "share-previews" is missing, found written but not proved; stage "share-previews" \(line \d+\) writes only/,
  );
  assert.match(found[0].hint ?? "", /move "share-previews" to a pipeline of its own/);
});

Deno.test("lintPipeline() refuses complete before the proof of a place", () => {
  assertFinds(moved(RECORD, VERIFY), {
    code: "safety/complete-before-proof",
    line: 'with = { status = "complete" }',
    message: /proved at "truenas" is missing.*stage "verify" \(line \d+\) gives it, too late/,
  });
  assertFinds(moved(RECORD, COPY), {
    code: "safety/complete-before-proof",
    line: 'with = { status = "complete" }',
    message: /no place is written/,
  });
});

Deno.test("lintPipeline() refuses complete before a place that is written later, recorded again or not", () => {
  assertFinds(moved(RECORD, UPLOAD), {
    code: "safety/complete-before-proof",
    line: 'with = { status = "complete" }',
    message: /proved at "s3" is missing; stage "s3" \(line \d+\) writes it later/,
    hint: /move "record" behind/,
  });
  const again = '[[stage]]\nuse = "manifest-append"\nid = "first"\nwith = { status = "complete" }';
  assertFinds(inserted(again, UPLOAD), {
    code: "safety/complete-before-proof",
    line: 'with = { status = "complete" }',
    message: /in stage "first": proved at "s3" is missing/,
    hint: /move "first" behind/,
  });
});

Deno.test("lintPipeline() refuses complete while a branch may still write", () => {
  const text = BACKUP.replace('id   = "record"\n', 'id   = "record"\nafter = ["checksum-sidecar"]\n')
    .replace('use  = "delete"\n', 'use  = "delete"\nafter = ["record", "s3"]\n');
  assertFinds(text, {
    code: "safety/complete-before-proof",
    line: 'with = { status = "complete" }',
    message: /proved at "s3" is missing.*may run at the same time/,
    hint: /add "s3" to after/,
  });
});

Deno.test("lintPipeline() passes branches that copy and upload at the same time and join before the record", () => {
  const text = BACKUP.replace('id   = "s3"\n', 'id   = "s3"\nafter = ["lock"]\n')
    .replace('id   = "record"\n', 'id   = "record"\nafter = ["checksum-sidecar", "s3"]\n');
  assert.deepEqual(lint(text), []);
});

Deno.test("lintPipeline() refuses a branch that may destroy while another proves", () => {
  const text = BACKUP.replace('id   = "s3"\n', 'id   = "s3"\nafter = ["lock"]\n');
  const found = lint(text);
  assert.ok(hasErrors(found));
  assert.ok(found.some((d) => /may run at the same time/.test(d.message)), found.map(renderDiagnostic).join("\n\n"));
});

Deno.test("lintPipeline() refuses a stage that works on what is destroyed", () => {
  for (
    const [stage, line] of [
      ['[[stage]]\nuse = "copy"\nid = "late"\nwith = { to = "/late" }', 'use = "copy"'],
      ['[[stage]]\nuse = "validate"\nid = "late"\nwith = { standard = "x" }', 'use = "validate"'],
      ['[[stage]]\nuse = "delete"\nid = "late"', 'use = "delete"'],
      ['[[stage]]\nuse = "verify"\nid = "late"\nwith = { place = "truenas" }', 'use = "verify"'],
    ]
  ) {
    const parts = blocks(BACKUP);
    parts.splice(blockIndex(parts, DELETE) + 1, 0, `${stage}\n`);
    assertFinds(parts.join("\n"), {
      code: "safety/read-after-destroy",
      line,
      message: /it works on "source", and stage "delete" \(line \d+\) has destroyed it by then/,
      hint: /move "late" before "delete"/,
    });
  }
});

Deno.test("lintPipeline() lets a stage that does not look at the study follow a delete", () => {
  const parts = blocks(BACKUP);
  parts.splice(blockIndex(parts, DELETE) + 1, 0, '[[stage]]\nuse = "hook"\nwith = { argv = ["tell"] }\n');
  assert.deepEqual(lint(parts.join("\n")), []);
});

Deno.test("lintPipeline() refuses a destroy in [[before]] and [[on_item_failed]]", () => {
  const able = { ...fakeRegistry().get("stage", "delete"), name: "purge", before: true, onItemFailed: true };
  for (const list of ["before", "on_item_failed"]) {
    const found = lint(`${BACKUP}\n[[${list}]]\nuse = "purge"\n`, fakeRegistry([able]));
    assert.deepEqual(found.map((d) => d.code), ["safety/destroy-in-handler"]);
    assert.match(found[0].message, new RegExp(`Cannot destroy in \\[\\[${list}\\]\\]`));
  }
});

Deno.test("lintPipeline() refuses a stage with needs in a handler, where nothing stands", () => {
  const found = lint(
    `${BACKUP}\n[[on_item_failed]]\nuse = "manifest-append"\nid = "lie"\nwith = { status = "complete" }\n`,
  );
  assert.deepEqual(found.map((d) => d.code), ["safety/missing-fact"]);
  assert.match(found[0].message, /no fact stands there/);
});

Deno.test("lintPipeline() refuses a stage that destroys and does not say what", () => {
  assert.ok(lint(inserted('[[stage]]\nuse = "wreck"', LOCK)).some((d) => d.code === "safety/undeclared-destroy"));
});

Deno.test("lintPipeline() refuses to evict the last proved place", () => {
  const evict = (place: string) => {
    const parts = blocks(BACKUP);
    parts.splice(blockIndex(parts, DELETE), 1, `[[stage]]\nuse = "evict"\nwith = { place = "${place}", places = 2 }\n`);
    return parts.join("\n");
  };
  assertFinds(evict("truenas"), {
    code: "safety/too-few-places",
    line: 'with = { place = "truenas", places = 2 }'.replace("with", 'use = "evict"').slice(0, 13),
    message: /proved at 2 places other than "truenas" is missing/,
  });
  assert.ok(
    lint(evict("truenass")).some((d) => d.code === "safety/unknown-place" && d.hint === `did you mean "truenas"`),
  );
  assert.deepEqual(lint(evict("truenas").replace("places = 2", "places = 1")), []);
});

Deno.test("lintPipeline() warns of a place that nothing proves, and counts weak proof only beside a strong one", () => {
  const only = `name = "p"
[source]
use = "idle-folders"
with = { root = "/s" }
[[stage]]
use = "lock"
[[stage]]
use = "copy"
id = "nas"
with = { to = "/n", durability = "cached" }
`;
  assert.deepEqual(lint(only).map((d) => [d.code, d.severity]), [["safety/unproved-place", "warning"]]);
  const weak = `${only}[[stage]]
use = "verify"
with = { place = "nas" }
[[stage]]
use = "checksum-sidecar"
with = { place = "nas" }
[[stage]]
use = "manifest-append"
with = { status = "complete" }
[[stage]]
use = "delete"
`;
  const found = lint(weak);
  assert.deepEqual(found.map((d) => d.code), ["safety/destroy-unproved"]);
  assert.match(found[0].message, /"nas" is proved weakly only/);
  assert.match(found[0].hint ?? "", /durability = "flushed"/);
});

Deno.test("lintPipeline() warns when [[on_item_failed]] can never run", () => {
  const text = `name = "p"
[source]
use = "idle-folders"
with = { root = "/s" }
[[stage]]
use = "validate"
with = { standard = "x" }
on_error = "warn"
[[on_item_failed]]
use = "hook"
with = { argv = ["x"] }
`;
  assert.deepEqual(lint(text).map((d) => d.code), ["safety/unreachable"]);
});

Deno.test("lintPipeline() reports one mistake once, not at every stage below", () => {
  const codes = lint(without(VERIFY)).filter((d) => d.severity === "error").map((d) => d.code);
  assert.deepEqual(codes, ["safety/missing-fact", "safety/destroy-unproved"]);
});
