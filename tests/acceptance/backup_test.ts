import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { join } from "@std/path";
import {
  acceptance,
  BUCKET,
  fate,
  fates,
  type Json,
  needsPosix,
  openLab,
  PREFIX,
  sha256,
  snapshot,
  STUDY,
  study,
  tree,
} from "./_lab.ts";

const KEYS = [
  "backup_name",
  "run_name",
  "source_path",
  "truenas_path",
  "s3_uri",
  "file_count",
  "total_bytes",
  "started_at",
  "truenas_verified_at",
  "s3_verified_at",
  "completed_at",
  "source_deleting_at",
  "source_deleted_at",
  "truenas_evicting_at",
  "truenas_evicted_at",
  "status",
  "places",
  "sidecar_sha256",
  "incarnation",
  "host",
  "prev",
];
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
/** Names that a POSIX system can hold and that tools trip over. */
const NASTY = needsPosix ? ["sp ace", "ünïcode"] : [
  "sp ace",
  "ünïcode",
  "new\nline",
  "back\\slash",
  "-dash",
  "*star",
  'quo"te',
  "per%20cent",
  "pl+us",
  "#hash",
  "a&b=c",
];

acceptance("backup run does the whole job, and every file it leaves is as documented", async () => {
  await using lab = await openLab();
  const scan = `${STUDY}/Scan1`;
  const files = await study(lab, STUDY, {
    files: { [`${scan}/empty.txt`]: "", ...Object.fromEntries(NASTY.map((name) => [`${scan}/${name}`, `in ${name}`])) },
    folders: [`${scan}/none/deep`],
  });
  const paths = Object.keys(files);
  const bytes = Object.values(files).reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0);
  const mtime = (await Deno.stat(join(lab.source, STUDY, paths[0]))).mtime as Date;
  const { code, report, stderr } = await lab.report(["backup", "run"]);
  assert.equal(code, 0, stderr);

  // The report of DESIGN 5.
  assert.deepEqual(Object.keys(report).sort(), [
    "dry_run",
    "exit_code",
    "finished_at",
    "items",
    "pipeline",
    "run_id",
    "started_at",
  ]);
  assert.deepEqual([report.pipeline, report.exit_code, report.dry_run], ["backup", 0, false]);
  assert.match(report.run_id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.match(report.started_at, TIME);
  assert.match(report.finished_at, TIME);
  assert.deepEqual(fates(report), [`${STUDY} done`]);
  assert.deepEqual(report.items[0].stages.map((stage: Json) => `${stage.id} ${stage.use} ${stage.outcome}`), [
    "validate validate done",
    "lock lock done",
    "manifest-append manifest-append done",
    "truenas copy done",
    "verify verify done",
    "checksum-sidecar checksum-sidecar done",
    "s3 s3-upload done",
    "record manifest-append done",
    "delete delete done",
  ]);
  for (const stage of report.items[0].stages) {
    for (const key of ["applied", "skipped", "files", "bytes", "ms"]) assert.equal(typeof stage[key], "number", key);
    if (["truenas", "verify", "s3", "delete"].includes(stage.id)) {
      assert.deepEqual([stage.id, stage.files, stage.bytes], [stage.id, paths.length, bytes]);
    }
  }

  // The instrument is free; the copy is whole, with its times; the sidecar checks with coreutils.
  assert.deepEqual(await tree(lab.source), [".labferry-place"]);
  const copied = await tree(join(lab.nas, STUDY));
  assert.deepEqual(copied, ["_checksums.sha256", `${scan}/none/deep/`, ...paths].sort());
  for (const [path, text] of Object.entries(files)) {
    assert.equal(await Deno.readTextFile(join(lab.nas, STUDY, path)), text, path);
    assert.equal((await Deno.stat(join(lab.nas, STUDY, path))).mtime?.getTime(), mtime.getTime(), path);
  }
  const sidecar = await Deno.readTextFile(join(lab.nas, STUDY, "_checksums.sha256"));
  if (needsPosix === undefined) {
    const check = await new Deno.Command("sha256sum", {
      args: ["--strict", "-c", "_checksums.sha256"],
      cwd: join(lab.nas, STUDY),
    }).output();
    const said = new TextDecoder().decode(check.stdout);
    assert.equal(check.code, 0, said);
    assert.equal(said.trimEnd().split("\n").length, paths.length);
  }
  const bare = sidecar.trimEnd().split("\n").map((line) => line.replace(/^\\?[0-9a-f]{64} {2}/, ""));
  const plain = bare.filter((name) => /^[\x20-\x5b\x5d-\x7e]*$/.test(name));
  assert.deepEqual(plain, plain.toSorted(), "sorted by bytes");

  // The bucket: keys, metadata, empty folders, the sidecar.
  const root = `${PREFIX}/${STUDY}`;
  const keys = await lab.keys();
  assert.deepEqual(
    keys.filter((key) => key.startsWith(`${root}/`)),
    ["_checksums.sha256", `${scan}/none/deep/`, ...paths].map((path) => `${root}/${path}`)
      .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  assert.deepEqual(keys.filter((key) => /\.labferry(\.lock|-place)/.test(key)), []);
  for (const [path, text] of Object.entries(files)) {
    const { metadata } = await lab.head(`${root}/${path}`);
    assert.equal(metadata.sha256, sha256(text), path);
    assert.equal(new Date(metadata.mtime).getTime(), mtime.getTime(), path);
    assert.match(metadata.mtime, /Z$/);
    assert.equal(await lab.body(`${root}/${path}`), text);
  }
  assert.equal(await lab.body(`${root}/_checksums.sha256`), sidecar);

  // The ledger, line by line.
  const [name] = (await tree(lab.manifests)).filter((path) => path.endsWith(".jsonl"));
  const text = await Deno.readTextFile(join(lab.manifests, name));
  const ledger = await lab.ledger();
  assert.equal(name, `${ledger[0].started_at.slice(0, 7)}.jsonl`);
  const month = `${PREFIX}/_manifests/${name}`;
  assert.ok(keys.includes(month));
  let prev = "0".repeat(64);
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    assert.deepEqual(Object.keys(ledger[index]), KEYS);
    assert.equal(ledger[index].prev, prev, `line ${index + 1}`);
    prev = sha256(line);
  }
  assert.deepEqual(ledger.map(fate), [
    `${STUDY} in_progress`,
    `${STUDY} complete`,
    `${STUDY} complete deleting`,
    `${STUDY} complete deleted`,
  ]);
  const last = ledger.at(-1);
  assert.deepEqual(
    { ...last, host: "", incarnation: "", prev: "", started_at: "", places: {} },
    {
      backup_name: STUDY,
      run_name: STUDY,
      source_path: join(lab.source, STUDY),
      truenas_path: join(lab.nas, STUDY),
      s3_uri: `s3://${BUCKET}/${root}`,
      file_count: paths.length,
      total_bytes: bytes,
      started_at: "",
      truenas_verified_at: last.places.truenas.verified_at,
      s3_verified_at: last.places.s3.verified_at,
      completed_at: last.completed_at,
      source_deleting_at: last.source_deleting_at,
      source_deleted_at: last.source_deleted_at,
      truenas_evicting_at: null,
      truenas_evicted_at: null,
      status: "complete",
      places: {},
      sidecar_sha256: sha256(sidecar),
      incarnation: "",
      host: "",
      prev: "",
    },
  );
  const order = ["started_at", "truenas_verified_at", "s3_verified_at", "completed_at", "source_deleting_at"];
  for (const field of [...order, "source_deleted_at"]) assert.match(last[field], TIME, field);
  const times = [...order, "source_deleted_at"].map((field) => last[field]);
  assert.deepEqual(times, times.toSorted());
  assert.deepEqual(Object.keys(last.places), ["truenas", "s3"]);
  for (const place of Object.values<Json>(last.places)) {
    assert.deepEqual(Object.keys(place).sort(), ["guarantee", "uri", "verified_at"]);
  }
  assert.equal(await lab.body(month), text, "the mirror is the ledger");

  // Again: nothing to do, nothing touched.
  const before = [await snapshot(lab.nas), await snapshot(lab.manifests), keys];
  const again = await lab.report(["backup", "run"]);
  assert.deepEqual([again.code, again.report.items], [0, []]);
  assert.deepEqual([await snapshot(lab.nas), await snapshot(lab.manifests), await lab.keys()], before);
});

