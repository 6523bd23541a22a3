/** What people and programs read: verdicts on studies, the ledger, the log. */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { ACCESS_KEY, SECRET_KEY } from "../kit/keys.ts";
import { acceptance, fate, type Json, openLab, sha256, STUDY, study, tree } from "./_lab.ts";

acceptance(
  "validate study and root: text, JSON and -q, 0 when all conform, 1 with findings, 2 for a path that is absent",
  async () => {
    await using lab = await openLab();
    await study(lab, STUDY);
    const one = join(lab.source, STUDY);
    const good = await lab.run(["validate", "study", one]);
    assert.deepEqual(good, { code: 0, stdout: `ok    ${one}\n`, stderr: "" });
    assert.deepEqual((await lab.run(["validate", "study", "."], { cwd: one })).stdout, good.stdout);
    assert.deepEqual(await lab.run(["validate", "study", one, "-q"]), { code: 0, stdout: "", stderr: "" });
    assert.deepEqual(JSON.parse((await lab.run(["validate", "root", lab.source, "-f", "json"])).stdout), [
      { path: one, ok: true, findings: [] },
    ]);

    await study(lab, "20250229_ada_kidney", { files: { "odd.docx": "x", "20250229_ada_kidney_x.xpd": "no folder" } });
    await Deno.mkdir(join(lab.source, "20250131_ada_kidney_empty"));
    await Deno.writeTextFile(join(lab.source, "a file beside the studies"), "");
    const json = await lab.run(["validate", "root", "-f", "json", lab.source]);
    assert.equal(json.code, 1);
    const verdicts = JSON.parse(json.stdout);
    assert.deepEqual(verdicts.map((verdict: Json) => [verdict.path, verdict.ok]), [
      [join(lab.source, "20250131_ada_kidney_b1"), true],
      [join(lab.source, "20250131_ada_kidney_empty"), false],
      [join(lab.source, "20250229_ada_kidney"), false],
    ]);
    for (const verdict of verdicts) {
      assert.deepEqual(Object.keys(verdict), ["path", "ok", "findings"]);
      for (const finding of verdict.findings) {
        assert.deepEqual(Object.keys(finding), ["rule", "severity", "path", "message"]);
      }
    }
    const rules = (index: number) => [...new Set(verdicts[index].findings.map((finding: Json) => finding.rule))].sort();
    assert.deepEqual(rules(1), ["R4", "empty"]);
    assert.deepEqual(rules(2), ["R1", "R5", "R6"]);
    const quiet = await lab.run(["validate", "root", lab.source, "-q"]);
    assert.equal(quiet.code, 1);
    assert.doesNotMatch(quiet.stdout, /^ok/m);
    assert.match(quiet.stdout, /FAIL {2}.*20250229_ada_kidney: \d+ findings\n {6}R1 /);

    for (const words of [["validate", "study"], ["validate", "root"]]) {
      const absent = await lab.run([...words, lab.at("nothing here"), "-f", "json"]);
      assert.deepEqual([absent.code, absent.stdout], [2, ""]);
      assert.match(absent.stderr, /nothing is there, wanted a folder/);
    }
    const file = await lab.run(["validate", "study", lab.at("config.toml"), "-f", "json"]);
    assert.equal(file.code, 1);
    assert.equal(JSON.parse(file.stdout)[0].findings[0].rule, "folder");
  },
);

