import assert from "node:assert/strict";
import { BACKUP, lint } from "../../kit/backup_variants.ts";

/** `after = […]` written at a stage of the shipped backup, and what mends it: the stage that then waits for more. */
const TORN = [
  {
    at: 'id   = "s3"\n',
    after: '["lock"]',
    hint: /^"s3" \(line \d+\) runs beside "checksum-sidecar", for its after = \["lock"\]: let "record" wait for both, /,
    mended: { at: 'id   = "record"\n', after: '["checksum-sidecar", "s3"]' },
  },
  {
    at: 'use  = "verify"\n',
    after: '["lock"]',
    hint: /^add "truenas" to after = \["lock"\] of "verify" \(line \d+\), or take that after out$/,
  },
  {
    at: 'use  = "delete"\n',
    after: '["s3", "verify"]',
    hint: /^add "record" to after = \["s3", "verify"\] of "delete" \(line \d+\), or take that after out$/,
  },
  {
    at: 'id   = "record"\n',
    after: '["truenas"]',
    hint: /^add "s3" to after = \["truenas"\] of "record" \(line \d+\), or take that after out$/,
  },
] as const;

function written(text: string, { at, after }: { at: string; after: string }): string {
  assert.equal(text.split(at).length, 2, `${at} stands once in the backup`);
  return text.replace(at, `${at}after = ${after}\n`);
}

for (const { at, after, hint, ...rest } of TORN) {
  Deno.test(`adviseOnBranches() names the line that tears the order apart: ${at.trim()} after ${after}`, () => {
    const torn = written(BACKUP, { at, after });
    const found = lint(torn);
    assert.ok(found.length > 0);
    for (const one of found) assert.match(one.hint ?? "", hint);
    if ("mended" in rest) assert.deepEqual(lint(written(torn, rest.mended)), []);
  });
}

Deno.test("adviseOnBranches() leaves alone what no branch has caused", () => {
  const branches = written(written(BACKUP, { at: 'id   = "s3"\n', after: '["lock"]' }), {
    at: 'id   = "record"\n',
    after: '["checksum-sidecar", "s3"]',
  });
  const unproved = branches.replace('[[stage]]\nuse  = "verify"\nwith = { place = "truenas" }\n', "");
  assert.notEqual(unproved, branches);
  const hints = lint(unproved).map(({ hint }) => hint ?? "");
  assert.ok(hints.some((hint) => hint.includes('use = "verify", with = { place = "truenas" }')), hints.join("\n"));
  assert.deepEqual(hints.filter((hint) => hint.includes("take that after out")), []);
});
