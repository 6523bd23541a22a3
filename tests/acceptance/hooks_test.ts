import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import {
  acceptance,
  fate,
  fates,
  type Json,
  type Lab,
  needsPosix,
  openLab,
  shippedPipeline,
  snapshot,
  STUDY,
  study,
  tree,
} from "./_lab.ts";

const hooks = (...argv: string[]) => `\n[hooks]\nbackup = ${JSON.stringify(argv)}\n`;
const inItem = (options: string, before = "# Copies and hashes in one pass.") => (shipped: string) =>
  shipped.replace(before, `[[stage]]\nuse = "hook"\n${options}\n\n${before}`);

async function untouched(lab: Lab, what: string): Promise<void> {
  assert.deepEqual(await tree(lab.nas), [".labferry-place"], what);
  assert.deepEqual(await tree(lab.manifests), [".labferry-place"], what);
  assert.deepEqual(await lab.keys(), [], what);
}

acceptance(
  "a hook in [[before]] that fails, is not there, or takes too long: exit 1 before anything starts",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const before = await snapshot(lab.source);
    for (
      const [argv, code, words] of [
        [["sh", "-c", "echo mounting; echo no route >&2; exit 7"], "hook/failed", /exit code 7, wanted exit code 0/],
        [["sh", "-c", "kill -9 $$"], "hook/failed", /SIGKILL/],
        [["/no/such/program"], "hook/not-found", /no such program/],
      ] as const
    ) {
      await lab.config(hooks(...argv));
      const { code: exit, report, stderr } = await lab.report(["backup", "run"]);
      assert.deepEqual([exit, report.exit_code, report.error.code, report.items], [1, 1, code, []], stderr);
      assert.match(report.error.message, words);
      assert.match(stderr, /what to do: /);
      await untouched(lab, code);
    }
    // What the program said is in the log and on stderr, never on stdout.
    await lab.config(hooks("sh", "-c", "echo mounting; echo no route >&2; exit 7"));
    const words = await lab.run(["backup", "run"]);
    assert.match(words.stderr, /info {2}mounting program="sh"[^]*no route program="sh"/);
    assert.doesNotMatch(words.stdout, /^(mounting|no route)/m);
    assert.match(words.stdout, /Cannot run \[hooks\] backup, "sh -c .*": it ran and ended with exit code 7/);
    assert.match(await lab.logs(), /mounting/);

    await lab.config();
    const slow = (shipped: string) =>
      shipped.replace('with = { argv = "${hooks.backup}" }', 'with = { argv = ["sleep", "60"] }\ntimeout = "300ms"');
    await lab.pipeline("backup", slow);
    const late = await lab.report(["backup", "run"]);
    assert.deepEqual([late.code, late.report.error.code], [1, "run/timeout"]);
    await lab.pipeline(
      "backup",
      (text) => slow(text).replace('timeout = "300ms"', "").replace(`"60"] }`, `"60"], timeout = "300ms" }`),
    );
    const own = await lab.report(["backup", "run"]);
    assert.deepEqual([own.code, own.report.error.code], [1, "hook/timeout"]);
    await untouched(lab, "timeout");
    assert.deepEqual(await snapshot(lab.source), before);
  },
  needsPosix,
);

acceptance(
  "no hook, an empty hook and an empty [hooks] do nothing; a hook may be a warning; it may mount the NAS",
  async () => {
    await using lab = await openLab();
    for (const [index, text] of ["", "\n[hooks]\n", "\n[hooks]\nbackup = []\n"].entries()) {
      await lab.config(text);
      await study(lab, `20250131_ada_kidney_h${index}`);
      const { code, stderr } = await lab.report(["backup", "run"]);
      assert.equal(code, 0, stderr);
    }
    await study(lab, STUDY);
    // The share is away until the hook brings it.
    await Deno.rename(lab.nas, lab.at("share"));
    await lab.config(hooks("mv", lab.at("share"), lab.nas));
    const mounted = await lab.report(["backup", "run"]);
    assert.equal(mounted.code, 0, mounted.stderr);
    assert.deepEqual(fates(mounted.report), [`${STUDY} done`]);

    await study(lab, "20250131_ada_kidney_b2");
    await lab.config();
    await lab.pipeline(
      "backup",
      (shipped) =>
        shipped.replace('with = { argv = "${hooks.backup}" }', 'with = { argv = ["false"] }\non_error = "warn"'),
    );
    const warned = await lab.report(["backup", "run"]);
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(warned.stderr, /warn {2}.*exit code 1/);
  },
  needsPosix,
);

