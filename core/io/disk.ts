/**
 * The file-system port on the disks of this machine: `DiskFiles` with threads for small files and for hashing.
 * @module
 */
import { DiskFiles } from "./disk_files.ts";
import type { LargeJob, LargeResult, SmallJob, SmallJobResult } from "./file_system.ts";
import { copyHere, hashHere } from "./large_files.ts";
import { WorkerPool } from "./worker_pool.ts";

/** Threads: two keep two cores busy; more only help slow disks, and each costs some 30 MiB of memory. */
const THREADS = navigator.hardwareConcurrency >= 4 ? 3 : 2;
/** Work on small files that is done inline before threads are worth their start, in ms. */
const INLINE_MS = 15;
/** Stats that should take less than this (ms) are done inline: handing them to a thread costs as much. */
const INLINE_STATS_MS = 1;
const TRIED_STATS = 8;
/** A stat that takes longer (ms) is one of a share: so many jobs then go to the threads before another is tried here. */
const SLOW_STAT_MS = 0.2;
const UNTRIED_JOBS = 256;
/** Files below this many bytes are copied and hashed on the calling thread. */
const THREAD_FROM_BYTES = 8 * 2 ** 20;

/** The real disk. Dispose it when the run ends, after the last call came back: it may have started threads. */
export class Disk extends DiskFiles implements AsyncDisposable {
  override readonly smallParallel: number = THREADS;
  readonly #pool = new WorkerPool(THREADS);
  #inlineMs = 0;
  /** How many jobs of stats still go to the threads without a trial, since the last one was slow. */
  #slowStats = 0;

  override async runSmall(job: SmallJob, signal: AbortSignal): Promise<SmallJobResult> {
    signal.throwIfAborted();
    if (job.kind === "stat") return await this.#stats(job, signal);
    if (this.#inlineMs > INLINE_MS) return await this.#pool.small(job);
    const start = performance.now();
    try {
      return await super.runSmall(job, signal);
    } finally {
      this.#inlineMs += performance.now() - start;
    }
  }

  /** The first few show whether this is a disk (microseconds each) or a share (a thousand times that). */
  async #stats(job: SmallJob & { kind: "stat" }, signal: AbortSignal): Promise<SmallJobResult> {
    if (this.#slowStats > 0) {
      this.#slowStats--;
      return await this.#pool.small(job);
    }
    const start = performance.now();
    const tried = await super.runSmall({ ...job, names: job.names.slice(0, TRIED_STATS) }, signal);
    const rest = { ...job, names: job.names.slice(TRIED_STATS) };
    if (rest.names.length === 0) return tried;
    const eachMs = (performance.now() - start) / TRIED_STATS;
    if (eachMs > SLOW_STAT_MS) this.#slowStats = UNTRIED_JOBS;
    const others = eachMs * rest.names.length < INLINE_STATS_MS
      ? await super.runSmall(rest, signal)
      : await this.#pool.small(rest);
    return { stats: [...tried.stats ?? [], ...others.stats ?? []] };
  }

  async runLarge(
    job: LargeJob,
    options: { signal: AbortSignal; onBytes?: (bytes: number) => void },
  ): Promise<LargeResult> {
    const stat = await this.lstat(job.kind === "copy" ? job.from : job.path);
    if (stat !== undefined && stat.size >= THREAD_FROM_BYTES) return await this.#pool.large(job, options);
    if (job.kind === "copy") return await copyHere(this, job, options);
    return await hashHere(this, job.path, { ...options, fresh: job.fresh });
  }

  // deno-lint-ignore require-await -- a promise by the protocol
  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool[Symbol.dispose]();
  }
}