acceptance("manifest show and verify: good, several months, torn, tampered, empty, absent", async () => {
  await using lab = await openLab();
  await study(lab, "20250131_ada_kidney_b1");
  assert.equal((await lab.report(["backup", "run"])).code, 0);
  const months = async () => (await tree(lab.manifests)).filter((path) => path.endsWith(".jsonl"));
  // What stands there moves to an earlier month; the next line follows from the last of it.
  await Deno.rename(join(lab.manifests, (await months())[0]), join(lab.manifests, "2025-01.jsonl"));
  await study(lab, "20250131_ada_kidney_b2");
  assert.equal((await lab.report(["backup", "run"])).code, 0);
  const file = join(lab.manifests, (await months())[1]);
  const earlier = (await Deno.readTextFile(join(lab.manifests, "2025-01.jsonl"))).trimEnd().split("\n");
  const text = await Deno.readTextFile(file);
  assert.equal(JSON.parse(text.split("\n")[0]).prev, sha256(earlier.at(-1) as string), "the chain goes on over months");

  const shown = await lab.run(["manifest", "show", lab.manifests]);
  assert.deepEqual([shown.code, shown.stderr], [0, ""]);
  assert.match(shown.stdout, /^BACKUP +STATUS[^]*_b1 +complete[^]*_b2 +complete[^]*2 backups, .*: 2 complete\n$/);
  const json = JSON.parse((await lab.run(["manifest", "show", "-f", "json", lab.manifests])).stdout);
  assert.deepEqual(Object.keys(json), ["20250131_ada_kidney_b1", "20250131_ada_kidney_b2"]);
  assert.deepEqual(json["20250131_ada_kidney_b2"], JSON.parse(text.trimEnd().split("\n").at(-1) as string));
  assert.deepEqual(Object.keys(json["20250131_ada_kidney_b1"])[0], "backup_name");
  const verified = await lab.run(["manifest", "verify", lab.manifests]);
  assert.equal(verified.code, 0);
  assert.match(verified.stdout, /ok .*2025-01\.jsonl: 4 lines\nok .*: 4 lines/);
  assert.equal((await lab.run(["manifest", "verify", file])).code, 0, "one month by itself");

  await Deno.writeTextFile(file, text.replace('"file_count":4', '"file_count":5'));
  const changed = await lab.run(["manifest", "verify", lab.manifests]);
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /FAIL .*the chain breaks at line 3/);

  await Deno.writeTextFile(file, text.slice(0, -200));
  const torn = await lab.run(["manifest", "show", file, "-f", "json"]);
  assert.equal(torn.code, 0);
  assert.equal(fate(JSON.parse(torn.stdout)["20250131_ada_kidney_b2"]), "20250131_ada_kidney_b2 complete deleting");
  assert.match(torn.stderr, /line 4 is left out/);
  assert.equal((await lab.run(["manifest", "verify", file, "-f", "json"])).code, 1);
  // The next append closes the torn line and goes on.
  await study(lab, "20250131_ada_kidney_b3");
  const next = await lab.report(["backup", "run"]);
  assert.equal(next.code, 0, next.stderr);
  const healed = (await Deno.readTextFile(file)).split("\n");
  assert.equal(healed[3], text.slice(0, -200).split("\n")[3], "a torn line is never cut");
  assert.match((await lab.run(["manifest", "show", file])).stdout, /_b3 +complete/);

  await Deno.writeTextFile(lab.at("empty.jsonl"), "");
  assert.match((await lab.run(["manifest", "show", lab.at("empty.jsonl")])).stdout, /no records/);
  assert.equal((await lab.run(["manifest", "verify", lab.at("empty.jsonl")])).code, 1, "no line proves nothing");
  for (const words of ["show", "verify"]) {
    const absent = await lab.run(["manifest", words, lab.at("absent.jsonl")]);
    assert.deepEqual([absent.code, absent.stdout], [2, ""]);
    assert.match(absent.stderr, /nothing is there/);
  }
});

