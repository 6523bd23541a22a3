import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { CASE_SCHEMA } from "../../core/pipeline/case_schema.ts";
import { CaseEvents } from "../../testing/case_events.ts";
import { OTHER_ROOT } from "../../testing/case_paths.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../testing/world.ts";

type Entry = Record<string, unknown>;

/** Entries as a case holds them. */
function entries(...meanwhile: Entry[]) {
  return CASE_SCHEMA.parse({ summary: "s", run: [{ exit_code: 0, meanwhile }] }).run[0].meanwhile;
}

async function opened() {
  const world = await World.open({ places: [OTHER_ROOT, "/second"], nasBytes: 1000 });
  const others: number[] = [];
  const events = new CaseEvents(world, {
    places: ["/second"],
    nasBytes: 1000,
    onOtherHost: (_what, index) => void others.push(index),
  });
  world.study("a", { "x.txt": "alpha", "y.txt": "beta" });
  return { world, events, others };
}

Deno.test("CaseEvents changes files and objects, each in its place", async () => {
  const { world, events } = await opened();
  await using _ = world;
  await events.begin(entries(
    { write: { "nas/a/x.txt": "copy", "bucket/a/x.txt": "object", "/second/z": { size: 3 }, "other/b/c": "c" } },
    { append: { "source/a/x.txt": " and omega", "instrument/Fusion.log": "line\n" } },
    { move: { "source/a/y.txt": "source/a/z.txt" } },
    { append: { "instrument/Fusion.log": "line\n" }, flip: ["nas/a/x.txt", "bucket/a/x.txt"] },
    { remove: ["/second/z"] },
  ));
  assert.deepEqual(events.impossible, []);
  assert.deepEqual(world.files(SOURCE_ROOT), { "a/x.txt": "alpha and omega", "a/z.txt": "beta" });
  assert.deepEqual(world.files(NAS_ROOT), { "a/x.txt": "bopy" });
  assert.deepEqual(world.files("/second"), {});
  assert.deepEqual(world.files(OTHER_ROOT), { "b/c": "c" });
  assert.equal(new TextDecoder().decode(world.objects()["a/x.txt"]), "nbject");
  assert.equal(await world.fs.readText("/instrument/Fusion.log"), "line\nline\n");
  // What people and other programs did to a disk does not go with the power.
  world.fs.crash();
  world.fs.restart(() => true);
  assert.deepEqual(world.files(SOURCE_ROOT), { "a/x.txt": "alpha and omega", "a/z.txt": "beta" });
  assert.deepEqual(world.files("/second"), {});
});

Deno.test("CaseEvents says what could not happen", async () => {
  const { world, events } = await opened();
  await using _ = world;
  await events.begin(entries(
    { remove: ["nas/a/x.txt"] },
    { flip: ["bucket/a/x.txt"] },
    { append: { "bucket/a/x.txt": "more" } },
    { move: { "bucket/a": "bucket/b" } },
    { remount: "nas" },
    { s3_lost_response: { request: "put", of: "nas/a" } },
  ));
  assert.deepEqual(events.impossible.map(({ index }) => index), [0, 1, 2, 3, 4, 5]);
});

Deno.test("CaseEvents fills and empties disks, unmounts them, and sets the clock", async () => {
  const { world, events } = await opened();
  await using _ = world;
  const before = world.clock.now();
  await events.begin(entries({ fill: "nas", clock: "-2h" }, { write: { "manifests/x": "y" } }));
  assert.equal(world.clock.now(), before - 7_200_000);
  assert.equal(world.fs.disk.space("/nas").free, 0);
  await events.begin(entries({ make_room: "nas" }, { unmount: "source" }));
  assert.ok(world.fs.disk.space("/nas").free > 900);
  assert.equal(world.fs.disk.space("/nas").total, 1000);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  await events.begin(entries({ remount: "source" }));
  assert.deepEqual(Object.keys(world.files(SOURCE_ROOT)), ["a/x.txt", "a/y.txt"]);
});

Deno.test("CaseEvents waits for its moments, and for the item it names", async () => {
  const { world, events, others } = await opened();
  await using _ = world;
  const at = (name: string) => ({ [`source/a/${name}`]: name });
  await events.begin(entries(
    { after: "copy", item: "b", write: at("1") },
    { before: "copy", steps: 2, write: at("2") },
    { steps: 3, write: at("3") },
    { waits: 2, write: at("4") },
    { after: "verify", other_host: {} },
  ));
  const there = () => Object.keys(world.files(SOURCE_ROOT)).filter((path) => /\d/.test(path)).join(" ");
  const { stageStarted, stageFinished } = events.progress();
  events.onStep();
  stageStarted?.("a", "copy");
  events.onStep();
  assert.equal(there(), "");
  events.onStep();
  assert.equal(there(), "a/2 a/3");
  stageFinished?.("a", "copy", "done");
  assert.equal(there(), "a/2 a/3");
  stageFinished?.("b", "copy", "done");
  assert.equal(there(), "a/1 a/2 a/3");
  assert.deepEqual([events.isWaitedFor, events.never], [true, [3, 4]]);
  events.onWait();
  events.onWait();
  assert.equal(there(), "a/1 a/2 a/3 a/4");
  stageFinished?.("a", "verify", "done");
  assert.deepEqual([events.isWaitedFor, events.never, others], [false, [], [4]]);
});

Deno.test("CaseEvents sees a file come and go", async () => {
  const { world, events } = await opened();
  await using _ = world;
  await events.begin(entries(
    { there: "nas/a/x.txt", write: { "source/a/1": "1" } },
    { gone: "source/a/x.txt", steps: 2, write: { "source/a/2": "2" } },
    { gone: "bucket/never", crash: "kill" },
  ));
  const there = () => Object.keys(world.files(SOURCE_ROOT)).filter((path) => /\d/.test(path)).join(" ");
  events.onStep();
  assert.equal(there(), "");
  world.fs.seed({ [`${NAS_ROOT}/a/x.txt`]: "x" });
  events.onStep();
  assert.equal(there(), "a/1");
  world.fs.disk.removeFile(`${SOURCE_ROOT}/a/x.txt`);
  events.onStep();
  events.onStep();
  assert.equal(there(), "a/1");
  assert.equal(events.onStep(), false);
  assert.equal(there(), "a/1 a/2");
  assert.deepEqual(events.never, [2]);
});

Deno.test("CaseEvents keeps the store and the mail server away as often as it was told, and loses one answer", async () => {
  const { world, events } = await opened();
  await using _ = world;
  const { signal } = new AbortController();
  const bytes = new Uint8Array(1);
  const put = (key: string) =>
    world.store.put(key, bytes, { metadata: {}, sha256: hash("sha256", bytes, "base64") }, signal);
  const lost = { request: "put", of: "bucket/b" };
  await events.begin(entries({ s3_down: 2, mail_down: 1 }, { s3_lost_response: lost }));
  await assert.rejects(world.store.head("k", signal), /does not answer/);
  await assert.rejects(world.store.head("k", signal), /does not answer/);
  await put("fusion/a");
  await assert.rejects(put("fusion/b"), /answer was lost/);
  assert.ok(world.store.objects.has("fusion/b"));
  assert.deepEqual(events.never, []);
  assert.deepEqual([events.onMail(), events.onMail()], [true, false]);
});
