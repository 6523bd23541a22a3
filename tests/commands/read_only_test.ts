import assert from "node:assert/strict";
import { join } from "@std/path";
import { lab } from "./_lab.ts";

Deno.test("list shows pipelines and plugins, all or one kind", async () => {
  await using place = await lab();
  const all = JSON.parse((await place.cli(["list", "--json"])).stdout);
  assert.deepEqual(Object.keys(all), ["pipelines", "stages", "sources", "standards", "stores"]);
  assert.ok(
    all.pipelines.some((pipeline: { name: string; summary: string }) =>
      pipeline.name === "local" && pipeline.summary.startsWith("Copy to the NAS")
    ),
  );
  assert.ok(all.stages.some((stage: { name: string }) => stage.name === "s3-upload"));
  const one = await place.cli(["list", "standards"]);
  assert.match(one.stdout, /^phenocycler {2}\S/);
  const singular = await place.cli(["list", "standard"]);
  assert.equal(singular.stdout, one.stdout);
  const bad = await place.cli(["list", "stagse"]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /did you mean "stages"/);
});

Deno.test("list needs no config", async () => {
  await using place = await lab();
  await Deno.remove(join(place.path, "config.toml"));
  assert.equal((await place.cli(["list"])).code, 0);
});

Deno.test("show describes every plugin with its options", async () => {
  await using place = await lab();
  const all = JSON.parse((await place.cli(["list", "--json"])).stdout) as Record<string, { name: string }[]>;
  for (const { name } of Object.values(all).flat()) {
    const { code, stdout } = await place.cli(["show", name]);
    assert.equal(code, 0, name);
    assert.ok(stdout.includes(name));
    assert.ok(Array.isArray(JSON.parse((await place.cli(["show", name, "--json"])).stdout)));
  }
  const idle = await place.cli(["show", "idle-folders"]);
  assert.match(idle.stdout, / {2}idle {4}string {2}default "14d" {2}\S/);
  const health = await place.cli(["show", "health"]);
  assert.match(health.stdout, /mtime_gap_days {2}number +default 14 \(days\)/);
  const bad = await place.cli(["show", "idle-folder"]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /did you mean "idle-folders"/);
});

Deno.test("echo prints the pipeline in force", async () => {
  await using place = await lab();
  const { code, stdout } = await place.cli(["echo", "local"]);
  assert.equal(code, 0);
  assert.ok(stdout.includes(`to = "${place.truenas.replaceAll("\\", "\\\\")}"`), stdout);
  const absent = await place.cli(["echo", "locla"]);
  assert.equal(absent.code, 2);
});

Deno.test("lint says what is wrong, where, and exits 2", async () => {
  await using place = await lab();
  const clean = await place.cli(["lint", "local", "--offline"]);
  assert.deepEqual(clean, { code: 0, stdout: "local: ok\n", stderr: "" });
  const unmarked = await place.cli(["lint", "local", "--json"]);
  assert.equal(unmarked.code, 2);
  const [verdict] = JSON.parse(unmarked.stdout);
  assert.equal(verdict.ok, false);
  assert.ok(verdict.diagnostics.every((d: { code: string }) => d.code === "env/not-marked"));
  await place.pipeline("broken", `name = "broken"\n[source]\nuse = "idle-foldres"\n[[stage]]\nuse = "lock"\n`);
  const broken = await place.cli(["lint", "broken"]);
  assert.equal(broken.code, 2);
  assert.match(broken.stdout, /broken\.toml:3:\d+: error .*\n.*\n.*\^[\s\S]*idle-folders/);
  assert.match(broken.stdout, /broken: 1 error\n$/);
  const all = await place.cli(["lint", "--offline"]);
  assert.match(all.stdout, /local: ok/);
});

Deno.test("run, plan, lint and echo exit 2 without a config, or with a broken one", async () => {
  await using place = await lab();
  const config = join(place.path, "config.toml");
  await Deno.writeTextFile(config, `[pahts]\nsource_root = "x"\n`);
  for (const command of ["run", "plan", "lint", "echo"]) {
    const { code, stdout, stderr } = await place.cli([command, "local"]);
    assert.deepEqual([code, stdout], [2, ""], command);
    assert.match(stderr, /config\.toml:1:2/);
    assert.match(stderr, /paths/);
  }
  await Deno.remove(config);
  const absent = await place.cli(["run", "local"]);
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /config\/not-found/);
});

Deno.test("manifest verify finds a changed line, and nothing to verify", async () => {
  await using place = await lab();
  const empty = await place.cli(["manifest", "verify", place.manifests]);
  assert.equal(empty.code, 1);
  const absent = await place.cli(["manifest", "show", join(place.manifests, "2025-01.jsonl")]);
  assert.equal(absent.code, 2);
  const month = join(place.manifests, "2025-01.jsonl");
  await Deno.writeTextFile(month, "{torn");
  const torn = await place.cli(["manifest", "verify", month]);
  assert.equal(torn.code, 1);
  assert.match(torn.stdout, /the last line, 1, cannot be read/);
  const shown = await place.cli(["manifest", "show", month, "-f", "json"]);
  assert.equal(shown.code, 0);
  assert.deepEqual(JSON.parse(shown.stdout), {});
  assert.match(shown.stderr, /warn .*line 1 is left out/);
});
