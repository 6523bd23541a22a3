/** SAFETY S22 on real disks, with a real process that is killed by SIGKILL at moments nobody chose. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import { patternBytes } from "../../testing/doubles.ts";
import { bytesBelow, openSite, type Site } from "../kit/site.ts";

const KILLS = 20;
/** However busy the machine is. */
const FEWEST = 10;
/** A kill never comes later than this after the start of the process, ms. */
const LONGEST_MS = 2200;

type Study = Record<string, Uint8Array>;

/** Some small files below folders, one larger than a batch's, one in several parts. */
function makeStudy(seed: number): Study {
  const study: Study = {
    "big.qptiff": patternBytes(11 * 2 ** 20, seed),
    "Scan1/middle.bin": patternBytes(2 ** 21, seed),
  };
  for (let i = 0; i < 400; i++) study[`Scan${i % 4}/tile_${i}.tif`] = patternBytes(1 + (i * 37) % 4096, seed + i + 1);
  return study;
}

/** Small random numbers that are the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** What must hold at any instant, whatever was killed when. */
async function assertNothingLost(site: Site, { name, study, about }: { name: string; study: Study; about: string }) {
  const record = await site.record(name);
  const [atSource, atNas] = [await bytesBelow(join(site.source, name)), await bytesBelow(join(site.nas, name))];
  const inBucket = new Map<string, { size: number; etag: string | null }>();
  const signal = AbortSignal.timeout(120_000);
  for await (const { key, size, etag } of site.store.list(`fusion/${name}/`, signal)) {
    inBucket.set(key.slice(`fusion/${name}/`.length), { size, etag });
  }
  for (const [path, wanted] of Object.entries(study)) {
    const [there, copy, object] = [atSource.get(path), atNas.get(path), inBucket.get(path)];
    if (there) assert.equal(Buffer.compare(there, wanted), 0, `${about}: ${path} at the source`);
    if (copy) assert.equal(Buffer.compare(copy, wanted), 0, `${about}: ${path} at the NAS is half-written`);
    if (object) {
      assert.equal(object.size, wanted.length, `${about}: ${path} in the bucket`);
      const etag = object.etag?.replaceAll('"', "") ?? "";
      if (!etag.includes("-")) assert.equal(etag, md5(wanted), `${about}: ${path} in the bucket`);
    }
    assert.ok(there ?? (copy && object), `${about}: ${path} is neither at the source nor at both places`);
    if (record?.status === "complete") assert.ok(copy && object, `${about}: complete without ${path}`);
  }
  if (record?.source_deleted_at) assert.equal(atSource.size, 0, `${about}: the ledger says deleted`);
}

/** Waits until a file in a folder was removed, or the process has ended. */
async function untilRemoval(folder: string, ended: Promise<unknown>): Promise<void> {
  let found: Deno.FsWatcher;
  try {
    found = Deno.watchFs(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // all of it was removed since it was looked for
    throw error;
  }
  using watcher = found;
  const removal = (async () => {
    for await (const event of watcher) {
      if (event.kind === "remove" && event.paths.some((path) => !path.includes(".labferry"))) return;
    }
  })();
  await Promise.race([removal, ended]);
}

/** The moment of the kill. */
function deadline(ms: number): Promise<void> {
  return new Promise((resolve) => AbortSignal.timeout(ms).addEventListener("abort", () => resolve()));
}

Deno.test({
  name: "S22 a backup killed by SIGKILL at any moment loses nothing, and the runs after it end it truly",
  // The client's agent closes its kept connections in its own time.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    const seed = Number(Deno.env.get("LABFERRY_TEST_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
    console.error(`    LABFERRY_TEST_SEED=${seed}`);
    const random = randomFrom(seed);
    await using site = await openSite();
    const end = performance.now() + 90_000;
    let [kills, inDelete, studies] = [0, 0, 0];
    while (kills < FEWEST || (kills < KILLS && performance.now() < end)) {
      const name = `study${++studies}`;
      const study = makeStudy(seed + studies * 1000);
      await site.study(name, study);
      const folder = join(site.source, name);
      for (let run = 1; await exists(folder) && kills < KILLS; run++) {
        const child = site.start();
        const output = child.output();
        const deleting = run % 3 === 0;
        const after = Math.round(300 + random() * (LONGEST_MS - 300));
        const tiles = join(folder, "Scan0");
        const moment = deleting && await exists(tiles) ? untilRemoval(tiles, output) : deadline(after);
        await Promise.race([output, moment]);
        try {
          child.kill("SIGKILL");
          kills++;
        } catch {
          // It had ended by itself.
        }
        await output;
        const about = `seed ${seed}, ${name}, run ${run}, killed after ${deleting ? "a removal" : `${after} ms`}`;
        const left = (await bytesBelow(folder)).size;
        if (left > 0 && left < Object.keys(study).length) inDelete++;
        await assertNothingLost(site, { name, study, about });
        if (kills % 7 === 6) await Deno.remove(join(dirname(site.source), "config", "state"), { recursive: true });
      }
      const { code, stderr } = await site.run();
      const about = `seed ${seed}, ${name}: ${stderr}`;
      assert.equal(code, 0, about);
      await assertNothingLost(site, { name, study, about });
      const record = await site.record(name);
      assert.equal(record?.status, "complete", about);
      assert.notEqual(record?.source_deleted_at, null, about);
      assert.equal(record?.file_count, Object.keys(study).length, about);
      assert.equal(await exists(folder), false, about);
      const strays = (await Array.fromAsync(temporaries(join(site.nas, name)))).length;
      assert.equal(strays, 0, `${about}: temporaries are left`);
    }
    console.error(`    ${kills} kills over ${studies} studies, ${inDelete} of them while files were removed`);
    assert.ok(kills >= FEWEST, `only ${kills} kills`);
  },
});

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function* temporaries(folder: string): AsyncIterable<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* temporaries(join(folder, name));
    else if (name.startsWith(".labferry-tmp-")) yield name;
  }
}
