/** Starts servers of other people on ports nobody holds, and waits until they answer. @module */
import { systemClock } from "../../../core/io/clock.ts";

/** However busy the machine is, a server that is still silent then never answers, ms. */
const SILENT_MS = 120_000;
/** Ports may be lost to another process that often. */
const STARTS = 5;
/** A server says nowhere when it is ready; only asking again tells, each so many ms. */
const AGAIN_MS = 50;

/** A server that was started: the ports it has, and its process. */
export interface OnPorts extends AsyncDisposable {
  ports: readonly number[];
}

export interface PortsOptions {
  /** How many ports it needs. */
  count: number;
  spawn(ports: readonly number[]): Deno.ChildProcess;
  /** Resolves when the server answers on all of its ports; must take no other server for it. */
  isReady(ports: readonly number[], signal: AbortSignal): Promise<void>;
}

/**
 * Starts a server on ports that were free a moment ago. Where another process was quicker, the server ends by itself and
 * is started anew on other ones.
 */
export async function startOnPorts({ count, spawn, isReady }: PortsOptions): Promise<OnPorts> {
  for (let left = STARTS;; left--) {
    const ports = freePorts(count);
    const child = spawn(ports);
    const end = async () => {
      try {
        child.kill("SIGTERM");
      } catch {
        // It ended by itself.
      }
      await child.status;
    };
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(SILENT_MS)]);
    const ended = child.status.then(({ code }) => {
      const error = new Error(`the server ended with ${code} before it answered on ${ports.join(" and ")}`);
      stop.abort(error);
    });
    try {
      await isReady(ports, signal);
      signal.throwIfAborted();
      return { ports, [Symbol.asyncDispose]: end };
    } catch (error) {
      const isOver = stop.signal.aborted;
      await end();
      await ended;
      if (!isOver || left <= 1) throw error;
    }
  }
}

/** Waits until a server answers; `isOurs` tells its answer from that of another one. */
export async function waitForHttp(
  url: string,
  { signal, client, isOurs = () => true }: {
    signal: AbortSignal;
    client?: Deno.HttpClient;
    isOurs?: (response: Response) => boolean;
  },
): Promise<void> {
  await retry(signal, async () => {
    const response = await fetch(url, { client, signal });
    await response.body?.cancel();
    if (!isOurs(response)) throw new Error(`${url} answers ${response.status}: another server`);
  });
}

/** Waits for the greeting of a mail server; `caCerts` where it is encrypted from the first byte. */
export async function waitForSmtp(port: number, options: { signal: AbortSignal; caCerts?: string[] }): Promise<void> {
  const { signal, caCerts } = options;
  const to = { hostname: "127.0.0.1", port };
  await retry(signal, async () => {
    using connection = await (caCerts === undefined ? Deno.connect(to) : Deno.connectTls({ ...to, caCerts }));
    const hangUp = () => connection[Symbol.dispose]();
    signal.addEventListener("abort", hangUp);
    const buffer = new Uint8Array(3);
    const got = await connection.read(buffer).finally(() => signal.removeEventListener("abort", hangUp));
    const greeting = new TextDecoder().decode(buffer.subarray(0, got ?? 0));
    if (greeting !== "220") throw new Error(`port ${port} greets with "${greeting}", wanted 220`);
  });
}

/** Ports that are all free now. */
function freePorts(count: number): number[] {
  using stack = new DisposableStack();
  return Array.from({ length: count }, () => stack.use(Deno.listen({ hostname: "127.0.0.1", port: 0 })).addr.port);
}

/** Tries until it does not fail, or the signal says that it is too late. */
async function retry(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      if (signal.aborted) throw new Error(`${signal.reason}`, { cause: error });
    }
    await systemClock.sleep(AGAIN_MS, signal);
  }
}