acceptance("a hook inside an item fails that item alone, or warns; it knows the item's name", async () => {
  await using lab = await openLab();
  await study(lab, "20250131_ada_kidney_b1");
  await study(lab, "20250131_ada_kidney_b2");
  const only = 'case "$0" in *b1) echo told "$0"; exit 3;; esac';
  await lab.pipeline("backup", inItem(`with = { argv = ["sh", "-c", ${JSON.stringify(only)}, "\${item.name}"] }`));
  const { code, report, stderr } = await lab.report(["backup", "run"]);
  assert.equal(code, 1, stderr);
  assert.deepEqual(fates(report), [
    "20250131_ada_kidney_b1 failed hook hook/failed",
    "20250131_ada_kidney_b2 done",
  ]);
  assert.match(stderr, /told 20250131_ada_kidney_b1/);
  const last = (await lab.ledger()).findLast((line: Json) => line.backup_name === "20250131_ada_kidney_b1");
  assert.equal(fate(last), "20250131_ada_kidney_b1 failed");
  await lab.pipeline("backup", inItem('with = { argv = ["false"], on_error = "warn" }'));
  const warned = await lab.report(["backup", "run"]);
  assert.equal(warned.code, 0, warned.stderr);
}, needsPosix);

acceptance("a byte that changes on the NAS between copy and verify: failed_truenas, and the study stays", async () => {
  await using lab = await openLab();
  const files = await study(lab);
  // The only program that may stand there is one the operator vouches for. This one breaks its word.
  const target = join(lab.nas, STUDY, STUDY, "Scan1", "image.qptiff");
  const script = lab.at("flip.sh");
  await Deno.writeTextFile(script, `#!/bin/sh\nprintf X | dd of='${target}' bs=1 seek=7 conv=notrunc 2>/dev/null\n`);
  await Deno.chmod(script, 0o755);
  const pin = createHash("sha256").update(await Deno.readFile(script)).digest("hex");
  await lab.pipeline(
    "backup",
    inItem(
      `with = { argv = [${JSON.stringify(script)}], sha256 = "${pin}", touches = [] }`,
      "# Reads every byte on the NAS",
    ),
  );
  const { code, report, stderr } = await lab.report(["backup", "run"]);
  assert.equal(code, 1, stderr);
  const [item] = report.items;
  assert.deepEqual([item.outcome, item.error.stage], ["failed", "verify"], stderr);
  const outcomes = Object.fromEntries(item.stages.map((stage: Json) => [stage.id, stage.outcome]));
  assert.deepEqual([outcomes.truenas, outcomes.verify, outcomes.s3, outcomes.delete], [
    "done",
    "failed",
    "not-reached",
    "not-reached",
  ]);
  const last = (await lab.ledger()).at(-1);
  assert.equal(fate(last), `${STUDY} failed_truenas`);
  assert.match(last.error, /image\.qptiff/);
  for (const [path, text] of Object.entries(files)) {
    assert.equal(await Deno.readTextFile(join(lab.source, STUDY, path)), text);
  }
  assert.ok(!(await tree(lab.source)).some((path) => path.endsWith(".labferry.lock")), "the lock is released");
  assert.ok((await shippedPipeline()).includes("# Reads every byte on the NAS"));
}, needsPosix);
