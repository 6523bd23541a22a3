import assert from "node:assert/strict";
import { join } from "node:path";
import { DiskFiles } from "../../../core/io/disk_files.ts";
import type { SmallJob } from "../../../core/io/file_system.ts";
import { WorkerPool } from "../../../core/io/worker_pool.ts";
import { tempDir } from "../../kit/temp.ts";

/** What a job that must fail said. */
async function failure(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const { code, message } = await work.then(
    () => assert.fail("the job did not fail"),
    (error) => error as { code: string; message: string },
  );
  return { code, message };
}

Deno.test("WorkerPool a job that fails names its path, in the words it has on the calling thread", async () => {
  await using dir = await tempDir();
  const absent = join(dir.path, "absent");
  const tooLong = "n".repeat(300);
  await Deno.writeTextFile(join(dir.path, "there"), "x");
  using pool = new WorkerPool(1);
  const here = new DiskFiles();
  const signal = new AbortController().signal;
  const jobs: [SmallJob, { code: string; message: string }][] = [
    [{ kind: "sync-files", paths: [join(dir.path, "there"), absent] }, {
      code: "io/gone",
      message: `Cannot flush "${absent}": nothing is there (ENOENT)`,
    }],
    [{ kind: "sync-folders", folders: [dir.path, absent] }, {
      code: "io/gone",
      message: `Cannot flush the folder "${absent}": nothing is there (ENOENT)`,
    }],
    [{ kind: "stat", folder: dir.path, names: ["there", tooLong] }, {
      code: "io/name-too-long",
      message: `Cannot look at "${join(dir.path, tooLong)}": the name is too long for this file system (ENAMETOOLONG)`,
    }],
  ];
  for (const [job, expected] of jobs) {
    assert.deepEqual(await failure(pool.small(job)), expected);
    assert.deepEqual(await failure(here.runSmall(job, signal)), expected);
  }
});