acceptance("install places marks once, after the hooks; it refuses what is absent, nested or damaged", async () => {
  await using lab = await openLab({ marked: false });
  const first = await lab.run(["install", "places", "--json"]);
  assert.equal(first.code, 0, first.stderr);
  const places = JSON.parse(first.stdout);
  assert.deepEqual(places.map(({ id, created }: Json) => [id, created]), [
    ["source", true],
    ["truenas", true],
    ["manifests", true],
  ]);
  assert.deepEqual(places.map(({ role }: Json) => role), ["source", "place", "ledger"]);
  for (const { path, uuid } of places) {
    assert.equal(await Deno.readTextFile(join(path, ".labferry-place")), `${uuid}\n`);
    assert.match(uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
  const again = JSON.parse((await lab.run(["install", "places", "--json"])).stdout);
  assert.deepEqual(again, places.map((place: Json) => ({ ...place, created: false })));
  assert.match((await lab.run(["install", "places"])).stdout, /^already marked +source/);

  await Deno.rename(lab.manifests, lab.at("away"));
  const absent = await lab.run(["install", "places"]);
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /Cannot mark manifests .*: no folder is there[^]*Mount the share or make the folder/);
  await Deno.rename(lab.at("away"), lab.manifests);

  await Deno.mkdir(join(lab.source, "backup"));
  await lab.config([`"nas"`, `"instrument/backup"`]);
  const nested = await lab.run(["install", "places"]);
  assert.equal(nested.code, 2);
  assert.match(nested.stderr, /it lies within the source/);
  assert.deepEqual(await tree(join(lab.source, "backup")), []);
  // The same by way of a link, which only the disk can tell.
  await Deno.symlink(lab.source, lab.at("link"));
  await lab.config([`"nas"`, `"link/backup"`]);
  const linked = await lab.run(["install", "places"]);
  assert.equal(linked.code, 2);
  assert.match(linked.stderr, /place\/not-distinct/);

  await lab.config();
  await Deno.writeTextFile(join(lab.nas, ".labferry-place"), "not a marker\n");
  const damaged = await lab.run(["install", "places"]);
  assert.equal(damaged.code, 2);
  assert.match(damaged.stderr, /damaged: it does not hold a UUID/);
  assert.match(
    (await lab.run(["lint", "backup"])).stdout,
    /env\/unreadable[^]*hint: Make sure that this is the right folder/,
  );

  await Deno.remove(lab.nas, { recursive: true });
  await lab.config(
    `\n[hooks]\nbackup = ["${Deno.build.os === "windows" ? "cmd" : "mkdir"}", ${
      Deno.build.os === "windows" ? '"/c", "mkdir", ' : ""
    }${JSON.stringify(lab.nas)}]\n`,
  );
  const other = await lab.run(["install", "places"]);
  assert.equal(other.code, 2, other.stderr);
  assert.match(other.stderr, /place\/other-marker[^]*labferry install places --replaced/);
  assert.deepEqual(await tree(lab.nas), []);
  await Deno.remove(lab.nas);
  const mounted = await lab.run(["install", "places", "--replaced"]);
  assert.equal(mounted.code, 0, mounted.stderr);
  assert.match(mounted.stdout, /marked +truenas/);
});

acceptance(
  "the log: JSON lines when asked, debug lines with -v, errors only with -q, and no secret anywhere",
  async () => {
    await using lab = await openLab();
    await study(lab, STUDY);
    await study(lab, "not a study");
    await lab.config('\n[hooks]\nbackup = ["sh", "-c", "echo key=$AWS_SECRET_ACCESS_KEY token=$LAB_TOKEN"]\n');
    await lab.pipeline("backup", (shipped) =>
      shipped.replace(
        'with = { argv = "${hooks.backup}" }',
        'with = { argv = ["sh", "-c", "echo $0 $AWS_SECRET_ACCESS_KEY $LAB_TOKEN", "${env.LAB_TOKEN}"] }',
      ));
    const env = { LAB_TOKEN: "token-of-the-lab-987654" };
    const ended = [];
    const json = await lab.report(["--log-format", "json", "backup", "run"], { env });
    assert.equal(json.code, 1);
    const lines = json.stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.ok(lines.length > 3);
    for (const line of lines) {
      assert.deepEqual(Object.keys(line).filter((key) => key !== "data"), ["time", "level", "message"]);
      assert.match(line.level, /^(debug|info|warn|error)$/);
    }
    ended.push(json);
    const misused = await lab.run(["backup", "run", "--frob", "--log-format", "json"], { env });
    assert.equal(misused.code, 2);
    for (const line of misused.stderr.trimEnd().split("\n")) JSON.parse(line);
    const verbose = await lab.run(["-v", "backup", "run"], { env });
    assert.match(verbose.stderr, / debug /);
    const quiet = await lab.run(["-q", "backup", "run"], { env });
    assert.equal(quiet.code, 1);
    assert.ok(quiet.stderr.trimEnd().split("\n").every((line) => / error /.test(line)), quiet.stderr);
    assert.match(quiet.stdout, /^failed +not a study/);
    ended.push(
      misused,
      verbose,
      quiet,
      await lab.run(["echo", "backup"], { env }),
      await lab.run(["plan", "backup", "-v"], { env }),
      await lab.run(["lint", "backup", "-v"], { env }),
      await lab.run(["lint", "backup", "-v"], { env: { ...env, AWS_SECRET_ACCESS_KEY: "another-secret-13579" } }),
      await lab.run(["backup", "run", "-v"], { env: { ...env, AWS_SECRET_ACCESS_KEY: "another-secret-13579" } }),
    );
    const texts = ended.flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const folder of [lab.state, lab.manifests, lab.nas]) {
      for (const path of await tree(folder)) {
        if (!path.endsWith("/")) texts.push(new TextDecoder().decode(await Deno.readFile(join(folder, path))));
      }
    }
    for (const secret of [SECRET_KEY, "another-secret-13579", "token-of-the-lab-987654", ACCESS_KEY]) {
      for (const text of texts) assert.ok(!text.includes(secret), text.slice(0, 2000));
    }
    assert.match(
      await lab.logs(),
      /cli\/unknown-flag.*--frob|--frob.*cli\/unknown-flag/,
      "a task that is misspelled leaves a trace",
    );
  },
);
