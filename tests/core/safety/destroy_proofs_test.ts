import assert from "node:assert/strict";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";
import {
  assertDone,
  assertFailed,
  assertSourceWhole,
  AT_NAS,
  AT_SOURCE,
  FILES,
  rewrite,
  runAndAfter,
  runAndBeforeRemoval,
  worldWith,
} from "../../kit/rules.ts";

const SECOND = "/nas/second";

/** Backs up to two folders in place of a folder and a bucket. */
function twoFolders(domain?: string): string {
  const of = domain === undefined ? "" : `, domain = "${domain}"`;
  return BACKUP.replace(`with = { to = "\${paths.truenas_root}" }`, `with = { to = "\${paths.truenas_root}"${of} }`)
    .replace(
      /\[\[stage\]\]\nuse {2}= "s3-upload"[\s\S]*?(?=\[\[stage\]\])/,
      `[[stage]]\nuse = "copy"\nid = "second"\nwith = { to = "${SECOND}"${of} }\n` +
        `[[stage]]\nuse = "verify"\nid = "verify-second"\nwith = { place = "second" }\n`,
    );
}

async function withSecond(): Promise<World> {
  const world = await worldWith();
  world.fs.seed({ [`${SECOND}/.labferry-place`]: "00000000-0000-4000-8000-000000000009\n" });
  return world;
}

Deno.test("S2 two places that hold one file by two names count once", async () => {
  await using world = await withSecond();
  const report = await runAndAfter(world, "record", () => {
    for (const path of Object.keys(FILES)) {
      world.fs.disk.removeFile(`${SECOND}/study1/${path}`);
      world.fs.disk.link(`${AT_NAS}/${path}`, `${SECOND}/study1/${path}`);
    }
  }, { pipeline: twoFolders() });
  assertFailed(report, "destroy/not-proved");
  assert.match(report.items[0].error?.message ?? "", /a\.txt: proved at 1 other places \(1 strongly\), wanted 2/);
  assertSourceWhole(world);
});

Deno.test("S2 two places with a file each permit what they permitted, unless they share a domain", async () => {
  for (const domain of [undefined, "hall"]) {
    await using world = await withSecond();
    const report = await world.run({ pipeline: twoFolders(domain), unlinted: true });
    if (domain === undefined) {
      assertDone(report);
      assert.deepEqual(world.files(SOURCE_ROOT), {});
    } else {
      assertFailed(report, "destroy/not-proved");
      assertSourceWhole(world);
    }
  }
});

/** A destroy broke off behind its first file; then something touches `b.txt`, and `change` comes right behind its last reading. */
async function touchedWhileUnderWay(change: (world: World, mtimeMs: number) => void, { settled = false } = {}) {
  const world = await worldWith();
  const path = `${AT_SOURCE}/b.txt`;
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  world.clock.time += 3_600_000;
  const mtimeMs = world.fs.disk.lstat(path)!.mtimeMs!;
  const seen = { touched: false, read: false, changed: false };
  world.fs.fault = ({ operation, path: at }) => {
    if (at !== path) return;
    if (operation === "read") seen.read = true;
    if (operation !== "lstat") return;
    if (!seen.touched) {
      seen.touched = true;
      rewrite(world, path, "beta", mtimeMs);
      if (settled) world.clock.time += 60_000;
    } else if (seen.read && !seen.changed) {
      seen.changed = true;
      change(world, mtimeMs);
    }
  };
  const report = await world.run();
  world.fs.fault = undefined;
  assert.deepEqual(seen, { touched: true, read: true, changed: true });
  return { world, report };
}

Deno.test("S6 a file rewritten within the second in which it was touched does not go, though nothing shows it", async () => {
  const { world, report } = await touchedWhileUnderWay((world, mtimeMs) => {
    rewrite(world, `${AT_SOURCE}/b.txt`, "BETA", mtimeMs);
  });
  await using _world = world;
  assert.equal(report.exit_code, 1);
  assert.equal(world.files(AT_SOURCE)["b.txt"], "BETA");
  assert.equal((await world.ledger()).get("study1")?.source_deleted_at, null);
});

Deno.test("S6 a file that was touched is read once its second is over, and goes", async () => {
  for (const settled of [false, true]) {
    const { world, report } = await touchedWhileUnderWay(() => {}, { settled });
    await using _world = world;
    assertDone(report);
    assert.deepEqual(world.files(SOURCE_ROOT), {});
    assert.equal(world.clock.slept.includes(2001), !settled, world.clock.slept.join());
  }
});

Deno.test("S13 a file whose change time is ahead of the clock does not go by a reading", async () => {
  const world = await worldWith();
  await using _world = world;
  await runAndBeforeRemoval(world, 2, () => world.fs.crash()).catch(() => {});
  world.fs.restart();
  world.clock.time += 3_600_000;
  rewrite(world, `${AT_SOURCE}/b.txt`, "beta");
  world.clock.time -= 1_800_000;
  const report = await world.run();
  assertFailed(report, "destroy/not-proved");
  assert.match(report.items[0].error?.message ?? "", /b\.txt: its change time is ahead of the clock/);
  assert.equal(world.files(AT_SOURCE)["b.txt"], "beta");
});
