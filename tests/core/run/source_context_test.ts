import assert from "node:assert/strict";
import { SOURCE_ROOT, World } from "../../../testing/world.ts";

async function toldOf(files: Record<string, string>, options: { dryRun?: boolean } = {}): Promise<string[]> {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  world.study("study2", { "b.txt": "beta" });
  world.fs.seed(Object.fromEntries(Object.entries(files).map(([name, text]) => [`${SOURCE_ROOT}/${name}`, text])));
  const report = await world.run(options);
  assert.equal(report.exit_code, 0);
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [["study1", "done"], ["study2", "done"]]);
  return world.log.lines.filter(({ level, message }) => level === "info" && message.includes("of no study"))
    .map(({ message }) => message);
}

Deno.test("a run names a file that lies beside the studies, once", async () => {
  const wanted = [`"notes.txt" directly in ${SOURCE_ROOT} is a file of no study: only folders are taken up`];
  assert.deepEqual(await toldOf({ "notes.txt": "n" }), wanted);
  assert.deepEqual(await toldOf({ "notes.txt": "n" }, { dryRun: true }), wanted);
});

Deno.test("a run names five of many files beside the studies, and counts the others", async () => {
  const seven = Object.fromEntries(["g", "f", "e", "d", "c", "b", "a"].map((name) => [name, name]));
  assert.deepEqual(await toldOf(seven), [
    `"a", "b", "c", "d", "e" and 2 more directly in ${SOURCE_ROOT} are files of no study: only folders are taken up`,
  ]);
});

Deno.test("a run does not speak of its own files beside the studies", async () => {
  const own = [".labferry.lock", ".cleanup.lock", `.labferry-tmp-${"0".repeat(32)}`, "_checksums.sha256"];
  assert.deepEqual(await toldOf(Object.fromEntries(own.map((name) => [name, ""]))), []);
});
