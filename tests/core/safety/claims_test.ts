import assert from "node:assert/strict";
import { judgeClaim, type NameClaim } from "../../../core/safety/claims.ts";
import { SOURCE_ROOT } from "../../../testing/world.ts";
import { assertDone, assertFailed, AT_SOURCE, FILES, runAndAfter, worldWith } from "../../kit/rules.ts";

const claim = (more: Partial<NameClaim>): NameClaim => ({
  incarnation: "one",
  host: "scope-1",
  source_root: "root",
  source_path: "E:\\studies\\study1",
  claimed_at: "2026-01-01T00:00:00.000Z",
  ...more,
});

Deno.test("S11 judgeClaim() goes by the root's marker and the folder's name, not by how the root is spelled", () => {
  const ours = claim({ incarnation: "two" });
  assert.equal(judgeClaim(claim({}), claim({})), "ours");
  for (const path of ["E:\\studies\\study1", "e:/studies/study1/", "\\\\?\\E:\\studies\\study1", "/mnt/scope/study1"]) {
    assert.equal(judgeClaim(claim({ source_path: path }), ours), "take-over", path);
    assert.equal(judgeClaim(claim({ source_path: path, source_root: "other" }), ours), "foreign", path);
  }
  for (const path of ["E:\\studies\\STUDY1", "E:\\studies", "unknown"]) {
    assert.equal(judgeClaim(claim({ source_path: path }), ours), "foreign", path);
  }
});

Deno.test("S11 a root that is spelled another way keeps its claims, also for a study that was made anew", async () => {
  await using world = await worldWith();
  world.fs.seed({ "/scope": { link: SOURCE_ROOT } });
  assertFailed(await runAndAfter(world, "s3", () => world.study("study1", { late: "late" })), "item/source-changed");
  world.fs.disk.rename(AT_SOURCE, "/instrument/elsewhere");
  world.study("study1", { ...FILES, late: "late" });
  world.clock.time += 3_600_000;
  assertDone(await world.run({ sourceRoot: "/scope" }));
  assert.equal(world.fs.disk.lstat(AT_SOURCE), undefined);
});
