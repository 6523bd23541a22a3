import assert from "node:assert/strict";
import { join } from "@std/path";
import { lab } from "./_lab.ts";

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

Deno.test("S1 lint knows what earlier runs knew: exchanged paths and another mark exit 2, and the journal stays", async () => {
  await using place = await lab();
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  const ok = await place.cli(["lint", "local"]);
  assert.deepEqual([ok.code, ok.stdout], [0, "local: ok\n"]);
  const state = async () => (await Array.fromAsync(Deno.readDir(place.state))).map(({ name }) => name).sort();
  const before = await state();
  const config = join(place.path, "config.toml");
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(
    config,
    text.replace(`"nas"`, `"?"`).replace(`"instrument"`, `"nas"`).replace(`"?"`, `"instrument"`),
  );
  const exchanged = await place.cli(["lint", "local"]);
  assert.equal(exchanged.code, 2);
  assert.match(exchanged.stdout, /env\/other-role[^]*nas" as source[^]*env\/other-role[^]*instrument" as truenas/);
  await Deno.writeTextFile(config, text);
  const marker = join(place.truenas, ".labferry-place");
  await Deno.writeTextFile(marker, `${crypto.randomUUID()}\n`);
  const other = await place.cli(["lint", "local"]);
  assert.equal(other.code, 2);
  assert.match(other.stdout, /env\/other-marker[^]*earlier runs knew this place by/);
  assert.deepEqual(await state(), before);
});
