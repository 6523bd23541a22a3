/** What makes an eviction, or a removal at the instrument, not go on the word of what is in doubt. */
import assert from "node:assert/strict";
import { CrashError, systemError } from "../../testing/memory_types.ts";
import { BACKUP, MANIFEST_ROOT, NAS_ROOT, SOURCE_ROOT, World } from "../../testing/world.ts";
import { assertOnNas, backedUp, CLEANUP, cleanup, EVICT_ALL, onNas, studyOf } from "../kit/backups.ts";
import { assertDone, assertFailed } from "../kit/rules.ts";

const MONTH_MS = 31 * 86_400_000;
const JANUARY = `${MANIFEST_ROOT}/2026-01.jsonl`;
const KEPT = BACKUP.replace(/\[\[stage\]\]\nuse {2}= "delete"[^[]*/, "");
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("S12 a month that a loss of power emptied, zeroed or tore permits no removal", async () => {
  const damages: [string, (whole: string) => string | Uint8Array][] = [
    ["empty", () => ""],
    ["zeros", (whole) => new Uint8Array(whole.length)],
    ["torn in its first line", (whole) => whole.slice(0, 200)],
    ["cut to its first line", (whole) => `${whole.split("\n")[0]}\n`],
  ];
  for (const [how, damage] of damages) {
    await using world = await World.open({});
    for (const name of ["jan", "feb"]) {
      world.study(name, studyOf(100));
      assertDone(await world.run());
      world.clock.time += MONTH_MS;
    }
    world.fs.seed({ [JANUARY]: damage(text(world.fs.bytes(JANUARY))) });
    const study = studyOf(100);
    world.study("mar", study);
    const report = await world.run();
    assert.equal(report.exit_code, 1, how);
    for (const [path, content] of Object.entries(study)) {
      assert.equal(world.files(SOURCE_ROOT)[`mar/${path}`], content, `${how}: ${path}`);
    }
  }
});

Deno.test("S12 a mirror that is listed and cannot be found permits no eviction of a ledger that lost lines", async () => {
  await using world = await backedUp({ a: studyOf(100) }, { config: EVICT_ALL });
  const before = text(world.fs.bytes(JANUARY));
  world.study("b", studyOf(100));
  assertDone(await world.run());
  world.fs.seed({ [JANUARY]: before });
  const { head } = world.store;
  world.store.head = async (key, signal) =>
    key.includes("_manifests") ? undefined : await head.call(world.store, key, signal);
  assert.equal((await cleanup(world, { only: "a" })).exit_code, 1);
  assertOnNas(world, "a", studyOf(100));
});

Deno.test("S12 a changed line of an older month whose mirror is gone permits no eviction, and is mirrored nowhere", async () => {
  await using world = await World.open({ config: EVICT_ALL });
  for (const name of ["j1", "j2"]) {
    world.study(name, studyOf(100));
    assertDone(await world.run());
    world.clock.time += 3_600_000;
  }
  world.clock.time += MONTH_MS;
  world.study("f", studyOf(100));
  assertDone(await world.run());
  const lines = text(world.fs.bytes(JANUARY)).split("\n");
  const at = lines.findLastIndex((line) => line.includes('"backup_name":"j1"'));
  lines[at] = lines[at].replace("/instrument/studies/j1", "/instrument/STUDIES/j1");
  world.fs.seed({ [JANUARY]: lines.join("\n") });
  world.store.objects.delete("fusion/_manifests/2026-01.jsonl");
  const report = await cleanup(world, { only: "j1" });
  assert.equal(report.exit_code, 1);
  assertOnNas(world, "j1", studyOf(100));
  assert.equal(world.store.objects.has("fusion/_manifests/2026-01.jsonl"), false);
});

Deno.test("S12 a ledger that is contradicted gets no line for an eviction that is over", async () => {
  await using world = await backedUp({ a: studyOf(100), b: studyOf(100) }, { config: EVICT_ALL });
  await cleanup(world, { only: "a" });
  const lines = text(world.fs.bytes(JANUARY)).split("\n");
  const cut = `${lines.slice(0, -2).join("\n")}\n`;
  world.fs.seed({ [JANUARY]: cut });
  world.clock.time += 60_000;
  assert.equal((await cleanup(world)).exit_code, 1);
  assert.equal(text(world.fs.bytes(JANUARY)), cut);
});

Deno.test("S6 a copy that was edited in the second of its proof stays, however far the clock of the NAS is off", async () => {
  for (const aheadMs of [0, 60_000, -60_000]) {
    await using world = await backedUp({ old: studyOf(100) }, { config: EVICT_ALL });
    const path = `${NAS_ROOT}/old/Scan1/image.bin`;
    const { mtimeMs } = (await world.fs.lstat(path))!;
    const good = world.fs.bytes(path).slice();
    const write = async (bytes: Uint8Array) => {
      await using file = await world.fs.openReadWrite(path);
      await file.write(bytes);
      await file.setMtime(mtimeMs!);
    };
    world.clock.time += 3_600_000;
    world.fs.disk.setMount("/nas", { aheadMs });
    let edited = false;
    world.fs.fault = undefined;
    await write(good);
    const report = await cleanup(world, {
      progress: {
        stageFinished(_item: string, stage: string) {
          if (stage === "s3") edited = true;
        },
      },
      wrap: (services) => ({
        ...services,
        fs: new Proxy(services.fs, {
          get(fs, key) {
            const value = Reflect.get(fs, key, fs);
            if (typeof value !== "function") return value;
            return async (...args: unknown[]) => {
              if (edited) {
                edited = false;
                await write(new TextEncoder().encode("EDITED".padEnd(good.length, "y")));
              }
              return await value.apply(fs, args);
            };
          },
        }),
      }),
    });
    assert.equal(report.items[0].outcome, "failed", `${aheadMs} ms`);
    assert.match(text(world.fs.bytes(path)), /^EDITED/);
  }
});

Deno.test("a removal that failed half-way fails its item, whatever on_error says, and lint refuses to let it pass", async () => {
  const cases = [
    [BACKUP, "delete", `${SOURCE_ROOT}/old/note.txt`],
    [CLEANUP, "evict", `${NAS_ROOT}/old/note.txt`],
  ] as const;
  for (const [preset, stage, stuck] of cases) {
    const pipeline = preset.replace(`use  = "${stage}"`, `use  = "${stage}"\non_error = "warn"`);
    await using world = stage === "evict"
      ? await backedUp({ old: studyOf(100) }, { config: EVICT_ALL })
      : await World.open({});
    if (stage === "delete") world.study("old", studyOf(100));
    const [found] = world.compile(pipeline).diagnostics;
    assert.equal(found.code, "safety/destroy-may-fail");
    assert.match(found.message, new RegExp(`Cannot let stage "${stage}" fail with a warning`));
    world.fs.fault = ({ operation, path }) => {
      if (operation === "removeFile" && path === stuck) throw systemError("EIO", path);
    };
    assert.equal((await world.run({ pipeline, unlinted: true })).items[0].outcome, "failed");
  }
});

Deno.test("S22 an eviction whose copy nobody can vouch for is a failed item, and one that was proved here ends", async () => {
  for (const journal of ["kept", "lost"]) {
    await using world = await World.open({ config: EVICT_ALL });
    world.study("a", studyOf(100));
    assertDone(await world.run({ pipeline: KEPT }));
    world.clock.time += 60_000;
    let removed = 0;
    world.fs.fault = ({ operation, path }) => {
      if (operation === "removeFile" && path.startsWith(`${NAS_ROOT}/a/`) && ++removed > 1) throw new CrashError();
    };
    await cleanup(world).catch(() => {});
    world.fs.fault = undefined;
    world.fs.restart();
    // Everything on the NAS is lost but its marker: the claims, too.
    await loseAllBut(".labferry-place", world);
    if (journal === "lost") await world.loseJournal();
    world.clock.time += 3_600_000;
    const report = await cleanup(world);
    const record = (await world.ledger()).get("a");
    if (journal === "kept") {
      assert.notEqual(record?.truenas_evicted_at, null);
      continue;
    }
    assertFailed(report, "backup/other-disk", "a");
    assert.equal(record?.truenas_evicted_at, null);
    assert.deepEqual(onNas(world), []);
  }
});

/** Removes all that lies on the NAS but one file of its root. */
async function loseAllBut(kept: string, { fs }: World): Promise<void> {
  for (;;) {
    const left = Object.keys(fs.tree(NAS_ROOT)).filter((path) => !path.endsWith(`/${kept}`));
    if (left.length === 0) return;
    for (const path of left.map((path) => path.replace(/\/$/, ""))) {
      if ((await fs.lstat(path))?.kind === "file") fs.disk.removeFile(path);
      else fs.disk.removeEmptyDir(path);
    }
  }
}
