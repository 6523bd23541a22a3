import assert from "node:assert/strict";
import { join } from "@std/path";
import { misplaced, repeated, unexpected } from "../../../demo/tour/archive.ts";
import { tempDir } from "../../kit/temp.ts";
import { item } from "./_reports.ts";

const MADE = [
  { name: "good", expect: "archived" },
  { name: "bad", expect: "refused" },
  { name: "new", expect: "left-alone" },
] as const;

Deno.test("unexpected() is nothing when each study ended as it should", () => {
  const items = [item("good", "done"), item("bad", "failed")];
  assert.deepEqual(unexpected(MADE, { exit_code: 1, items }), []);
});

Deno.test("unexpected() names the exit code and each study that ended otherwise", () => {
  const items = [item("good", "failed"), item("new", "done")];
  assert.deepEqual(unexpected(MADE, { exit_code: 0, items }), [
    "the first run ended with 0, wanted 1 (one study is misnamed)",
    "good: failed, wanted done",
    "bad: not taken up, wanted failed",
    "new: done, wanted not taken up",
  ]);
});

Deno.test("misplaced() names what is on the instrument and should not be, and the other way round", async () => {
  await using dir = await tempDir();
  for (const name of ["bad", "new"]) await Deno.mkdir(join(dir.path, name));
  assert.deepEqual(await misplaced(MADE, dir.path), []);
  await Deno.remove(join(dir.path, "bad"));
  await Deno.mkdir(join(dir.path, "good"));
  assert.deepEqual(await misplaced(MADE, dir.path), [
    "good is still on the instrument",
    "bad is no longer on the instrument",
  ]);
});

Deno.test("repeated() names other studies than the misnamed ones, and work that was done twice", () => {
  const misnamed = ["bad"];
  assert.deepEqual(repeated({ items: [item("bad", "failed", [{ use: "validate" }])] }, { misnamed }), []);
  const worked = item("good", "done", [{ use: "copy", applied: 2 }, { use: "verify", applied: 2 }]);
  assert.deepEqual(repeated({ items: [worked] }, { misnamed }), [
    "the second run took up good",
    "the second run did work in copy",
  ]);
});
