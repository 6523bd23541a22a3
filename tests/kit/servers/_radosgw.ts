import { waitForHttp } from "./_wait.ts";
import type { StartedServer } from "./servers.ts";

/** Address of a radosgw that runs; `tools/test_servers` starts one. */
const VARIABLE = "LABFERRY_TEST_RADOSGW";

/** Why there is no radosgw to test with. */
export async function radosgwMissing(): Promise<string | undefined> {
  const endpoint = Deno.env.get(VARIABLE);
  if (!endpoint) return `${VARIABLE} is not set`;
  try {
    await (await fetch(endpoint, { signal: AbortSignal.timeout(60_000) })).body?.cancel();
  } catch {
    return `nothing answers at ${endpoint}`;
  }
}

/** Takes the radosgw that runs. */
export async function startRadosgw(): Promise<StartedServer> {
  const endpoint = Deno.env.get(VARIABLE)!;
  await waitForHttp(endpoint, { signal: AbortSignal.timeout(60_000) });
  return {
    name: "radosgw",
    version: Deno.env.get(`${VARIABLE}_VERSION`) ?? "of unknown version",
    endpoint,
    traits: { checksums: false, completeIfAbsent: false },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
