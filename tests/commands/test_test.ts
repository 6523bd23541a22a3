import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { EMBEDDED_CASES } from "../../core/pipeline/embedded_cases.ts";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import { tempDir } from "../kit/temp.ts";
import { runCli } from "../cli/_terminal.ts";
import { type Lab, lab, makeStudy } from "./_lab.ts";

/** A case of the laboratory's own pipeline `local`, which has no hooks and no object store. */
const CASE = `summary = "a study is copied, and stays"
[studies.20250131_ada_kidney_b1]
fixture = "phenocycler"
[[run]]
exit_code = 0
items = { 20250131_ada_kidney_b1 = "done" }
[end]
source = ["20250131_ada_kidney_b1/"]
nas = ["20250131_ada_kidney_b1/"]
`;

function writeCase(place: Lab, name: string, text: string): Promise<void> {
  return Deno.writeTextFile(join(place.path, "pipelines", `${name}.case.toml`), text);
}

/** Every path below a folder with size and times, so that any change shows. */
async function snapshot(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const { size, mtime, ctime } = await Deno.lstat(path);
    found.push(`${path} ${isDirectory ? "" : size} ${mtime?.getTime()} ${ctime?.getTime()}`);
    if (isDirectory) found.push(...await snapshot(path));
  }
  return found.sort();
}

Deno.test("test runs the cases of a pipeline by name, path or folder, and says how each ended", async () => {
  await using place = await lab();
  await writeCase(place, "local.copied", CASE);
  const ok = await place.cli(["test", "local"]);
  assert.deepEqual(ok, {
    code: 0,
    stdout: "ok     local.copied: a study is copied, and stays\n1 case: 1 ok\n",
    stderr: "",
  });
  assert.equal((await place.cli(["-q", "test", "local"])).stdout, "1 case: 1 ok\n");
  for (const word of ["local.copied", "pipelines/local.copied.case.toml", "pipelines/", "pipelines"]) {
    assert.deepEqual(await place.cli(["test", word]), ok, word);
  }
});

Deno.test("test without arguments runs all cases of the config folder and those of presets that nothing replaces", async () => {
  await using place = await lab();
  await writeCase(place, "local.copied", CASE);
  await place.pipeline("backup", EMBEDDED_PRESETS.backup);
  const { code, stdout } = await place.cli(["test"]);
  assert.equal(code, 0, stdout);
  const names = [...stdout.matchAll(/^ok +([a-z0-9_.]+): /gm)].map((match) => match[1]);
  const shipped = Object.keys(EMBEDDED_CASES).filter((name) => !name.startsWith("backup."));
  assert.deepEqual(names, ["local.copied", ...shipped].sort());
  const filtered = await place.cli(["test", "--filter", "stays queued"]);
  assert.match(filtered.stdout, /^ok {5}notify\.server_away: .*\n1 case: 1 ok\n$/);
});

Deno.test("test ends with 1 where a case does not go as it says, and shows the difference and the report", async () => {
  await using place = await lab();
  await writeCase(place, "local.copied", CASE.replace(`nas = [`, `nas = ["more", `).replace(`= "done"`, `= "failed"`));
  const { code, stdout } = await place.cli(["test", "local"]);
  assert.equal(code, 1);
  assert.match(stdout, /^failed local\.copied: /);
  assert.match(
    stdout,
    /local\.copied\.case\.toml:6: run 1: items \(- wanted, \+ found\)\n {4}- 20250131_ada_kidney_b1: failed\n {4}\+ 20250131_ada_kidney_b1: done\n/,
  );
  assert.match(stdout, /local\.copied\.case\.toml:9: end: nas .*\n[^]*\n {4}- more\n/);
  assert.match(stdout, /\n {2}run 1:\n {4}done {6}20250131_ada_kidney_b1\n {6}STAGE +OUTCOME/);
  assert.match(stdout, /\n1 case: 1 failed\n$/);
  const json = JSON.parse((await place.cli(["test", "local", "--json"])).stdout);
  assert.equal(json[0].outcome, "failed");
  assert.deepEqual(json[0].failures[0], {
    line: 6,
    what: "run 1: items",
    wanted: ["20250131_ada_kidney_b1: failed"],
    found: ["20250131_ada_kidney_b1: done"],
  });
  assert.equal(json[0].runs[0].report.exit_code, 0);
});

