import assert from "node:assert/strict";
import { lab } from "./_lab.ts";

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
