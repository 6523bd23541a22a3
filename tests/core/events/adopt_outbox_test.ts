import assert from "node:assert/strict";
import { join } from "@std/path";
import { adoptOutbox, OWN_MS } from "../../../core/events/adopt_outbox.ts";
import { openJournal } from "../../../core/journal/sqlite.ts";
import { memoryLog } from "../../../testing/doubles.ts";
import { tempDir } from "../../kit/temp.ts";

const NOW = Date.UTC(2026, 5, 30);
const at = (ms: number) => new Date(NOW + ms).toISOString();

/** Two configs of one state folder: of one that may be gone, and of one that finds its events. */
async function pair() {
  const dir = await tempDir();
  const path = join(dir.path, "journal.db");
  const other = await openJournal(path, { config: "/old/config.toml" });
  const here = await openJournal(path, { config: "/new/config.toml" });
  const log = memoryLog();
  const told = async () => (await here.outbox.pending()).map(({ data }) => data);
  return {
    path,
    other,
    here,
    log,
    told,
    /** What the other may be told of after the events were looked at, at that time. */
    async after(now: number, { gone }: { gone: boolean }) {
      await adoptOutbox(here, {
        now,
        log,
        isGone: (config) => Promise.resolve(gone && config === "/old/config.toml"),
      });
      return await told();
    },
    async [Symbol.asyncDispose]() {
      await other[Symbol.asyncDispose]();
      await here[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

Deno.test("adoptOutbox() takes over what a config that was moved has told nobody of", async () => {
  await using world = await pair();
  const { other: moved, here, log } = world;
  for (const [id, ms] of [["same", -OWN_MS - 1], ["young", -OWN_MS]] as const) {
    await moved.outbox.enqueue({ id, event: "fusion_error", at: at(ms), data: `${id} of moved` });
  }
  await here.outbox.enqueue({ id: "same", event: "fusion_error", at: at(0), data: "same of here" });
  await moved.steps.finish("event:notify:same", "tell", "a@lab.example");
  assert.deepEqual(await world.after(NOW, { gone: true }), ["same of moved", "same of here"]);
  assert.match(log.lines[0].message, /^telling of 1 event that another config .* in 30 days$/);
  assert.equal(await moved.steps.isFinished("event:notify:same", "tell", "a@lab.example"), false);
  await here.outbox.markSent("same", at(0));
  assert.deepEqual(await world.told(), ["same of moved"], "each is told");
  assert.deepEqual((await moved.outbox.pending()).map(({ data }) => data), ["young of moved"]);
});

Deno.test("S13 adoptOutbox() takes nothing from a config that is there because a clock was ahead", async () => {
  await using world = await pair();
  await world.other.outbox.enqueue({ id: "today", event: "backup_failure", at: at(0), data: "today" });
  const day = 86_400_000;
  // Ahead twice, and right between and behind: its own people are told.
  for (const days of [40, 0, 41, 1, 29]) {
    assert.deepEqual(await world.after(NOW + days * day, { gone: false }), [], `${days}`);
  }
  assert.equal((await world.other.outbox.pending()).length, 1);
});

Deno.test("adoptOutbox() takes over what nobody was told of for long, though the file of its config is there", async () => {
  await using world = await pair();
  await world.other.outbox.enqueue({ id: "old", event: "backup_failure", at: at(-OWN_MS - 1), data: "old" });
  assert.deepEqual(await world.after(NOW, { gone: false }), []);
  assert.deepEqual(await world.after(NOW + OWN_MS - 1, { gone: false }), []);
  assert.deepEqual(await world.after(NOW + OWN_MS, { gone: false }), ["old"]);
});

Deno.test("adoptOutbox() makes what is taken over, or was nobody's, the taker's: no third config tells of it again", async () => {
  await using world = await pair();
  const { here, path } = world;
  await using third = await openJournal(path, { config: "/third/config.toml" });
  await world.other.outbox.enqueue({ id: "old", event: "backup_failure", at: at(-OWN_MS - 1), data: "old" });
  await using older = await openJournal(path);
  await older.outbox.enqueue({ id: "nobody's", event: "backup_failure", at: at(0), data: "nobody's" });
  await older.steps.finish("event:notify:nobody's", "notify", "email ops@lab.example");
  assert.deepEqual(await world.after(NOW, { gone: true }), ["old", "nobody's"]);
  assert.equal(await here.steps.isFinished("event:notify:nobody's", "notify", "email ops@lab.example"), true);
  await adoptOutbox(third, { now: NOW, log: world.log, isGone: () => Promise.resolve(false) });
  assert.deepEqual(await third.outbox.pending(), [], "some of its people were told already");
});
