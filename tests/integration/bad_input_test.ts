/** What disks, accounts and instruments do to a backup, on the real system with the real program. */
import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { join } from "@std/path";
import { command, needsMount } from "../kit/small_nas.ts";
import { serverMissing } from "../kit/servers/servers.ts";
import { tempDir } from "../kit/temp.ts";
import { patternBytes } from "../../testing/doubles.ts";
import { bytesBelow, openSite, type Site } from "../kit/site.ts";

const ROOT_ON_LINUX = Deno.build.os === "linux" && Deno.uid() === 0;
const MIB = 2 ** 20;

/** A test on a real site; `skip` is the reason why this machine cannot run it. */
function siteTest(name: string, fn: () => Promise<void>, skip?: string): void {
  const title = skip === undefined ? name : `${name} [${skip}]`;
  // The client's agent closes its kept connections in its own time.
  Deno.test({ name: title, fn, ignore: skip !== undefined, sanitizeResources: false, sanitizeOps: false });
}

/** A file system of its own for a NAS. */
async function smallNas(
  options: string,
): Promise<AsyncDisposable & { path: string; remount: (o: string) => Promise<void> }> {
  const dir = await tempDir();
  const path = join(dir.path, "nas");
  await Deno.mkdir(path);
  await command("mount", "-t", "tmpfs", "-o", options, "tmpfs", path);
  return {
    path,
    remount: (now) => command("mount", "-o", `remount,${now}`, path),
    async [Symbol.asyncDispose]() {
      await command("umount", path);
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function assertWhole(site: Site, name: string, study: Record<string, string | Uint8Array>): Promise<void> {
  const found = await bytesBelow(join(site.source, name));
  for (const [path, content] of Object.entries(study)) {
    assert.deepEqual(found.get(path), typeof content === "string" ? new TextEncoder().encode(content) : content, path);
  }
}

siteTest(
  "S7 a full NAS: failed_truenas, exit 1, no partial final name; with space the next run completes",
  async () => {
    await using nas = await smallNas("size=6m");
    await using site = await openSite({ nas: nas.path });
    const study = {
      "a.bin": patternBytes(3 * MIB, 1),
      "b.bin": patternBytes(5 * MIB, 2),
      ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`small/${i}`, patternBytes(20_000, i)])),
    };
    await site.study("study1", study);
    const full = await site.run();
    assert.equal(full.code, 1, full.stderr);
    assert.equal(full.report?.items[0].error?.code, "io/disk-full");
    assert.equal((await site.record("study1"))?.status, "failed_truenas");
    await assertWhole(site, "study1", study);
    for (const [path, bytes] of await bytesBelow(join(nas.path, "study1"))) {
      assert.deepEqual(bytes, study[path as keyof typeof study], `${path} is partial`);
    }
    await nas.remount("size=64m");
    const roomy = await site.run();
    assert.equal(roomy.code, 0, roomy.stderr);
    const record = await site.record("study1");
    assert.notEqual(record?.source_deleted_at, null);
    assert.equal(record?.places.truenas.guarantee, "read-back", "of a disk in memory, memory is the medium");
  },
  needsMount,
);

siteTest("S7 a NAS mounted read-only: exit 1, nothing written, the study stays", async () => {
  await using nas = await smallNas("size=6m");
  await using site = await openSite({ nas: nas.path });
  await site.study("study1", { "a.txt": "alpha" });
  await nas.remount("ro");
  const end = await site.run();
  assert.equal(end.code, 1, end.stderr);
  assert.match(end.stderr, /read-only/);
  await assertWhole(site, "study1", { "a.txt": "alpha" });
  assert.deepEqual([...(await bytesBelow(nas.path)).keys()], []);
  assert.notEqual((await site.record("study1"))?.status, "complete");
  await nas.remount("rw");
  assert.equal((await site.run()).code, 0);
}, needsMount);

siteTest("S1 a NAS that is unmounted: exit 2, its mount point stays empty", async () => {
  const nas = await smallNas("size=6m");
  await using site = await openSite({ nas: nas.path });
  await site.study("study1", { "a.txt": "alpha" });
  await command("umount", nas.path);
  const end = await site.run();
  assert.equal(end.code, 2, end.stderr);
  assert.match(end.stderr, /install places/);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(nas.path)), []);
  await assertWhole(site, "study1", { "a.txt": "alpha" });
  assert.equal(await site.record("study1"), undefined);
  await Deno.remove(nas.path);
}, needsMount);

siteTest("S19 a file the account may not read fails its study alone, and is named", async () => {
  await using site = await openSite();
  await site.study("study1", { "a.txt": "alpha", "locked.bin": "secret" });
  await site.study("study2", { "b.txt": "beta" });
  const locked = join(site.source, "study1", "locked.bin");
  await Deno.chmod(locked, 0);
  // Root reads everything, unless it gives up the right to.
  const caps = "-dac_override,-dac_read_search";
  const wrap = ROOT_ON_LINUX ? ["setpriv", `--bounding-set=${caps}`, `--inh-caps=${caps}`] : [];
  const end = await site.run({ wrap });
  assert.equal(end.code, 1, end.stderr);
  const items = new Map(end.report?.items.map((item) => [item.name, item]));
  assert.equal(items.get("study1")?.error?.code, "io/denied");
  assert.match(items.get("study1")?.error?.message ?? "", /locked\.bin/);
  assert.equal(items.get("study2")?.outcome, "done");
  assert.equal((await site.record("study1"))?.status, "failed_truenas");
  await Deno.chmod(locked, 0o600);
  await assertWhole(site, "study1", { "a.txt": "alpha", "locked.bin": "secret" });
  const again = await site.run({ wrap });
  assert.equal(again.code, 0, again.stderr);
}, Deno.build.os === "windows" ? "Windows has no modes" : undefined);

