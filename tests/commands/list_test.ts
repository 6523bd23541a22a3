import assert from "node:assert/strict";
import { join } from "@std/path";
import { lab } from "./_lab.ts";

Deno.test("list shows pipelines and plugins, all or one kind", async () => {
  await using place = await lab();
  const all = JSON.parse((await place.cli(["list", "--json"])).stdout);
  assert.deepEqual(Object.keys(all), [
    "pipelines",
    "stages",
    "sources",
    "notifiers",
    "standards",
    "stores",
    "schedulers",
  ]);
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
