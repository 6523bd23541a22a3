/**
 * A relay before the endpoint that can drop connections as a network does: at a byte of a request, or in place of an
 * answer. An HTTP server cannot do either by itself.
 */
import type { Faults } from "./faults.ts";

const BUFFER_BYTES = 64 * 1024;

interface Pair {
  client: Deno.TcpConn;
  inner: Deno.TcpConn;
}

export class FrontDoor implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #innerPort: number;
  readonly #faults: Faults;
  /** By the port the endpoint sees as the client's. */
  readonly #pairs = new Map<number, Pair>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(innerPort: number, faults: Faults) {
    this.#innerPort = innerPort;
    this.#faults = faults;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#track(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Drops the connection whose request the endpoint got from `port`. */
  drop(port: number): void {
    const pair = this.#pairs.get(port);
    if (!pair) return;
    this.#pairs.delete(port);
    closeQuietly(pair.client);
    closeQuietly(pair.inner);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const port of [...this.#pairs.keys()]) this.drop(port);
    await Promise.all(this.#tasks);
  }

  #track(task: Promise<void>): void {
    const tracked: Promise<void> = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) this.#track(this.#relay(client));
    } catch (error) {
      // Closing the listener ends the loop so.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #relay(client: Deno.TcpConn): Promise<void> {
    const inner = await Deno.connect({ hostname: "127.0.0.1", port: this.#innerPort });
    const port = inner.localAddr.port;
    this.#pairs.set(port, { client, inner });
    await Promise.all([
      this.#pump(client, inner, (bytes) => this.#isLastByte(bytes)),
      this.#pump(inner, client, () => false),
    ]);
    this.#pairs.delete(port);
    closeQuietly(client);
    closeQuietly(inner);
  }

  #isLastByte(bytes: number): boolean {
    if (this.#faults.dropAtByte === undefined) return false;
    this.#faults.dropAtByte -= bytes;
    if (this.#faults.dropAtByte > 0) return false;
    this.#faults.dropAtByte = undefined;
    return true;
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn, isLast: (bytes: number) => boolean): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    try {
      for (let got = await from.read(buffer); got !== null; got = await from.read(buffer)) {
        if (isLast(got)) break;
        for (let at = 0; at < got;) at += await to.write(buffer.subarray(at, got));
      }
    } catch {
      // A reset is an end like any other for a relay.
    } finally {
      closeQuietly(from);
      closeQuietly(to);
    }
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // The other direction has closed it.
  }
}
