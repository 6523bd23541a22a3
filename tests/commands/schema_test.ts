import assert from "node:assert/strict";
import { join } from "@std/path";
import { builtinRegistry } from "../../cli/project.ts";
import { schemaFiles } from "../../cli/schema_files.ts";
import { lab } from "./_lab.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

Deno.test("schema writes both schemas beside the config, or into --out", async () => {
  await using place = await lab();
  const { code, stdout, stderr } = await place.cli(["schema"]);
  assert.equal(code, 0);
  for (const { name, text } of schemaFiles(builtinRegistry())) {
    const path = join(place.path, "schema", name);
    assert.ok(stdout.includes(`wrote  ${path}\n`), stdout);
    assert.equal(await Deno.readTextFile(path), text);
  }
  assert.match(stderr, /config\.toml +#:schema \.\/schema\/config\.schema\.json/);
  assert.equal((await place.cli(["schema", "--out", "elsewhere/deep"])).code, 0);
  assert.ok((await Deno.stat(join(place.path, "elsewhere", "deep", "pipeline.schema.json"))).isFile);
});

Deno.test("schema does without a config, or with a broken one", async () => {
  await using place = await lab();
  await Deno.writeTextFile(join(place.path, "config.toml"), "[pahts]\n");
  const { code, stderr } = await place.cli(["schema"]);
  assert.equal(code, 0);
  assert.match(stderr, /stages from outside are not known[^]*paths/);
});

Deno.test("schema/ of this repository is what its plugins make", async () => {
  for (const { name, text } of schemaFiles(builtinRegistry())) {
    const there = await Deno.readTextFile(join(ROOT, "schema", name));
    assert.equal(there.replaceAll("\r\n", "\n"), text, "run: deno run -A tools/schemas.ts");
  }
});
