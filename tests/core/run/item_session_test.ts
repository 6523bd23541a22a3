import assert from "node:assert/strict";
import { formatLedgerLine, NO_PREVIOUS } from "../../../core/ledger/line.ts";
import { ObjectStoreError } from "../../../core/objects/object_store.ts";
import type { EngineServices } from "../../../core/run/services.ts";
import { BACKUP, MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { backedUp, CLEANUP, cleanup, EVICT_ALL, onNas } from "../../kit/backups.ts";
import { runAndAfter, runAndBeforeRemoval } from "../../kit/rules.ts";
import { systemError } from "../../../testing/memory_types.ts";

Deno.test("S13 lock() asks at every attempt whether the study is settled", async () => {
  await using world = await World.open();
  world.study("study1", { "a.txt": "alpha" });
  const retried = BACKUP.replace(`use = "lock"`, `use = "lock"\nretry = { attempts = 3, first = "1s" }`);
  const report = await world.run({
    pipeline: retried,
    progress: {
      stageStarted: (_item, id) => {
        if (id === "lock") world.study("study1", { "late.txt": "late" }, 20);
      },
    },
  });
  assert.equal(report.items[0].error?.code, "item/not-settled");
  assert.equal(world.clock.slept.filter((ms) => ms >= 1000).length, 2);
  assert.deepEqual(world.files(NAS_ROOT), {});
  assert.equal(world.fs.disk.lstat(`${SOURCE_ROOT}/study1/.labferry.lock`), undefined);
});

/** The pipeline without its bucket and without the delete. */
const NAS_ONLY = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "s3-upload"[\s\S]*?(?=\[\[stage\]\])/, "")
  .replace(/\[\[stage\]\]\nuse {2}= "delete"\nwith = .*\n/, "");
const FILES = { "a.txt": "alpha", "b.txt": "beta", "Scan1/c.bin": "gamma" };

Deno.test("S4 record() names a place that was added after the backup was complete, and keeps what stands", async () => {
  await using world = await World.open();
  world.study("study1", FILES);
  assert.equal((await world.run({ pipeline: NAS_ONLY })).exit_code, 0);
  const before = (await world.ledger()).get("study1")!;
  assert.deepEqual(Object.keys(before.places), ["truenas"]);
  const noDelete = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"\nwith = .*\n/, "");
  assert.equal((await world.run({ pipeline: noDelete })).exit_code, 0);
  const after = (await world.ledger()).get("study1")!;
  assert.deepEqual(after.places.truenas, before.places.truenas);
  assert.equal(after.places.s3.guarantee, "server-checksum");
  assert.equal(after.s3_uri, "s3://archive/fusion/study1");
  assert.notEqual(after.s3_verified_at, null);
  assert.equal(after.completed_at, before.completed_at);
  const lines = () => Object.values(world.fs.tree(MANIFEST_ROOT)).join("").split("\n").length;
  const count = lines();
  assert.equal((await world.run({ pipeline: NAS_ONLY })).exit_code, 0);
  assert.equal(lines(), count, "what stands is said once");
});

for (const named of [true, false]) {
  Deno.test(`S5 a destroy goes on after a crash and a lost journal, the ledger naming ${named ? "all" : "some"} places`, async () => {
    await using world = await World.open();
    world.study("study1", FILES);
    assert.equal((await world.run({ pipeline: NAS_ONLY })).exit_code, 0);
    await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
    world.fs.restart();
    await world.loseJournal();
    if (!named) {
      await forgetPlace(world, "s3");
      // The ledger that never named it had no such mirror either.
      for (const key of world.store.objects.keys()) if (key.includes("/_manifests/")) world.store.objects.delete(key);
    }
    const report = await world.run();
    assert.equal(report.exit_code, 0, JSON.stringify(report.items));
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
  });
}

