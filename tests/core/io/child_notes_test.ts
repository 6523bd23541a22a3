import assert from "node:assert/strict";
import { join } from "@std/path";
import { ChildNotes } from "../../../core/io/child_notes.ts";
import type { ProcessLife } from "../../../core/io/process_info.ts";
import { tempDir } from "../../kit/temp.ts";

const NOW = Date.parse("2026-03-01T02:00:00.000Z");
const CHILD = 4242;

/** Notes of a made-up system: `lives` by process, groups by their leader. */
async function made() {
  const dir = await tempDir();
  const lives = new Map<number, ProcessLife>();
  const groups = new Set<number>();
  let now = NOW;
  let onSleep = () => {};
  const options = {
    dir: join(dir.path, "children"),
    processes: { isAlive: (pid: number) => Promise.resolve(lives.get(pid) ?? { alive: false }) },
    isGroupAlive: (pid: number) => groups.has(pid),
    clock: {
      now: () => now,
      sleep: (ms: number) => {
        now += ms;
        onSleep();
        return Promise.resolve();
      },
    },
  };
  return {
    lives,
    groups,
    notes: new ChildNotes({ ...options, host: "scope-1" }),
    elsewhere: new ChildNotes({ ...options, host: "scope-2" }),
    onSleep: (act: () => void) => onSleep = act,
    now: () => now,
    files: () => [...Deno.readDirSync(options.dir)].map(({ name }) => name),
    dir: options.dir,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

Deno.test("S10 ChildNotes.isAlive() says that a dead process lives on in the program it started, after 5 s of waiting", async () => {
  await using at = await made();
  const note = at.notes.add(CHILD, "/etc/mount.sh");
  const found = { alive: true, child: { pid: CHILD, program: "/etc/mount.sh" } };
  at.lives.set(CHILD, { alive: true, startedAtMs: NOW - 10 });
  assert.deepEqual(await at.notes.isAlive(Deno.pid), found);
  assert.equal(at.now(), NOW + 5_000);
  // Its leader has ended, what that one started has not.
  at.lives.delete(CHILD);
  at.groups.add(CHILD);
  assert.deepEqual(await at.notes.isAlive(Deno.pid), found);
  assert.deepEqual(await at.notes.isAlive(7), { alive: false }, "that of another process");
  assert.deepEqual(await at.elsewhere.isAlive(Deno.pid), { alive: false }, "that of another host");
  at.onSleep(() => at.groups.clear());
  assert.deepEqual(await at.notes.isAlive(Deno.pid), { alive: false }, "it ends while it is waited for");
  at.groups.add(CHILD);
  note[Symbol.dispose]();
  assert.deepEqual(await at.notes.isAlive(Deno.pid), { alive: false }, "it was seen to end");
});

Deno.test("S10 ChildNotes.isAlive() waits for no program of a process that lives, nor for one whose number is another's", async () => {
  await using at = await made();
  using _note = at.notes.add(CHILD, "sh");
  at.lives.set(CHILD, { alive: true, startedAtMs: NOW });
  at.lives.set(Deno.pid, { alive: true, startedAtMs: NOW - 1 });
  assert.deepEqual(await at.notes.isAlive(Deno.pid), { alive: true, startedAtMs: NOW - 1 });
  assert.equal(at.now(), NOW);
  // The number of the holder was used again, and the program is that of the dead one.
  at.lives.set(Deno.pid, { alive: true, startedAtMs: NOW + 60_000 });
  assert.equal((await at.notes.isAlive(Deno.pid)).child?.pid, CHILD);
  at.lives.set(CHILD, { alive: true, startedAtMs: NOW + 60_000 });
  assert.equal((await at.notes.isAlive(Deno.pid)).child, undefined);
});

Deno.test("ChildNotes.tidy() removes what says nothing any more", async () => {
  await using at = await made();
  assert.deepEqual(await at.notes.isAlive(1), { alive: false }, "there are none");
  await at.notes.tidy();
  at.notes.add(CHILD, "sh");
  at.notes.add(CHILD + 1, "sh");
  at.elsewhere.add(CHILD + 1, "sh");
  at.groups.add(CHILD);
  await Deno.writeTextFile(join(at.dir, "torn.json"), '{"host":"sc');
  await at.notes.tidy();
  assert.equal(at.files().length, 2, "the one at work, and that of another host");
});

Deno.test("S10 ChildNotes.add() shows a note to others only when it is whole", async () => {
  await using at = await made();
  const seen: string[] = [];
  const rename = Deno.renameSync;
  try {
    Deno.renameSync = (from, to) => {
      seen.push(...at.files());
      rename(from, to);
    };
    using _note = at.notes.add(CHILD, "/etc/mount.sh");
    assert.equal(at.files().filter((name) => name.endsWith(".json")).length, 1);
  } finally {
    Deno.renameSync = rename;
  }
  assert.deepEqual(seen.map((name) => name.replace(/^.*\./, "")), ["begun"]);
});

Deno.test("ChildNotes.tidy() removes what was begun long ago and never became a note", async () => {
  await using at = await made();
  using _note = at.notes.add(CHILD, "/etc/mount.sh");
  at.groups.add(CHILD);
  for (const [name, ms] of [["old", NOW - 120_000], ["new", NOW - 1_000]] as const) {
    await Deno.writeTextFile(join(at.dir, `${name}.begun`), "{");
    await Deno.utime(join(at.dir, `${name}.begun`), new Date(ms), new Date(ms));
  }
  await at.notes.tidy();
  assert.deepEqual(at.files().map((name) => name.replace(/^.*-.*\.json$/, "note")).toSorted(), ["new.begun", "note"]);
});
