/**
 * A thread that works on files: jobs of small files with synchronous calls, large files with reads, hash and writes
 * overlapping. Started by `WorkerPool`; imports nothing heavy.
 * @module
 */
/// <reference lib="deno.worker" />
import { DiskFiles } from "./disk_files.ts";
import { DiskPrimitives } from "./disk_sync.ts";
import { errnoOf } from "./io_errors.ts";
import { copyHere, hashHere } from "./large_files.ts";
import { packAnswer, unpackJob } from "./packed_jobs.ts";
import { failureOf, runSmallJob } from "./small_jobs.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";

const primitives = new DiskPrimitives();
const files = new DiskFiles();
const stops = new Map<number, AbortController>();

const answer = (message: FromWorker) => self.postMessage(message);

function fail(id: number, error: unknown): void {
  const failure = failureOf(error, { verb: "work on", path: "files" });
  answer({ id, failed: { ...failure, errno: errnoOf(error) } });
}

async function runLarge(message: Extract<ToWorker, { large: unknown }>): Promise<void> {
  const { id, large } = message;
  const stop = new AbortController();
  stops.set(id, stop);
  const options = { signal: stop.signal, onBytes: (bytes: number) => answer({ id, bytes }) };
  try {
    const result = large.kind === "copy"
      ? await copyHere(files, large, options)
      : await hashHere(files, large.path, { ...options, fresh: large.fresh });
    answer({ id, large: result });
  } catch (error) {
    if (stop.signal.aborted) answer({ id, stopped: true });
    else fail(id, error);
  } finally {
    stops.delete(id);
  }
}

function runSmall(message: Extract<ToWorker, { small: unknown }>): void {
  try {
    answer({ id: message.id, small: packAnswer(runSmallJob(primitives, unpackJob(message.small))) });
  } catch (error) {
    fail(message.id, error);
  }
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if ("stop" in message) stops.get(message.id)?.abort();
  else if ("small" in message) runSmall(message);
  else void runLarge(message);
};