acceptance(
  "backup run in words: a table on stdout, progress and log on stderr; -q says nothing of what went well",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const words = await lab.run(["backup", "run"]);
    assert.equal(words.code, 0, words.stderr);
    assert.match(words.stdout, new RegExp(`^done +${STUDY}\\n +STAGE +OUTCOME`));
    assert.match(words.stdout, /truenas \(copy\) +done/);
    assert.match(words.stdout, /verify +done .* read-back|verify +done .* cached-read/);
    assert.match(words.stdout, /backup: 1 done in .*exit code 0 +\[[0-9A-Z]{26}\]\n$/);
    assert.match(words.stderr, /backup run begins[^]*ends with exit code 0/);
    await study(lab, "20250131_ada_kidney_b2");
    const quiet = await lab.run(["-q", "backup", "run"]);
    assert.deepEqual(quiet, { code: 0, stdout: "", stderr: "" });
  },
);

acceptance(
  "three studies, one bad: the others are archived, exit 1, and the report, the log and the ledger say why",
  async () => {
    await using lab = await openLab();
    await study(lab, "20250131_ada_kidney_b1");
    await study(lab, "20250131_ada_kidney_b2", { files: { "notes.txt": "no place here" } });
    await study(lab, "20250131_ada_kidney_b3");
    const { code, report, stderr } = await lab.report(["run", "backup"]);
    assert.equal(code, 1, stderr);
    assert.deepEqual(fates(report), [
      "20250131_ada_kidney_b1 done",
      "20250131_ada_kidney_b2 failed validate validate/nonconforming",
      "20250131_ada_kidney_b3 done",
    ]);
    const bad = report.items[1];
    assert.deepEqual(Object.keys(bad.error).sort(), ["code", "findings", "hint", "message", "stage"]);
    assert.ok(bad.stages.slice(1).every((stage: Json) => stage.outcome === "not-reached"));
    const records = (await lab.ledger()).filter((line) => line.backup_name === "20250131_ada_kidney_b2");
    assert.deepEqual(records.map(fate), ["20250131_ada_kidney_b2 failed_validation"]);
    assert.match(records[0].error, /R5 .*notes\.txt/, "the ledger names what is wrong");
    assert.match(await lab.logs(), /R5.*notes\.txt/, "the log names what is wrong");
    assert.match(await lab.logs(), /what to do/);
    assert.deepEqual(
      await tree(lab.nas),
      (await tree(lab.nas)).filter((path) => !path.startsWith("20250131_ada_kidney_b2/")),
    );
    assert.ok((await tree(lab.source)).some((path) => path === "20250131_ada_kidney_b2/notes.txt"));
  },
);

