import assert from "node:assert/strict";
import { join } from "@std/path";
import { EVENTS } from "../../core/events/events.ts";
import { runCli } from "../cli/_terminal.ts";
import { tempDir } from "../kit/temp.ts";

const LISTS = [...Object.keys(EVENTS), "default"].map((event) => `recipients/${event}.txt`);

async function home() {
  const dir = await tempDir();
  const folder = join(dir.path, ".config", "labferry");
  const at = (name: string) => join(folder, ...name.split("/"));
  return {
    folder,
    at,
    path: dir.path,
    cli: (...argv: string[]) => runCli(argv, { env: { HOME: dir.path, USERPROFILE: dir.path }, cwd: dir.path }),
    read: (name: string) => Deno.readTextFile(at(name)),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

Deno.test("install init writes a config that loads, and says what to do next", async () => {
  await using lab = await home();
  const { code, stdout } = await lab.cli("install", "init");
  assert.equal(code, 0);
  for (const file of [...LISTS, "smtp.env", "config.toml"]) {
    assert.ok(stdout.includes(`wrote  ${lab.at(file)}\n`), file);
    for (const line of (await lab.read(file)).split("\n").filter((line) => !/^(\[.*\]|#:schema .*)?$/.test(line))) {
      assert.match(line, /^# /, file);
    }
  }
  assert.match(stdout, /Next:\n {2}1\. edit .*config\.toml/);
  // The only thing it lacks is what nobody can know: where the data is.
  const lint = await lab.cli("lint", "backup", "--offline");
  assert.doesNotMatch(lint.stderr + lint.stdout, /config\/(unknown|wrong|bad|missing)|toml\//);
  assert.match(lint.stderr + lint.stdout, /source_root/);
});

Deno.test({
  name: "install init lets nobody else read smtp.env",
  // Windows has no file modes; the user's own folder protects it there.
  ignore: Deno.build.os === "windows",
  async fn() {
    await using lab = await home();
    await lab.cli("install", "init");
    assert.equal((await Deno.stat(lab.at("smtp.env"))).mode! & 0o777, 0o600);
    await Deno.chmod(lab.at("smtp.env"), 0o644);
    await lab.cli("install", "init", "--force");
    assert.equal((await Deno.stat(lab.at("smtp.env"))).mode! & 0o777, 0o600);
  },
});

Deno.test("install init refuses a standing config or smtp.env before it writes anything", async () => {
  for (const standing of ["config.toml", "smtp.env"]) {
    await using lab = await home();
    await Deno.mkdir(lab.folder, { recursive: true });
    await Deno.writeTextFile(lab.at(standing), "# mine\n");
    const { code, stdout, stderr } = await lab.cli("install", "init");
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /already there/);
    assert.match(stderr, /--force/);
    assert.equal(await lab.read(standing), "# mine\n");
    const there = [...Deno.readDirSync(lab.folder)].map((entry) => entry.name).sort();
    assert.deepEqual(there, [standing, "state"].sort(), "the log in the state folder is all that was written");
  }
});

Deno.test("install init --force replaces config and smtp.env, and never a list of recipients", async () => {
  await using lab = await home();
  await lab.cli("install", "init");
  for (const file of [...LISTS, "smtp.env", "config.toml"]) await Deno.writeTextFile(lab.at(file), "mine");
  await Deno.remove(lab.at("recipients/default.txt"));
  const { code, stdout } = await lab.cli("install", "init", "--force");
  assert.equal(code, 0);
  for (const file of LISTS) {
    const isNew = file.endsWith("default.txt");
    assert.ok(stdout.includes(`${isNew ? "wrote" : "kept "}  ${lab.at(file)}\n`), file);
    assert.equal(await lab.read(file) === "mine", !isNew, file);
  }
  assert.match(await lab.read("config.toml"), /^#:schema .*\n# The config of labferry/);
  assert.match(await lab.read("smtp.env"), /LABFERRY_SMTP_USER/);
  const left = [...Deno.readDirSync(lab.folder)].map((entry) => entry.name).sort();
  const copies = left.filter((name) => name.endsWith(".bak"));
  assert.deepEqual(left.filter((name) => !copies.includes(name)), [
    "config.toml",
    "recipients",
    "schema",
    "smtp.env",
    "state",
  ]);
  assert.equal(copies.length, 2);
  for (const copy of copies) assert.equal(await lab.read(copy), "mine");
});

Deno.test("install init writes the schema that the config names in its first line, and makes it anew", async () => {
  await using lab = await home();
  await lab.cli("install", "init");
  const [, path] = /^#:schema (\S+)\n/.exec(await lab.read("config.toml")) ?? [];
  assert.equal(path, "./schema/config.schema.json");
  assert.equal(JSON.parse(await lab.read(path)).title, "The config of labferry");
  await Deno.writeTextFile(lab.at(path), "{}");
  for (const file of ["config.toml", "smtp.env"]) await Deno.remove(lab.at(file));
  const { stdout } = await lab.cli("install", "init");
  assert.ok(stdout.includes(`wrote  ${lab.at("schema/config.schema.json")}\n`), stdout);
  assert.equal(JSON.parse(await lab.read(path)).title, "The config of labferry");
});

Deno.test("install init --config-dir writes elsewhere, and names the config in what it tells to do", async () => {
  await using lab = await home();
  const { code, stdout } = await lab.cli("install", "init", "--config-dir", "lab one");
  assert.equal(code, 0);
  const config = join(lab.path, "lab one", "config.toml");
  assert.ok((await Deno.stat(config)).isFile);
  assert.ok(stdout.includes(`labferry --config "${config}" install places`));
  await assert.rejects(Deno.stat(lab.at("config.toml")), Deno.errors.NotFound);
});

Deno.test("install init refuses a --config-dir that cannot be one with exit code 2, and tells nothing twice", async () => {
  await using lab = await home();
  await Deno.writeTextFile(join(lab.path, "file"), "");
  const { code, stderr } = await lab.cli("install", "init", "--config-dir", "file/below");
  assert.equal(code, 2, stderr);
  assert.match(stderr, /Cannot use --config-dir ".*below"/);
  const good = await lab.cli("install", "init");
  assert.doesNotMatch(good.stderr, /a file was written/);
});

Deno.test("install init writes the config that --config names", async () => {
  await using lab = await home();
  const config = join(lab.path, "etc", "lab.toml");
  assert.equal((await lab.cli("--config", config, "install", "init")).code, 0);
  assert.ok((await Deno.stat(config)).isFile);
  assert.ok((await Deno.stat(join(lab.path, "etc", "smtp.env"))).isFile);
});

Deno.test("install init says which file is in the way of a folder", async () => {
  await using lab = await home();
  await Deno.writeTextFile(join(lab.path, "taken"), "");
  const { code, stderr } = await lab.cli("install", "init", "--config-dir", "taken");
  assert.notEqual(code, 0);
  assert.match(stderr, /taken/);
});
