import assert from "node:assert/strict";
import { join } from "@std/path";
import { tempDir } from "../kit/temp.ts";
import { runCli } from "../cli/_terminal.ts";
import { makeStudy, STUDY } from "./_lab.ts";

Deno.test("validate study passes a conforming study with exit 0", async () => {
  await using dir = await tempDir();
  const study = await makeStudy(dir.path);
  const text = await runCli(["validate", "study", study]);
  assert.deepEqual(text, { code: 0, stdout: `ok    ${study}\n`, stderr: "" });
  const json = await runCli(["validate", "study", study, "-f", "json"]);
  assert.deepEqual(JSON.parse(json.stdout), [{ path: study, ok: true, findings: [] }]);
  assert.deepEqual(await runCli(["validate", "study", study, "-q"]), { code: 0, stdout: "", stderr: "" });
});

Deno.test("validate study shows every finding with exit 1", async () => {
  await using dir = await tempDir();
  const study = await makeStudy(dir.path);
  await Deno.writeTextFile(join(study, "notes.txt"), "");
  await Deno.remove(join(study, `${STUDY}.xpd`));
  const text = await runCli(["validate", "study", study]);
  assert.equal(text.code, 1);
  assert.match(text.stdout, /FAIL .*: 2 findings\n {6}R4 {2}.*\n {6}R5 {2}file "notes\.txt"/);
  const json = await runCli(["validate", "study", STUDY, "-f", "json"], { cwd: dir.path });
  const [verdict] = JSON.parse(json.stdout);
  assert.equal(verdict.path, study);
  assert.deepEqual(Object.keys(verdict), ["path", "ok", "findings"]);
  for (const finding of verdict.findings) {
    assert.deepEqual(Object.keys(finding), ["rule", "severity", "path", "message"]);
  }
});

Deno.test("validate exits 2 for a path that is absent", async () => {
  await using dir = await tempDir();
  for (const kind of ["study", "root"]) {
    const { code, stdout, stderr } = await runCli(["validate", kind, join(dir.path, "absent"), "-f", "json"]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /Cannot validate ".*absent": nothing is there, wanted a folder \[cli\/no-path\]/);
  }
});

Deno.test("validate study reports a file, and validate root refuses one", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, STUDY);
  await Deno.writeTextFile(file, "");
  const study = await runCli(["validate", "study", file]);
  assert.equal(study.code, 1);
  assert.match(study.stdout, /is a file, wanted a folder/);
  const root = await runCli(["validate", "root", file]);
  assert.equal(root.code, 2);
  assert.match(root.stderr, /it is a file, wanted a folder/);
});

Deno.test({
  name: "S15 validate reports links, at the study and at any depth within it",
  ignore: Deno.build.os === "windows", // a link needs a privilege there
  async fn() {
    await using dir = await tempDir();
    const study = await makeStudy(dir.path);
    const tiles = join(study, STUDY, "Scan1", ".temp", "deep");
    await Deno.mkdir(tiles);
    await Deno.symlink("/nowhere", join(tiles, "link"));
    const inside = await runCli(["validate", "study", study, "-f", "json"]);
    assert.deepEqual(
      JSON.parse(inside.stdout)[0].findings.map((f: { rule: string; path: string }) => [f.rule, f.path]),
      [
        ["links", `${STUDY}/Scan1/.temp/deep/link`],
      ],
    );
    await Deno.mkdir(join(dir.path, "root"));
    await Deno.symlink(study, join(dir.path, "root", "alias"));
    const alias = await runCli(["validate", "root", join(dir.path, "root")]);
    assert.equal(alias.code, 1);
    assert.match(alias.stdout, /links {2}study "alias" is a symbolic link/);
  },
});

Deno.test("S18 validate study fails an empty folder", async () => {
  await using dir = await tempDir();
  const { code, stdout } = await runCli(["validate", "study", dir.path]);
  assert.equal(code, 1);
  assert.match(stdout, /holds no file/);
});

Deno.test("validate root checks every folder, in order, and none of its own files", async () => {
  await using dir = await tempDir();
  await makeStudy(dir.path, "20250202_b_c_d");
  await makeStudy(dir.path);
  await Deno.mkdir(join(dir.path, "junk"));
  await Deno.mkdir(join(dir.path, ".labferry"));
  await Deno.writeTextFile(join(dir.path, ".labferry-place"), "");
  await Deno.writeTextFile(join(dir.path, "Thumbs.db"), "");
  const { code, stdout } = await runCli(["validate", "root", dir.path]);
  assert.equal(code, 1);
  const heads = stdout.split("\n").filter((line) => /^\S/.test(line));
  assert.match(heads[0], new RegExp(`^ok .*${STUDY}$`));
  assert.match(heads[1], /^ok .*20250202_b_c_d$/);
  assert.match(heads[2], /^FAIL .*junk/);
  assert.equal(heads[3], "1 of 3 studies do not conform");
  const json = await runCli(["validate", "root", dir.path, "-f", "json"]);
  assert.equal(JSON.parse(json.stdout).length, 3);
});

Deno.test("validate leaves the study's own lock out", async () => {
  await using dir = await tempDir();
  const study = await makeStudy(dir.path);
  await Deno.writeTextFile(join(study, ".labferry.lock"), "{}");
  assert.equal((await runCli(["validate", "study", study])).code, 0);
  await Deno.writeTextFile(join(study, "_checksums.sha256"), "");
  assert.equal((await runCli(["validate", "study", study])).code, 1);
});

Deno.test("validate refuses a standard nobody knows", async () => {
  await using dir = await tempDir();
  const { code, stderr } = await runCli(["validate", "study", dir.path, "--standard", "phenocyler"]);
  assert.equal(code, 2);
  assert.match(stderr, /did you mean "phenocycler"/);
});

Deno.test({
  name: "validate lets no study's name drive the terminal, and JSON keeps it",
  ignore: Deno.build.os === "windows", // no such names there
  async fn() {
    await using dir = await tempDir();
    const name = "ok\x1b[2J\r\n\u202efit";
    await Deno.mkdir(join(dir.path, name));
    const text = await runCli(["validate", "root", dir.path]);
    assert.equal(text.code, 1);
    assert.ok(text.stdout.startsWith(`FAIL  ${dir.path}/ok\\u001b[2J\\u000d\\u000a\\u202efit: `), text.stdout);
    assert.doesNotMatch(text.stdout, /[\x1b\r\u202e]/);
    const json = await runCli(["validate", "root", dir.path, "-f", "json"]);
    assert.doesNotMatch(json.stdout, /[\x1b\r\u202e]/);
    assert.equal(JSON.parse(json.stdout)[0].path, join(dir.path, name));
  },
});
