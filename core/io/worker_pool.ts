/**
 * Threads for work on files, started when first needed.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { LargeJob, LargeResult, SmallJob, SmallJobResult } from "./file_system.ts";
import { packJob, unpackAnswer } from "./packed_jobs.ts";
import type { FromWorker, ToWorker } from "./worker_messages.ts";

interface Waiting {
  resolve: (result: FromWorker) => void;
  reject: (error: unknown) => void;
  onBytes?: (bytes: number) => void;
}

/** One thread and the jobs it was given. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #broken: Error | undefined;

  constructor() {
    // A literal URL, so that `deno compile --include` finds the module in the executable.
    this.#worker = new Worker(new URL("./file_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => this.#take(event.data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.end(new Error(`a file thread ended: ${event.message}`));
    };
    this.#worker.onmessageerror = () => this.end(new Error("a file thread sent what cannot be read"));
  }

  get busy(): number {
    return this.#waiting.size;
  }

  get broken(): boolean {
    return this.#broken !== undefined;
  }

  run(message: ToWorker, onBytes?: (bytes: number) => void): Promise<FromWorker> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject, onBytes });
      this.#worker.postMessage(message);
    });
  }

  stop(id: number): void {
    if (this.#waiting.has(id)) this.#worker.postMessage({ id, stop: true } satisfies ToWorker);
  }

  end(error: Error): void {
    this.#broken ??= error;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if ("bytes" in message) return waiting.onBytes?.(message.bytes);
    this.#waiting.delete(message.id);
    waiting.resolve(message);
  }
}

/** A fixed number of threads; each job goes to the one with the fewest. */
export class WorkerPool implements Disposable {
  readonly #most: number;
  #threads: Thread[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async small(job: SmallJob): Promise<SmallJobResult> {
    const id = this.#next++;
    const answer = await this.#idlest().run({ id, small: packJob(job) });
    if ("small" in answer) return unpackAnswer(answer.small);
    throw errorIn(answer);
  }

  async large(
    job: LargeJob,
    options: { signal: AbortSignal; onBytes?: (bytes: number) => void },
  ): Promise<LargeResult> {
    const id = this.#next++;
    const { signal, onBytes } = options;
    const thread = this.#idlest();
    const stop = () => thread.stop(id);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const answer = await thread.run({ id, large: job }, onBytes);
      if ("large" in answer) return answer.large;
      if ("stopped" in answer) signal.throwIfAborted();
      throw errorIn(answer);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Ends all threads. Jobs in flight are rejected: dispose after they are done. */
  [Symbol.dispose](): void {
    for (const thread of this.#threads) thread.end(new Error("the file threads were ended"));
    this.#threads = [];
  }

  #idlest(): Thread {
    this.#threads = this.#threads.filter((thread) => !thread.broken);
    const idle = this.#threads.find((thread) => thread.busy === 0);
    if (idle) return idle;
    if (this.#threads.length < this.#most) {
      const thread = new Thread();
      this.#threads.push(thread);
      return thread;
    }
    return this.#threads.reduce((best, thread) => thread.busy < best.busy ? thread : best);
  }
}

function errorIn(answer: FromWorker): Error {
  if (!("failed" in answer)) return new Error("a file thread gave an unexpected answer");
  const { code, message, hint, retry, errno } = answer.failed;
  const cause = errno === undefined ? undefined : Object.assign(new Error(message), { code: errno });
  return new PipelineError(code, message, { hint, retry, cause });
}