/** Writes the ledger as an engine would have that named no place added after `complete`. */
async function forgetPlace(world: World, id: string): Promise<void> {
  const record = { ...(await world.ledger()).get("study1")!, prev: NO_PREVIOUS };
  record.places = Object.fromEntries(Object.entries(record.places).filter(([place]) => place !== id));
  const [month] = Object.keys(world.fs.tree(MANIFEST_ROOT)).filter((path) => path.endsWith(".jsonl"));
  world.fs.disk.removeFile(month);
  world.fs.seed({ [month]: `${formatLedgerLine(record)}\n` });
}

Deno.test("S1 record() says complete of nothing while the source or a place shows another marker", async () => {
  for (const root of [SOURCE_ROOT, NAS_ROOT]) {
    await using world = await World.open();
    world.study("study1", FILES);
    const report = await runAndAfter(world, "s3", () => {
      world.fs.seed({ [`${root}/.labferry-place`]: "99999999-0000-4000-8000-000000000000\n" });
    });
    assert.deepEqual([report.exit_code, report.error?.code], [1, "place/changed"], root);
    assert.equal((await world.ledger()).get("study1")?.completed_at, null, root);
  }
});

Deno.test("S18 record() never says that a place is verified which holds a part of the study", async () => {
  await using world = await World.open();
  world.study("study1", FILES);
  const { put } = world.store;
  world.store.put = (key, ...rest) => {
    if (key.endsWith("study1/b.txt")) return Promise.reject(new ObjectStoreError("denied", "not this one"));
    return put.call(world.store, key, ...rest);
  };
  const s3First = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "copy"[\s\S]*?(?=\[\[stage\]\]\nuse {2}= "s3-upload")/, "")
    .replace(/\[\[stage\]\]\nuse {2}= "manifest-append"\nid  {2}= "record"[\s\S]*?(?=\[\[on_item_failed\]\])/, "");
  for (const pipeline of [BACKUP, s3First]) {
    assert.equal((await world.run({ pipeline })).exit_code, 1);
    const record = (await world.ledger()).get("study1")!;
    assert.equal(record.status, "failed_s3");
    assert.equal(record.s3_verified_at, null);
    assert.equal(record.places.s3.guarantee, "none");
    assert.equal(record.truenas_verified_at !== null, pipeline === BACKUP);
  }
});

const RETRIED = `retry = { attempts = 3, first = "1s" }`;

Deno.test("S10 S20 a folder that could not go is removed by the retry, under the lock, at the NAS and at the instrument", async () => {
  for (const stays of [1, 9]) {
    {
      await using world = await backedUp({ study1: FILES }, { config: EVICT_ALL });
      let tries = 0;
      world.fs.fault = ({ operation, path }) => {
        if (operation === "removeEmptyDir" && path === `${NAS_ROOT}/study1` && ++tries <= stays) {
          throw systemError("EBUSY", path);
        }
      };
      const report = await cleanup(world, { pipeline: `${CLEANUP}\n${RETRIED}\n` });
      const told = report.items.map(({ outcome, error }) => [outcome, error?.code]);
      assert.deepEqual(told, [stays === 1 ? ["done", undefined] : ["failed", "io/busy"]]);
      assert.equal(world.fs.disk.lstat(`${NAS_ROOT}/study1/.labferry.lock`), undefined);
      assert.equal((await world.ledger()).get("study1")?.truenas_evicted_at !== null, stays === 1);
      world.fs.fault = undefined;
      await cleanup(world);
      assert.deepEqual(onNas(world), []);
      assert.notEqual((await world.ledger()).get("study1")?.truenas_evicted_at, null);
    }
    await using world = await World.open();
    world.study("study1", FILES);
    let tries = 0;
    world.fs.fault = ({ operation, path }) => {
      if (operation === "removeEmptyDir" && path === `${SOURCE_ROOT}/study1` && ++tries <= stays) {
        throw systemError("EBUSY", path);
      }
    };
    const pipeline = BACKUP.replace(
      `with = { require = { places = 2 } }`,
      `with = { require = { places = 2 } }\n${RETRIED}`,
    );
    const report = await world.run({ pipeline });
    const told = report.items.map(({ outcome, error }) => [outcome, error?.code]);
    assert.deepEqual(told, [stays === 1 ? ["done", undefined] : ["failed", "io/busy"]]);
    assert.equal((await world.ledger()).get("study1")?.source_deleted_at !== null, stays === 1);
  }
});

