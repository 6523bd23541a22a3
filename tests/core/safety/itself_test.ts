import assert from "node:assert/strict";
import { incarnationOf } from "../../../core/safety/incarnation.ts";
import { assertItself, notItself } from "../../../core/safety/itself.ts";
import { MemoryFileSystem } from "../../../testing/memory_file_system.ts";

const within = { path: "/instrument", uuid: "u" };

Deno.test("S3 assertItself() refuses every folder but the one that was taken up", async () => {
  const fs = new MemoryFileSystem({ now: () => 0 });
  fs.seed({
    "/instrument/study1/a": "a",
    "/instrument/study2/a": "a",
    "/home/docs/thesis": "t",
    "/instrument/file": "f",
  });
  const stat = await fs.lstat("/instrument/study1");
  assert.ok(stat);
  const item = { id: incarnationOf("u", stat, "study1"), name: "study1" };
  const found = (root: string, more = {}) => notItself(fs, { item, root, within, ...more });
  assert.equal(await found("/instrument/study1"), undefined);
  assert.match(await found("/home/docs") ?? "", /"\/home\/docs", wanted "\/instrument\/study1"/);
  assert.match(await found("/instrument/study2") ?? "", /wanted "\/instrument\/study1"/);
  assert.match(await found("/instrument/study1/../study2") ?? "", /wanted "\/instrument\/study1"/);
  const other = { id: item.id, name: "study2" };
  const second = "/instrument/study2";
  assert.match(await notItself(fs, { item: other, root: second, within }) ?? "", /another folder stands at/);
  assert.equal(await notItself(fs, { item: other, root: second, within, isCopy: true }), undefined);
  const file = { id: item.id, name: "file" };
  assert.match(await notItself(fs, { item: file, root: "/instrument/file", within }) ?? "", /is a file now/);
  await assert.rejects(assertItself(fs, { id: "source", root: "/home/docs", within }, item), {
    code: "destroy/other-folder",
    message: /^Cannot remove "study1" from source: its folder is taken to be "\/home\/docs", wanted/,
  });
  await assertItself(fs, { id: "source", root: "/instrument/study1", within }, item);
});
