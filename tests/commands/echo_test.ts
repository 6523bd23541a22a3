import assert from "node:assert/strict";
import { lab } from "./_lab.ts";

Deno.test("echo prints the pipeline in force", async () => {
  await using place = await lab();
  const { code, stdout } = await place.cli(["echo", "local"]);
  assert.equal(code, 0);
  assert.ok(stdout.includes(`to = "${place.truenas.replaceAll("\\", "\\\\")}"`), stdout);
  const absent = await place.cli(["echo", "locla"]);
  assert.equal(absent.code, 2);
});