Deno.test("S4 the end of an eviction that could not be recorded is recorded by the retry", async () => {
  await using world = await backedUp({ study1: FILES }, { config: EVICT_ALL });
  let isGone = false, refused = 0;
  world.fs.fault = ({ operation, path }) => {
    isGone ||= operation === "removeEmptyDir" && path === `${NAS_ROOT}/study1`;
    if (isGone && operation === "write" && path.endsWith(".jsonl") && refused++ === 0) {
      throw systemError("ESTALE", path);
    }
  };
  const report = await cleanup(world, { pipeline: `${CLEANUP}\n${RETRIED}\n` });
  assert.deepEqual(report.items.map(({ outcome, error }) => [outcome, error?.code]), [["done", undefined]]);
  assert.equal(refused, 2);
  assert.notEqual((await world.ledger()).get("study1")?.truenas_evicted_at, null);
});

for (const when of ["the folder", "the lock"]) {
  Deno.test(`S10 a lock is not taken again for a step that was left behind while ${when} hung`, async () => {
    await using world = await World.open();
    world.study("study1", FILES);
    const study = `${SOURCE_ROOT}/study1`;
    const abort = new AbortController();
    const gate = Promise.withResolvers<void>();
    let removals = 0;
    const wrap = (services: EngineServices): EngineServices => {
      const fs = services.fs;
      const hang = () => (abort.abort(), gate.promise);
      const removeEmptyDir = async (path: string) => {
        if (path !== study) return await fs.removeEmptyDir(path);
        removals++;
        if (when === "the folder") await hang();
        throw systemError("EBUSY", path);
      };
      const openReadWrite: typeof fs.openReadWrite = async (path, options) => {
        if (when === "the lock" && removals > 0 && path === `${study}/.labferry.lock`) await hang();
        return await fs.openReadWrite(path, options);
      };
      const own: Partial<typeof fs> = { removeEmptyDir, openReadWrite };
      const get = (target: typeof fs, name: keyof typeof fs) => {
        const call = own[name] ?? Reflect.get(target, name);
        return typeof call === "function" ? call.bind(target) : call;
      };
      return { ...services, fs: new Proxy(fs, { get: get as ProxyHandler<typeof fs>["get"] }) };
    };
    const report = await world.run({ abort: abort.signal, deadlines: { leaveMs: 0 }, wrap });
    assert.deepEqual([report.exit_code, removals], [130, 1]);
    gate.resolve();
    for (let turn = 0; turn < 500; turn++) await new Promise((done) => setImmediate(done));
    assert.equal(world.fs.disk.lstat(`${study}/.labferry.lock`), undefined, "nobody would give it back");
    assert.equal((await world.run()).exit_code, 0);
    assert.notEqual((await world.ledger()).get("study1")?.source_deleted_at, null);
  });
}

Deno.test("record() writes no secret of an error into the ledger", async () => {
  await using world = await World.open();
  world.study("study1", FILES);
  // Other bytes stand where the copy is to go.
  world.fs.seed({ [`${NAS_ROOT}/study1/a.txt`]: "other" });
  const report = await world.run({
    pipeline: BACKUP,
    wrap: (services) => ({ ...services, hidden: (text) => text.replaceAll("study1", "***") }),
  });
  assert.match(report.items[0].error?.message ?? "", /study1/);
  const { error } = (await world.ledger()).get("study1")!;
  assert.match(error ?? "", /\*\*\*/);
  assert.doesNotMatch(error ?? "", /study1/);
});
