import { systemClock } from "../../../core/io/clock.ts";

/** Waits until a server answers at all. */
export async function waitForHttp(url: string, options: { tries: number; client?: Deno.HttpClient }): Promise<void> {
  for (let left = options.tries;; left--) {
    try {
      await (await fetch(url, { client: options.client, signal: AbortSignal.timeout(5000) })).body?.cancel();
      return;
    } catch (error) {
      if (left <= 1) throw error;
      // A server says nowhere when it is ready; only asking again tells.
      await systemClock.sleep(50);
    }
  }
}

/** Returns a port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
