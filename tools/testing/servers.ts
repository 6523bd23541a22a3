/**
 * Starts the real servers that integration tests run against, where `tools/test_servers` can, and stops them again.
 * @module
 */
import { fromFileUrl } from "@std/path";
import { parseExports } from "./report.ts";

export interface TestServers extends AsyncDisposable {
  /** Variables by which the test kit finds the servers. */
  env: Record<string, string>;
  /** Why there are none, or some are missing; empty when all came up. */
  problem: string;
}

const NONE: TestServers = { env: {}, problem: "", [Symbol.asyncDispose]: () => Promise.resolve() };

/**
 * Starts the servers. Nothing here fails a run: tests whose server is not there are skipped, and the reason is printed.
 * `LABFERRY_TEST_SERVERS=off` leaves them out.
 */
export async function startServers(): Promise<TestServers> {
  const script = fromFileUrl(new URL("../test_servers", import.meta.url));
  if (Deno.env.get("LABFERRY_TEST_SERVERS") === "off") {
    return { ...NONE, problem: "servers: LABFERRY_TEST_SERVERS is off" };
  }
  if (Deno.build.os === "windows") return { ...NONE, problem: "servers: tools/test_servers needs bash" };
  const started = await bash(script, "start");
  if (started === undefined) return { ...NONE, problem: "servers: bash or tools/test_servers is not there" };
  return {
    env: parseExports(started.stdout),
    problem: started.code === 0 ? "" : `servers: tools/test_servers start ended with ${started.code}`,
    [Symbol.asyncDispose]: async () => {
      const stopped = await bash(script, "stop");
      if (stopped?.code !== 0) throw new Error(`Cannot stop the test servers: exit code ${stopped?.code}`);
    },
  };
}

async function bash(script: string, verb: "start" | "stop"): Promise<{ code: number; stdout: string } | undefined> {
  try {
    await Deno.lstat(script);
    const command = new Deno.Command("bash", {
      args: [script, verb],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    });
    const { code, stdout } = await command.output();
    return { code, stdout: new TextDecoder().decode(stdout) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
