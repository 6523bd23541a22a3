/**
 * What a stage may do ends with the stage: its acts are lent for that time. One that was told to end, or has failed, has
 * its acts broken off; what does not end then is left behind, and mints nothing more.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { EvidenceStore } from "../journal/journal.ts";
import type { Logger } from "../ports.ts";
import { deadlineAfter, endedOrLeft, signalBehind } from "./deadlines.ts";
import { type LeftBehind, leftReason } from "./left_behind.ts";

/** What limits the time of a stage. */
export interface LeaseTime {
  /** The run is to end now. */
  abort: AbortSignal;
  timeoutMs?: number;
  /** What the stage and all it began have to end in (ms) once they were told to. */
  leaveMs: number;
  left?: LeftBehind;
  log: Logger;
}

/** An act that failed, as long as nobody has heard of it. */
interface Unheard {
  acts: Acts;
  answer: Answer<unknown>;
  error: unknown;
}

/** The time of one stage with one item, from before it is opened. */
export class Lease implements Disposable {
  readonly abort: AbortSignal;
  readonly timeoutMs: number | undefined;
  /** Aborted when the stage has taken too long. */
  readonly timeout: AbortSignal | undefined;
  /** Aborted when the stage is to end, and when it has failed: everything it does has it. */
  readonly signal: AbortSignal;
  readonly #stage: string;
  readonly #time: LeaseTime;
  readonly #stack = new DisposableStack();
  readonly #ending = new AbortController();
  readonly #left = new AbortController();
  /** One for all that is waited for: a step that hangs and then its acts take no longer than either. */
  readonly #late: AbortSignal;
  readonly #underWay = new Set<Promise<void>>();
  #unheard: Unheard[] = [];
  #isOver = false;
  #isClosed = false;
  #hasRefused = false;

  constructor(stage: string, time: LeaseTime) {
    this.#stage = stage;
    this.#time = time;
    this.abort = time.abort;
    this.timeoutMs = time.timeoutMs;
    this.signal = this.#ending.signal;
    this.#endWith(time.abort);
    if (time.timeoutMs !== undefined) {
      // By a timer that keeps the process alive: a step that waits for nothing does not, and would take the run with it.
      this.timeout = this.#stack.use(deadlineAfter(time.timeoutMs)).signal;
      this.#endWith(this.timeout);
    }
    this.#late = this.#stack.use(signalBehind(this.signal, time.leaveMs)).signal;
  }

  /** Whether anything of the stage may still be at work though nobody waits for it any more. */
  get isLeft(): boolean {
    return this.#left.signal.aborted;
  }

  /** Aborted when the stage is left behind. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** What one attempt at a step may do. */
  step(): Acts {
    return new Acts(this);
  }