siteTest("S18 an empty file is archived, an empty study and a file in the place of one are not", async () => {
  await using site = await openSite();
  await site.study("zero", { "empty.bin": "" });
  await Deno.mkdir(join(site.source, "nothing"));
  await Deno.mkdir(join(site.source, "folders", "inner"), { recursive: true });
  await Deno.writeTextFile(join(site.source, "file"), "no study");
  const end = await site.run();
  assert.equal(end.code, 1, end.stderr);
  const outcomes = Object.fromEntries(end.report!.items.map((item) => [item.name, item.error?.code ?? item.outcome]));
  assert.deepEqual(outcomes, { folders: "item/empty", nothing: "item/empty", zero: "done" });
  assert.deepEqual((await bytesBelow(join(site.nas, "zero"))).get("empty.bin"), new Uint8Array(0));
  assert.equal((await site.record("zero"))?.file_count, 1);
  assert.equal(await Deno.readTextFile(join(site.source, "file")), "no study");
  assert.ok((await Deno.lstat(join(site.source, "folders", "inner"))).isDirectory);
});

siteTest("S15 a link to a file outside fails the study; what it names is not copied and not removed", async () => {
  await using dir = await tempDir();
  const secret = join(dir.path, "secret");
  await Deno.writeTextFile(secret, "secret");
  await using site = await openSite();
  await site.study("study1", { "a.txt": "alpha" });
  await Deno.symlink(secret, join(site.source, "study1", "link"));
  await Deno.symlink(dir.path, join(site.source, "study2"));
  const end = await site.run();
  assert.equal(end.code, 1, end.stderr);
  assert.deepEqual(end.report?.items.map((item) => [item.name, item.error?.code]), [["study1", "item/names"]]);
  assert.equal(await Deno.readTextFile(secret), "secret");
  assert.deepEqual([...(await bytesBelow(site.nas)).keys()], []);
}, Deno.build.os === "windows" ? "making a link needs a right on Windows" : undefined);

/** Only the bucket: what is measured is the upload. */
const ONLY_S3 = `
name    = "backup"
summary = "To the bucket alone"
[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }
[[stage]]
use = "lock"
[[stage]]
use  = "s3-upload"
id   = "s3"
with = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}" }
[[stage]]
use  = "checksum-sidecar"
with = { place = "s3" }
[[stage]]
use  = "manifest-append"
id   = "record"
with = { status = "complete" }
[[stage]]
use  = "delete"
with = { require = { places = 1 } }
`;

siteTest("S9 a file of 5 GiB and a byte goes in parts, in at most 300 MiB of memory", async () => {
  const size = 5 * 2 ** 30 + 1;
  await using site = await openSite({ pipeline: ONLY_S3, server: "versitygw" });
  await site.study("study1", { "huge.qptiff": "" });
  const path = join(site.source, "study1", "huge.qptiff");
  {
    using file = await Deno.open(path, { write: true });
    await file.truncate(size);
  }
  const then = new Date(Date.now() - 30 * 86_400_000);
  await Deno.utime(path, then, then);
  const child = site.start();
  const [{ most, stderr }, { code }] = await Promise.all([
    watchMemory(child.pid, child.stderr),
    child.status,
    child.stdout.pipeTo(new WritableStream()),
  ]);
  assert.equal(code, 0, stderr);
  const object = await site.store.head("fusion/study1/huge.qptiff", AbortSignal.timeout(120_000));
  assert.equal(object?.size, size);
  assert.ok(most <= 300 * MIB, `${Math.round(most / MIB)} MiB of memory`);
  console.error(`    at most ${Math.round(most / MIB)} MiB of memory`);
}, await hugeSkip());

async function hugeSkip(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "memory is read from /proc";
  if (Deno.env.get("LABFERRY_TEST_HUGE") === "0") return "LABFERRY_TEST_HUGE=0 leaves out what moves gigabytes";
  const { bavail, bsize } = await statfs(Deno.env.get("TMPDIR") ?? "/tmp");
  if (bavail * bsize < 12 * 2 ** 30) return "less than 12 GiB of disk are free";
  return await serverMissing("versitygw");
}

/**
 * The most resident memory (bytes) that the system saw a process use. The system keeps the peak, so that it is enough to
 * ask at each line of the log, the last of which tells of the end.
 */
async function watchMemory(pid: number, log: ReadableStream<Uint8Array>): Promise<{ most: number; stderr: string }> {
  let most = 0, stderr = "";
  for await (const text of log.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => ""); // it has ended
    most = Math.max(most, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
  }
  assert.ok(most > 0, `its memory was never seen: ${stderr}`);
  return { most, stderr };
}
