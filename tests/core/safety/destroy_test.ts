import assert from "node:assert/strict";
import { openLedger } from "../../../core/ledger/ledger_file.ts";
import { follow } from "../../../core/ledger/entry.ts";
import type { LedgerEntry } from "../../../core/ledger/record.ts";
import { BACKUP, MANIFEST_ROOT, SOURCE_ROOT, type World } from "../../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  manyFiles,
  rewrite,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";

/** Lets another host append to the ledger. */
async function appendAsOther(world: World, changes: Partial<LedgerEntry>): Promise<void> {
  const ledger = openLedger({ fs: world.fs, root: MANIFEST_ROOT, clock: world.clock, host: "other" });
  const record = await ledger.latest("study1");
  await ledger.append(follow(record!, changes));
}

async function assertRefused(world: World, files = FILES): Promise<void> {
  assertSourceWhole(world, files);
  const record = (await world.ledger()).get("study1");
  assert.equal(record?.status, "complete", "a refused destroy takes nothing from the record");
  assert.equal(record?.source_deleting_at, null, "nothing was removed, so the intent is withdrawn");
  assert.equal(record?.source_deleted_at, null);
  assert.deepEqual(await world.journal.openIntents(), []);
}

Deno.test("S4 the intent is durable in ledger and journal before the first file goes", async () => {
  await using world = await worldWith();
  let ledger = "", intents = -1;
  await runAndBeforeRemoval(world, 1, () => {
    ledger = Object.values(world.fs.tree(MANIFEST_ROOT)).join("");
    void world.journal.openIntents().then((open) => intents = open.length);
    world.fs.crash();
  }).catch(() => {});
  assert.match(ledger.trim().split("\n").at(-1) ?? "", /"source_deleting_at":"2/);
  assert.equal(intents, 1);
});

Deno.test("S4 a destroy under way goes on first and alone, whatever the source would say of the study", async () => {
  await using world = await worldWith(manyFiles(30));
  const crash = () => world.fs.crash();
  await runAndBeforeRemoval(world, 10, crash).catch(() => {});
  world.fs.restart();
  assert.equal(Object.keys(world.files(AT_SOURCE)).length, 21);
  // Not idle any more by its stamps, so that the source would leave it out.
  const days = `idle = "9999d"`;
  const report = await world.run({ pipeline: BACKUP.replace(`idle = "\${backup.idle_days}d"`, days) });
  assertDone(report);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
  const [item] = report.items;
  for (const { id, outcome } of item.stages) {
    assert.equal(outcome, id === "lock" || id === "delete" ? "done" : "skipped", id);
  }
  assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S4 a failure after complete stands in the report and never in the ledger", async () => {
  await using world = await worldWith();
  const report = await runAndAfter(world, "record", () => rewrite(world, `${AT_SOURCE}/a.txt`, "changed"));
  assertFailed(report, "destroy/source-changed");
  await assertRefused(world, { ...FILES, "a.txt": "changed" });
  const lines = Object.values(world.fs.tree(MANIFEST_ROOT)).join("");
  assert.doesNotMatch(lines, /"status":"failed/);
});

const CHANGES: Record<string, (world: World) => void> = {
  changed: (world) => rewrite(world, `${AT_SOURCE}/a.txt`, "changed"),
  "changed keeping size and time": (world) => {
    const { mtimeMs } = world.fs.disk.lstat(`${AT_SOURCE}/a.txt`)!;
    rewrite(world, `${AT_SOURCE}/a.txt`, "ALPHA", mtimeMs ?? undefined);
  },
  added: (world) => world.study("study1", { "late.txt": "late" }),
  removed: (world) => world.fs.disk.removeFile(`${AT_SOURCE}/a.txt`),
  "replaced by a folder": (world) => {
    world.fs.disk.removeFile(`${AT_SOURCE}/a.txt`);
    world.fs.seed({ [`${AT_SOURCE}/a.txt/inner`]: "x" });
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  Deno.test(`S5 a source file ${what} before verify, before record or before the delete: nothing goes`, async () => {
    for (const stage of ["truenas", "verify", "s3", "record"]) {
      await using world = await worldWith();
      let before: Record<string, string> = {};
      const report = await runAndAfter(world, stage, () => {
        change(world);
        before = world.files(AT_SOURCE);
      });
      assert.equal(report.exit_code, 1, `${what} after ${stage}`);
      assert.deepEqual(world.files(AT_SOURCE), before, `${what} after ${stage}`);
      const record = (await world.ledger()).get("study1");
      assert.equal(record?.status === "complete", stage === "record", `${what} after ${stage}: ${record?.status}`);
      assert.equal(record?.source_deleted_at, null);
      assert.equal(record?.source_deleting_at, null);
    }
  });
}

Deno.test("S5 a source file changed or added between two batches stays, with the rest of its batch", async () => {
  const files = manyFiles();
  const last = `${AT_SOURCE}/f01009`;
  const changes: Record<string, () => void> = {
    changed: () => rewrite(world, last, "changed"),
    added: () => world.study("study1", { late: "late" }),
    "made a link": () => (world.fs.disk.removeFile(last), world.fs.seed({ [last]: { link: "/nas" } })),
  };
  let world: World;
  for (const [what, change] of Object.entries(changes)) {
    await using its = await worldWith(files);
    world = its;
    const report = await runAndBeforeRemoval(world, 1000, change);
    assert.equal(report.exit_code, 1, what);
    const left: Record<string, string> = world.files(AT_SOURCE);
    if (what === "added") assert.deepEqual({ ...left }, { late: "late" });
    else assert.equal(Object.keys(left).length, 10, what);
    if (what === "changed") assert.equal(left.f01009, "changed");
    if (what === "made a link") assert.equal(left.f01009, "-> /nas");
    const record = (await world.ledger()).get("study1");
    assert.notEqual(record?.source_deleting_at, null, `${what}: files are gone, so the intent stays`);
    assert.equal(record?.source_deleted_at, null, what);
    assert.equal((await world.run()).exit_code, 1, `${what}: the next run refuses too`);
    assert.deepEqual(world.files(AT_SOURCE), left, what);
  }
});

Deno.test("S5 a copy at the NAS that is gone or changed refuses the destroy", async () => {
  const changes: Record<string, (world: World) => void> = {
    gone: (world) => world.fs.disk.removeFile(`${AT_NAS}/a.txt`),
    changed: (world) => rewrite(world, `${AT_NAS}/a.txt`, "ALPHA"),
    shorter: (world) => rewrite(world, `${AT_NAS}/a.txt`, "al"),
    "a link": (world) => {
      world.fs.disk.removeFile(`${AT_NAS}/a.txt`);
      world.fs.seed({ [`${AT_NAS}/a.txt`]: { link: `${AT_SOURCE}/a.txt` } });
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    await using world = await worldWith();
    const report = await runAndAfter(world, "record", () => change(world));
    assertFailed(report, "destroy/not-proved");
    assert.match(report.items[0].error?.message ?? "", /truenas no longer holds it/, what);
    await assertRefused(world);
  }
});

Deno.test("S5 an object that is gone or changed between upload and delete refuses the destroy", async () => {
  const key = "fusion/study1/a.txt";
  const changes: Record<string, (world: World) => void> = {
    gone: (world) => world.store.objects.delete(key),
    "another size": (world) => world.store.objects.get(key)!.bytes = new Uint8Array(3),
    "another ETag": (world) => world.store.objects.get(key)!.etag = "other",
  };
  for (const change of Object.values(changes)) {
    await using world = await worldWith();
    const report = await runAndAfter(world, "record", () => change(world));
    assertFailed(report, "destroy/not-proved");
    assert.match(report.items[0].error?.message ?? "", /s3 no longer holds it/);
    await assertRefused(world);
  }
});

Deno.test("S5 another version of an object, with the same bytes, refuses the destroy", async () => {
  await using world = await worldWith(FILES, { store: { versioned: true } });
  const report = await runAndAfter(world, "record", () => {
    const object = world.store.objects.get("fusion/study1/a.txt")!;
    object.versionId = "another";
  });
  assertFailed(report, "destroy/not-proved");
  await assertRefused(world);
});

Deno.test("S5 a ledger that another host changed between two batches ends the destroy", async () => {
  await using world = await worldWith(manyFiles());
  let appended: Promise<void> | undefined;
  const report = await runAndBeforeRemoval(world, 1000, () => {
    // Hooks are synchronous; in memory the append is done before the next batch is proved.
    appended = appendAsOther(world, { source_deleting_at: null });
  });
  await appended;
  assertFailed(report, "destroy/no-intent");
  assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S5 no file goes on a proof that is older than ten minutes", async () => {
  await using world = await worldWith();
  let jumped = false;
  // The last file is read for twenty minutes; meanwhile the NAS loses the first.
  const slow = ({ operation, path }: { operation: string; path: string }) => {
    if (jumped || operation !== "read" || path !== `${AT_SOURCE}/b.txt`) return;
    jumped = true;
    world.clock.time += 20 * 60_000;
    world.fs.disk.removeFile(`${AT_NAS}/Scan1/c.bin`);
  };
  const report = await runAndAfter(world, "record", () => world.fs.fault = slow, {
    pipeline: BACKUP.replace("require = { places = 2 }", `require = { places = 2 }, recheck = "hash"`),
  });
  world.fs.fault = undefined;
  assert.ok(jumped);
  assertFailed(report, "destroy/not-proved");
  await assertRefused(world);
});

Deno.test("S5 proving that takes over ten minutes once is done again, and then the files go", async () => {
  await using world = await worldWith();
  let jumped = false;
  const slow = ({ operation, path }: { operation: string; path: string }) => {
    if (jumped || operation !== "read" || path !== `${AT_SOURCE}/b.txt`) return;
    jumped = true;
    world.clock.time += 20 * 60_000;
  };
  const report = await runAndAfter(world, "record", () => world.fs.fault = slow, {
    pipeline: BACKUP.replace("require = { places = 2 }", `require = { places = 2 }, recheck = "hash"`),
  });
  world.fs.fault = undefined;
  assertDone(report);
  assert.deepEqual(world.files(SOURCE_ROOT), {});
});

Deno.test("S5 a clock behind the journal, or off the store's, permits no destroy", async () => {
  const skews: Record<string, (world: World) => void> = {
    "behind the journal": (world) => world.clock.time -= 3_600_000,
    "another clock at the store": (world) => {
      const { headBucket } = world.store;
      world.store.headBucket = async (signal) => ({
        ...await headBucket(signal),
        serverDate: new Date(world.clock.now() + 6 * 60_000),
      });
    },
  };
  for (const [what, skew] of Object.entries(skews)) {
    await using world = await worldWith();
    const report = await runAndAfter(world, "record", () => skew(world));
    assertFailed(report, "destroy/clock");
    assertSourceWhole(world);
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null, what);
  }
});

Deno.test("S5 a clock that jumps back between two batches stops the destroy there", async () => {
  await using world = await worldWith(manyFiles());
  const report = await runAndBeforeRemoval(world, 1000, () => void (world.clock.time -= 3_600_000));
  assertFailed(report, "destroy/clock");
  assert.equal(Object.keys(world.files(AT_SOURCE)).length, 10);
});

Deno.test("S5 a journal that was lost while files were removed is rebuilt by proving again, then the destroy ends", async () => {
  for (const nth of [1, 2, 3]) {
    await using world = await worldWith();
    await runAndBeforeRemoval(world, nth, () => world.fs.crash()).catch(() => {});
    world.fs.restart();
    await world.loseJournal();
    assertDone(await world.run());
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
  }
});

Deno.test("S5 a journal that was lost while files were removed, and a damaged copy: nothing more goes", async () => {
  await using world = await worldWith();
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  await world.loseJournal();
  rewrite(world, `${AT_NAS}/b.txt`, "BETA");
  assertFailed(await world.run(), "verify/mismatch");
  assert.deepEqual(Object.keys(world.files(AT_SOURCE)), ["Scan1/", "a.txt", "b.txt"]);
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
});