  /** Resolves or rejects as `work` does; what is late is left behind, `tell` is called, and the signal's reason thrown. */
  async ended<T>(work: Promise<T>, tell?: () => void): Promise<T> {
    const onLeft = () => {
      this.#left.abort(leftReason());
      this.#time.left?.add(work);
      tell?.();
    };
    return await endedOrLeft(work, { late: this.#late, onLeft });
  }

  /** Waits for acts of one step, whether somebody else does or not. @throws what one threw that nobody heard of */
  async settled(acts: Acts, underWay: ReadonlySet<Promise<void>>): Promise<void> {
    while (underWay.size > 0) await Promise.all(underWay);
    this.#throwUnheard((unheard) => unheard.acts === acts);
  }

  /**
   * Nothing can be begun any more, and what nobody waited for has ended: nothing of it falls into a later stage. Of a
   * stage that failed nothing more is wanted: its acts are broken off.
   * @throws what an act threw that nobody heard of, and the signal's reason when one was left behind
   */
  async end({ failed = false }: { failed?: boolean } = {}): Promise<void> {
    this.#isOver = true;
    if (failed) this.#ending.abort(new DOMException("the stage has failed", "AbortError"));
    try {
      while (this.#underWay.size > 0) {
        await this.ended(Promise.all(this.#underWay), () => {
          this.#time.log.warn(`Stage "${this.#stage}" has begun what does not end though it was told to: left behind`);
        });
      }
    } finally {
      this.#isClosed = true;
      this[Symbol.dispose]();
    }
    this.#throwUnheard(() => true);
  }

  /** The evidence for acts of this stage: what was left behind changes none once the stage has ended. */
  evidence(store: EvidenceStore): EvidenceStore {
    const whileOpen =
      <A extends unknown[], R>(change: (...given: A) => Promise<R>) => async (...given: A): Promise<R> => {
        if (this.#isClosed) throw leftReason();
        return await change(...given);
      };
    return {
      get: (...asked) => store.get(...asked),
      getMany: (...asked) => store.getMany(...asked),
      list: (...asked) => store.list(...asked),
      totals: (...asked) => store.totals(...asked),
      places: (...asked) => store.places(...asked),
      put: whileOpen((...given) => store.put(...given)),
      remove: whileOpen((...given) => store.remove(...given)),
    };
  }

  /** Begins an act; `underWay` resolves when it has ended, whatever becomes of it. One that is refused never begins. */
  begin<R>(acts: Acts, name: string, act: () => Promise<R>): { answer: Promise<R>; underWay?: Promise<void> } {
    // Asynchronous, so that whoever forgot the act hears of it where he would hear of any failure.
    const isRefused = this.#isOver;
    const acting = (async () => {
      if (isRefused) this.assertLasts(name);
      return await act();
    })();
    const answer = new Answer<R>((resolve, reject) => void acting.then(resolve, reject));
    if (isRefused) return { answer };
    const onError = (error: unknown) => {
      if (!answer.isHeard && !this.#isClosed) this.#unheard.push({ acts, answer, error });
    };
    const underWay: Promise<void> = acting.then(() => {}, onError).finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
    return { answer, underWay };
  }

  /** What only looks ends with the stage, too. @throws {PipelineError} `plugins/stage-over` */
  assertLasts(name: string): void {
    if (!this.#isOver) return;
    const error = new PipelineError(
      "plugins/stage-over",
      `Cannot do ${name} for stage "${this.#stage}": the stage has ended for this item, wanted within its apply`,
      {
        hint:
          "This is a mistake of the stage: it must wait for all it began (await) before apply ends; tell its author",
      },
    );
    // Once: whoever does not wait may well go on asking. Nothing else tells of it where nobody hears the error.
    if (!this.#hasRefused) this.#time.log.warn(error.message, { code: error.code });
    this.#hasRefused = true;
    throw error;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#stack.dispose();
  }

  #endWith(signal: AbortSignal): void {
    const onAbort = () => this.#ending.abort(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stack.defer(() => signal.removeEventListener("abort", onAbort));
  }

  #throwUnheard(isAsked: (unheard: Unheard) => boolean): void {
    const asked = this.#unheard.filter(isAsked);
    this.#unheard = this.#unheard.filter((unheard) => !isAsked(unheard));
    const first = asked.find(({ answer }) => !answer.isHeard);
    if (first) throw first.error;
  }
}

/** What one attempt at a step may do. Ends with the stage; what is under way when the step ends is waited for. */
export class Acts {
  readonly #lease: Lease;
  readonly #underWay = new Set<Promise<void>>();

  constructor(lease: Lease) {
    this.#lease = lease;
  }

  /** Aborted when the acts are to end. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Aborted when the step is left behind. */
  get left(): AbortSignal {
    return this.#lease.left;
  }

  /** Returns the act, to be had as long as the lease. */
  lend<A extends unknown[], R>(name: string, act: (...given: A) => Promise<R>): (...given: A) => Promise<R> {
    return (...given) => {
      const { answer, underWay } = this.#lease.begin(this, name, () => act(...given));
      if (underWay) {
        this.#underWay.add(underWay);
        void underWay.finally(() => this.#underWay.delete(underWay));
      }
      return answer;
    };
  }

  /** Returns an act that is done at once, to be had as long as the lease. */
  lendSync<A extends unknown[], R>(name: string, act: (...given: A) => R): (...given: A) => R {
    return (...given) => {
      this.#lease.assertLasts(name);
      return act(...given);
    };
  }

  /** @throws {PipelineError} `plugins/stage-over` */
  assertLasts(name: string): void {
    this.#lease.assertLasts(name);
  }

  /** The evidence, to be changed as long as the lease. */
  evidence(store: EvidenceStore): EvidenceStore {
    return this.#lease.evidence(store);
  }

  /** Everything that was begun has ended. @throws what an act threw that nobody heard of */
  settled(): Promise<void> {
    return this.#lease.settled(this, this.#underWay);
  }
}

/** The answer of an act. It knows whether anybody hears it: an error that nobody hears is the stage's, not the process's. */
class Answer<T> extends Promise<T> {
  isHeard = false;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason?: unknown) => void) => void) {
    super(executor);
    void super.then(undefined, () => {});
  }

  override then<A = T, B = never>(
    onDone?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isHeard = true;
    return super.then(onDone, onError);
  }
}