acceptance(
  "--only takes one study and refuses an unknown one; --force repeats work and keeps every condition",
  async () => {
    await using lab = await openLab();
    await study(lab, "20250131_ada_kidney_b1");
    await study(lab, "20250131_ada_kidney_b2", { folders: ["20250131_ada_kidney_b2/empty"] });
    const keep = (shipped: string) =>
      shipped.replace('name    = "backup"', 'name = "keep"').replace(/# Frees[^]*?(?=# Says)/, "");
    await lab.pipeline("keep", keep);
    const only = await lab.report(["run", "keep", "--only", "20250131_ada_kidney_b2"]);
    assert.equal(only.code, 0, only.stderr);
    assert.deepEqual(fates(only.report), ["20250131_ada_kidney_b2 done"]);
    const absent = await lab.run(["run", "keep", "--only", "20250131_ada_kidney_b9"]);
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /no such folder/);

    const puts = lab.server.requests.PUT, lines = (await lab.ledger()).length;
    const again = await lab.report(["run", "keep", "--only", "20250131_ada_kidney_b2"]);
    assert.equal(again.code, 0, again.stderr);
    const applied = (report: Json, id: string) => report.items[0].stages.find((stage: Json) => stage.id === id).applied;
    assert.deepEqual([applied(again.report, "truenas"), applied(again.report, "s3")], [0, 0]);
    assert.equal(lab.server.requests.PUT, puts, "nothing is uploaded again");
    assert.equal((await lab.ledger()).length, lines, "nothing is recorded again");
    const forced = await lab.report(["run", "keep", "--only=20250131_ada_kidney_b2", "--force=verify"]);
    assert.equal(forced.code, 0, forced.stderr);
    assert.ok(applied(forced.report, "verify") > 0);
    assert.equal(applied(forced.report, "truenas"), 0);
    const all = await lab.report(["run", "keep", "--only=20250131_ada_kidney_b2", "--force"]);
    assert.equal(all.code, 0, all.stderr);
    const unknown = await lab.run(["run", "keep", "--force=verfy"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /did you mean "verify"/);
  },
);

acceptance(
  "S17 a dry run and a plan write nothing, run no hook, keep no log, and say what they could not see",
  async () => {
    await using lab = await openLab({ marked: false });
    await lab.config(`\n[hooks]\nbackup = ["sh", "-c", "touch ${lab.at("hooked")}"]\n`);
    await study(lab);
    const before = await snapshot(lab.path);
    const dry = await lab.report(["backup", "run", "--dry-run"]);
    assert.equal(dry.code, 0, dry.stderr);
    assert.equal(dry.report.dry_run, true);
    assert.match(dry.stderr, /truenas could not be seen[^\n]*a real run would stop here/);
    const words = await lab.run(["run", "backup", "--dry-run"]);
    assert.match(words.stdout, /^planned +20250131_ada_kidney_b1/);
    assert.doesNotMatch(words.stdout, /\bdone\b/, "nothing is done in a dry run");
    assert.match(words.stdout, /1 planned .*dry run, nothing was changed/);
    const plan = await lab.run(["plan", "backup"]);
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /truenas +copy 4 files [^]*s3 +upload [^]*delete +delete 4 files/);
    const json = JSON.parse((await lab.run(["plan", "backup", "--json"])).stdout);
    assert.ok(json.steps.some((step: Json) => step.stage === "delete" && step.files === 4));
    assert.deepEqual(await snapshot(lab.path), before);
    assert.deepEqual(lab.server.requests.PUT, undefined, "nothing is written to the bucket");
  },
);

acceptance("a study that is still written to, or has just arrived, is left for later and said so", async () => {
  await using lab = await openLab();
  await study(lab, "20250131_ada_kidney_b1", { days: 3 });
  const busy = await lab.report(["backup", "run"]);
  assert.deepEqual([busy.code, busy.report.items], [0, []]);
  assert.match(busy.stderr, /"20250131_ada_kidney_b1" is left for later: .*3\.0 days ago, wanted at least 14\.0 days/);
  await lab.config(["settle_minutes = 0", "settle_minutes = 15"]);
  await study(lab, "20250131_ada_kidney_b2");
  const fresh = await lab.report(["backup", "run"]);
  assert.deepEqual([fresh.code, fresh.report.items], [0, []]);
  assert.match(fresh.stderr, /"20250131_ada_kidney_b2" is left for later: .*wanted at least 15 min/);
  assert.deepEqual((await tree(lab.nas)).filter((path) => path.startsWith("2025")), []);
});