Deno.test("test ends with 2 where a case is wrong, a pipeline is refused, or there is no case", async () => {
  await using place = await lab();
  await writeCase(place, "local.copied", CASE.replace("exit_code", "exitcode"));
  const wrong = await place.cli(["test", "local"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stdout, /^wrong {2}local\.copied\n\n.*local\.copied\.case\.toml:5:1: error case\/unknown-key/);
  await writeCase(place, "local.copied", CASE);
  await place.pipeline("local", `name = "local"\n[source]\nuse = "idle-foldres"\n[[stage]]\nuse = "lock"\n`);
  const refused = await place.cli(["test", "local"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stdout, /local\.toml:3:\d+: error pipeline\/unknown-plugin: [^]*did you mean "idle-folders"/);
  for (const words of [["lcoal"], ["x.case.toml"], ["local.toml"], ["instrument/"], ["--filter", "nothing like it"]]) {
    const none = await place.cli(["test", ...words]);
    assert.equal(none.code, 2, words.join(" "));
    assert.match(none.stderr, /cli\/no-case/);
  }
  await place.pipeline("backup", EMBEDDED_PRESETS.backup);
  const own = await place.cli(["test", "backup"]);
  assert.equal(own.code, 2);
  assert.match(
    own.stderr,
    /there is none for ".*backup\.toml"[^]*cases of a preset are not run on a pipeline that takes/,
  );
  assert.equal((await place.cli(["test", "notify"], { interrupted: true })).code, 130);
});

Deno.test("test touches nothing the config names: no place, no state folder, no hook, no network", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  const touched = join(place.path, "hook-was-run");
  const config = join(place.path, "config.toml");
  await Deno.writeTextFile(
    config,
    `${await Deno.readTextFile(config)}[hooks]\nbackup = ["touch", ${JSON.stringify(touched)}]\n` +
      `[s3]\nbucket = "real"\nprefix = "real"\nendpoint = "http://127.0.0.1:9"\n[notify]\nenabled = true\n`,
  );
  await Deno.writeTextFile(join(place.path, "smtp.env"), "LABFERRY_SMTP_USER=a@b\nLABFERRY_SMTP_APP_PASSWORD=x\n");
  await writeCase(place, "backup.hooked", EMBEDDED_CASES["backup.nas_unmounted"]);
  await writeCase(place, "local.copied", CASE);
  const before = await snapshot(place.path);
  const { code, stdout, stderr } = await place.cli(["test"]);
  assert.deepEqual([code, stderr], [0, ""], stdout);
  assert.match(stdout, /^ok {5}backup\.hooked: /m);
  assert.deepEqual(await snapshot(place.path), before);
});

Deno.test("test needs no right to write, to start programs, to reach the network or to call native code", async () => {
  await using place = await lab();
  await writeCase(place, "local.copied", CASE);
  const env = { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: place.state, NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--cached-only", "--no-prompt", "--allow-read", "--allow-env", "--allow-sys"],
      ...[fromFileUrl(new URL("../../cli.ts", import.meta.url)), "test"],
    ],
    cwd: place.path,
    env,
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.deepEqual([code, text(stderr)], [0, ""], text(stdout));
  const cases = Object.keys(EMBEDDED_CASES).length + 1;
  assert.ok(text(stdout).endsWith(`\n${cases} cases: ${cases} ok\n`), text(stdout));
});

Deno.test("test knows stages from outside, and says which file gives none", async () => {
  await using place = await lab();
  const plugins = join(place.path, "plugins");
  await Deno.mkdir(plugins);
  await Deno.writeTextFile(
    join(plugins, "count_files.js"),
    `export default (api) => api.defineStage({
  kind: "stage", name: "count-files", summary: "Counts files.", takes: "tree", effect: "read", resume: "redo",
  options: api.z.strictObject({ most: api.z.number().default(100) }), example: '[[stage]]\\nuse = "count-files"\\n',
  open: ({ most }) => ({
    async *plan(item, ctx) {
      let count = 0;
      for await (const { kind } of ctx.source.walk()) if (kind === "file") count++;
      if (count > most) yield { kind: "drop", why: \`\${count} files, at most \${most}\` };
      else yield { kind: "skip", why: \`\${count} files\` };
    },
    apply: () => Promise.resolve(),
  }),
});
`,
  );
  await place.pipeline(
    "count",
    `name = "count"\n[source]\nuse = "idle-folders"\nwith = { root = "\${paths.source_root}", idle = "1d" }\n` +
      `[[stage]]\nuse = "count-files"\n`,
  );
  await writeCase(
    place,
    "count.too_many",
    `summary = "large studies are left alone"\n[options.count-files]\nmost = 1\n[studies.s]\n` +
      `files = { "a.txt" = "a", "b.txt" = "b" }\n[[run]]\nexit_code = 0\n[run.items.s]\n` +
      `outcome = "dropped"\nwhy = "2 files, at most 1"\n`,
  );
  const { code, stdout, stderr } = await place.cli(["test", "count"]);
  assert.deepEqual([code, stdout], [0, "ok     count.too_many: large studies are left alone\n1 case: 1 ok\n"], stderr);
  await Deno.writeTextFile(join(plugins, "broken.js"), "export default 1;\n");
  const broken = await place.cli(["test", "count"]);
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /broken\.js/);
});

Deno.test("test needs no config; one that is named must be there", async () => {
  await using dir = await tempDir();
  const bare = await runCli(["test", "notify"], { env: { HOME: dir.path }, cwd: dir.path });
  assert.deepEqual([bare.code, bare.stderr], [0, ""]);
  const named = await runCli(["--config", "x.toml", "test", "notify"], { env: { HOME: dir.path }, cwd: dir.path });
  assert.equal(named.code, 2);
  assert.match(named.stderr, /config\/not-found/);
});

Deno.test("a case is no pipeline: list, lint and install places leave it out", async () => {
  await using place = await lab();
  await writeCase(place, "local.copied", CASE);
  const { stdout } = await place.cli(["list", "pipelines", "--json"]);
  assert.doesNotMatch(stdout, /copied/);
  assert.equal((await place.cli(["lint", "--offline"])).stdout.includes("local.copied"), false);
});
