/**
 * Bounds what uploads and read-backs hold in memory and on the wire: one `Budget` of bytes for the whole run, and one
 * `Gate` of requests for each place.
 * @module
 */

const MIB = 2 ** 20;

interface Waiter {
  units: number;
  admit(): void;
}

/** Hands out up to `total` units, first come first served; a demand above the total is met when nothing else is out. */
export class Gate {
  #free: number;
  readonly #total: number;
  readonly #waiting: Waiter[] = [];

  constructor(total: number) {
    if (!(total >= 1)) throw new RangeError(`Cannot open a gate for ${total} units: wanted at least 1`);
    this.#total = total;
    this.#free = total;
  }

  /** Units that are out. */
  get held(): number {
    return this.#total - this.#free;
  }

  /** Waits for `units`; dispose of the result to give them back. Rejects with the signal's reason. */
  async enter(signal: AbortSignal, units = 1): Promise<Disposable> {
    signal.throwIfAborted();
    const wanted = Math.min(units, this.#total);
    if (this.#waiting.length === 0 && wanted <= this.#free) this.#free -= wanted;
    else await this.#queue(wanted, signal);
    let out = true;
    return {
      [Symbol.dispose]: () => {
        if (!out) return;
        out = false;
        this.#free += wanted;
        this.#admit();
      },
    };
  }

  #queue(units: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      // Whoever stood behind a large demand may fit now that it has gone.
      this.#admit();
      reject(signal.reason);
    };
    const waiter: Waiter = {
      units,
      admit: () => {
        signal.removeEventListener("abort", leave);
        resolve();
      },
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#waiting[0].units <= this.#free) {
      const next = this.#waiting.shift()!;
      this.#free -= next.units;
      next.admit();
    }
  }
}

/** Bytes lent by a `Budget`. */
export interface Lease extends Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Keeps the memory from being lent again: a request that failed may still be sending from it. */
  spoil(): void;
}

/** Memory for bodies, lent in buffers that are used again, so that a long run does not grow. */
export class Budget {
  readonly #gate: Gate;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #total: number;
  #spareBytes = 0;

  constructor(bytes: number) {
    this.#gate = new Gate(bytes);
    this.#total = bytes;
  }

  get held(): number {
    return this.#gate.held;
  }

  /** Bytes that are lent at a time, but for one demand above it. */
  get total(): number {
    return this.#total;
  }

  /** Lends `length` bytes, with unspecified content, once that many are free. */
  async acquire(length: number, signal: AbortSignal): Promise<Lease> {
    const capacity = length < MIB ? length : Math.ceil(length / MIB) * MIB;
    const pass = await this.#gate.enter(signal, capacity);
    const whole = this.#take(capacity);
    let keep = true;
    return {
      bytes: whole.subarray(0, length),
      spoil: () => {
        keep = false;
      },
      [Symbol.dispose]: () => {
        if (keep) this.#keep(whole);
        // Memory must not be lent to two: a second disposal does nothing.
        keep = false;
        pass[Symbol.dispose]();
      },
    };
  }

  #take(capacity: number): Uint8Array<ArrayBuffer> {
    const at = this.#spare.findIndex((spare) => spare.length === capacity);
    if (at >= 0) {
      this.#spareBytes -= capacity;
      return this.#spare.splice(at, 1)[0];
    }
    while (this.#spare.length > 0 && this.held + this.#spareBytes > this.#total) {
      this.#spareBytes -= this.#spare.shift()!.length;
    }
    return new Uint8Array(capacity);
  }

  #keep(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length < MIB || this.#spareBytes + buffer.length > this.#total) return;
    this.#spare.push(buffer);
    this.#spareBytes += buffer.length;
  }
}
