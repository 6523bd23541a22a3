import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { MAX_PROOF_AGE_MS, Remover } from "../../../core/safety/remover.ts";
import { instantClock } from "../../../testing/doubles.ts";
import { systemError } from "../../../testing/memory_types.ts";

function removing({ fails }: { fails?: Error } = {}) {
  const clock = instantClock();
  const passed = { ms: 0 };
  const removed: string[] = [];
  const remove = (path: string) => fails ? Promise.reject(fails) : Promise.resolve(void removed.push(path));
  const fs = { removeFile: remove, removeEmptyDir: (path: string) => remove(`${path}/`) };
  const abort = new AbortController();
  const remover = new Remover({ fs, clock, elapsed: () => passed.ms }, abort.signal);
  return { clock, passed, removed, abort, remover };
}

Deno.test("S5 a Remover removes by proofs of ten minutes and no older, by whichever clock", async () => {
  const { remover, removed, clock, passed } = removing();
  clock.time += MAX_PROOF_AGE_MS;
  passed.ms += MAX_PROOF_AGE_MS;
  assert.equal(await remover.remove("/a", { kind: "file" }), true);
  assert.equal(await remover.remove("/b", { kind: "folder" }), true);
  clock.time += 1;
  assert.equal(await remover.remove("/c", { kind: "file" }), false);
  assert.deepEqual(removed, ["/a", "/b/"]);
});

Deno.test("S5 a clock that is set back while something is proved makes no old proof young", async () => {
  const { remover, removed, clock, passed } = removing();
  passed.ms += 15 * 60_000;
  clock.time += 15 * 60_000 - 8 * 60_000;
  assert.equal(await remover.remove("/a", { kind: "file" }), false);
  passed.ms = 0;
  clock.time -= 3_600_000;
  assert.equal(await remover.remove("/a", { kind: "file" }), false);
  assert.deepEqual(removed, []);
});

Deno.test("a Remover removes nothing once its signal was aborted, and says when it is about to act", async () => {
  const { remover, removed, abort } = removing();
  const acts: string[] = [];
  await remover.remove("/a", { kind: "file", onAct: () => acts.push(`before ${removed.length}`) });
  abort.abort(new Error("told to end"));
  const late = () => remover.remove("/b", { kind: "folder", onAct: () => acts.push("late") });
  await assert.rejects(late, /told to end/);
  assert.deepEqual([acts, removed], [["before 0"], ["/a"]]);
});

Deno.test("a Remover names what it could not remove", async () => {
  const { remover } = removing({ fails: systemError("EBUSY", "/a") });
  const words = (kind: "file" | "folder") => remover.remove("/a", { kind }).catch((error) => error);
  assert.deepEqual([(await words("file")).code, (await words("folder")).code], ["io/busy", "io/busy"]);
  assert.match((await words("folder")).message, /Cannot remove the folder "\/a"/);
});

Deno.test("S20 folders go in one place of core/ only", () => {
  const core = new URL("../../../core/", import.meta.url);
  const files = readdirSync(core, { recursive: true, encoding: "utf-8" }).filter((file) => file.endsWith(".ts"));
  const calls = files.filter((file) => /\.removeEmptyDir\(/.test(readFileSync(new URL(file, core), "utf-8")));
  assert.deepEqual(calls.map((file) => file.replaceAll("\\", "/")), ["safety/remover.ts"]);
});
