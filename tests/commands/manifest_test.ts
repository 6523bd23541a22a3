import assert from "node:assert/strict";
import { join } from "@std/path";
import { lab } from "./_lab.ts";

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
