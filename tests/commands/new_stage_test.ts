import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { namesOf, withStage } from "../../commands/_stage_templates.ts";
import { stages } from "../../stages/mod.ts";
import { runCli } from "../cli/_terminal.ts";
import { tempDir } from "../kit/temp.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

async function home() {
  const dir = await tempDir();
  const plugins = join(dir.path, ".config", "labferry", "plugins");
  return {
    path: dir.path,
    plugins,
    cli: (...argv: string[]) => runCli(argv, { env: { HOME: dir.path, USERPROFILE: dir.path }, cwd: dir.path }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** `deno` with the settings of this clone; what it wrote when it ended well. */
async function deno(args: readonly string[], cwd: string): Promise<string> {
  const env = { NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd, env }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  return text;
}

Deno.test("new stage writes a stage and a test beside the config that pass without a change", async () => {
  await using lab = await home();
  const { code, stdout } = await lab.cli("new", "stage", "count-images");
  const stage = join(lab.plugins, "count-images.ts");
  const test = join(lab.plugins, "tests", "count-images_test.ts");
  assert.equal(code, 0);
  assert.ok(stdout.startsWith(`wrote  ${stage}\nwrote  ${test}\n\nNext:\n  1. deno test -A --config `), stdout);
  const [, command] = /1\. deno (.*)\n/.exec(stdout) ?? [];
  const text = await deno([...command.split(" "), "--cached-only"], lab.path);
  assert.match(text, /count-images crashed at any moment and run again reaches the same end state \.\.\. ok/);
  assert.match(text, /13 passed \| 0 failed/);
});

Deno.test("new stage writes files that are formatted and linted as they stand", async () => {
  await using lab = await home();
  await lab.cli("new", "stage", "count-images", "--dir", "own");
  const config = ["--config", join(ROOT, "deno.json")];
  const files = ["own/count-images.ts", "own/tests/count-images_test.ts"];
  await deno(["fmt", "--check", ...config, ...files], lab.path);
  await deno(["lint", ...config, ...files], lab.path);
});

Deno.test("new stage --dir writes there, and says how the config finds it", async () => {
  await using lab = await home();
  const { code, stdout } = await lab.cli("new", "stage", "count-images", "--dir", "own");
  assert.equal(code, 0);
  assert.ok(stdout.includes(`[plugins] files = [${JSON.stringify(join(lab.path, "own", "count-images.ts"))}]`), stdout);
});

Deno.test("new stage overwrites nothing, neither the stage nor its test", async () => {
  for (const standing of ["count-images.ts", "tests/count-images_test.ts"]) {
    await using lab = await home();
    const path = join(lab.plugins, ...standing.split("/"));
    await Deno.mkdir(join(lab.plugins, "tests"), { recursive: true });
    await Deno.writeTextFile(path, "mine");
    const { code, stdout, stderr } = await lab.cli("new", "stage", "count-images");
    assert.deepEqual([code, stdout], [2, ""]);
    assert.ok(stderr.includes(`Cannot write "${path}": already there`), stderr);
    assert.match(stderr, /Nothing that stands is overwritten/);
    assert.equal(await Deno.readTextFile(path), "mine");
    assert.equal((await Array.fromAsync(Deno.readDir(lab.plugins))).length, standing.startsWith("tests") ? 1 : 2);
  }
});

Deno.test("new stage refuses names that no stage can have, and those that are taken", async () => {
  await using lab = await home();
  for (const name of ["Count", "count_images", "../x", "1st", "a--b", "-a", "x".repeat(65), "con", "lpt1"]) {
    const { code, stderr } = await lab.cli("new", "stage", "--", name);
    assert.equal(code, 2, name);
    assert.match(stderr, new RegExp(`Cannot make stage "${name.replaceAll(".", "\\.")}"`));
    assert.match(stderr, /count-images/, "the hint has an example");
  }
  const { code, stderr } = await lab.cli("new", "stage", "copy");
  assert.equal(code, 2);
  assert.match(stderr, /Cannot make stage "copy": labferry has a stage of that name/);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(lab.path)), []);
});

Deno.test("new stage --builtin is refused where there is no clone", async () => {
  await using lab = await home();
  const { code, stderr } = await lab.cli("new", "stage", "count-images", "--builtin");
  assert.equal(code, 2);
  assert.match(stderr, /there is no stages\/mod\.ts, wanted a clone of labferry/);
});

Deno.test("new stage --builtin adds a stage to a clone that passes its test, the list's and the layout's", async () => {
  await using lab = await home();
  const clone = join(lab.path, "clone");
  await copyTree(ROOT, clone);
  const { code, stdout } = await lab.cli("new", "stage", "count-images", "--builtin", "--dir", clone);
  assert.equal(code, 0);
  assert.match(stdout, /added {2}count-images to .*mod\.ts\n\nNext:\n {2}1\. deno test -A tests/);
  assert.match(stdout, /deno task reference/);
  const written = ["stages/count_images.ts", "tests/stages/count_images_test.ts", "stages/mod.ts"];
  await deno(["fmt", "--check", ...written], clone);
  await deno(["lint", ...written], clone);
  const text = await deno(["test", "-A", "--cached-only", "tests/stages/count_images_test.ts"], clone);
  assert.match(text, /13 passed \| 0 failed/);
  const filter = ["--filter", "/every registered stage|in its list|has a test|mirrors/"];
  const lists = ["tests/stages/mod_test.ts", "tests/layout_test.ts"];
  assert.match(await deno(["test", "-A", "--no-check", "--cached-only", ...filter, ...lists], clone), /4 passed/);
});

Deno.test("withStage() keeps imports and entries in order, and refuses a list it does not know", async () => {
  const list = await Deno.readTextFile(join(ROOT, "stages", "mod.ts"));
  for (const name of ["aaa", "count-images", "zip"]) {
    const names = namesOf(name);
    const made = withStage(list, names) ?? "";
    const imports = [...made.matchAll(/from "\.\/(\w+)\.ts"/g)].map(([, file]) => file);
    assert.deepEqual(imports, imports.toSorted());
    assert.equal(imports.length, stages.length + 1);
    assert.ok(made.includes(`  ${names.camel},\n`));
  }
  assert.equal(withStage("export const stages = [];\n", namesOf("zip")), undefined);
});

Deno.test("namesOf() spells a name three ways, and steps aside for words of the language", () => {
  assert.deepEqual(namesOf("s3-upload"), { name: "s3-upload", snake: "s3_upload", camel: "s3Upload" });
  assert.equal(namesOf("export").camel, "exportStage");
});

/** Copies what a clone needs for the tests above. */
async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if ([".git", "node_modules", "dist", "coverage"].includes(name)) continue;
    if (isDirectory) await copyTree(join(from, name), join(to, name));
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}
