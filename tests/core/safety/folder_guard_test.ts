import assert from "node:assert/strict";
import { FolderGuard } from "../../../core/safety/folder_guard.ts";
import { World } from "../../../testing/world.ts";

const ROOT = "/instrument/studies/study1";

Deno.test("S15 FolderGuard looks again at folders that were looked at a while ago", async () => {
  await using world = await World.open();
  world.study("study1", { "Scan1/a.txt": "a", "Scan1/b.txt": "b" });
  const looks: string[] = [];
  const passed = { ms: 0 };
  const fs = { lstat: (path: string) => (looks.push(path), world.fs.lstat(path)) };
  const guard = new FolderGuard(fs, ROOT, () => passed.ms);
  await guard.check("Scan1/a.txt");
  await guard.check("Scan1/b.txt");
  assert.deepEqual(looks, [ROOT, `${ROOT}/Scan1`], "one look for what follows shortly");
  world.fs.seed({ "/instrument/other/x": "" });
  world.fs.disk.rename(`${ROOT}/Scan1`, "/instrument/other/Scan1");
  world.fs.seed({ [`${ROOT}/Scan1`]: { link: "/instrument/other/Scan1" } });
  passed.ms = 101;
  await assert.rejects(guard.check("Scan1/b.txt"), { code: "destroy/escapes" });
});
