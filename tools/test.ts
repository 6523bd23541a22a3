/**
 * Runs every test this machine can run: `deno task test [filter options or files of deno test]`. Ends with the servers
 * the tests really ran against, why tests were skipped, and a line `N passed, N failed, N skipped`.
 * @module
 */
import { fromFileUrl, join } from "@std/path";
import { parseJunit, parseServersLog, parseSummary, skipReasons, totalsLine, totalsOf } from "./testing/report.ts";
import { buildExecutable } from "./testing/executable.ts";
import { startServers } from "./testing/servers.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** How much of the output is kept for its summary, characters. */
const TAIL = 1 << 18;

/** Passes the output on and returns its end. */
async function forward(output: ReadableStream<Uint8Array>): Promise<string> {
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of output) {
    for (let done = 0; done < chunk.length;) done += await Deno.stdout.write(chunk.subarray(done));
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-TAIL);
  }
  return tail;
}

async function runTests(args: readonly string[], work: string, env: Record<string, string>) {
  const command = new Deno.Command(Deno.execPath(), {
    // Types are the part of `deno check`, which `deno task ok` runs over everything first.
    args: ["test", "-A", "--no-check", "--parallel", `--junit-path=${join(work, "junit.xml")}`, ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    env: { ...env, LABFERRY_TEST_SERVERS_LOG: join(work, "servers.log") },
  });
  const child = command.spawn();
  // Ctrl+C reaches the child too, as it is in the same group; here it only must not skip stopping the servers.
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  try {
    const output = await forward(child.stdout);
    return { ...parseSummary(output), exitCode: (await child.status).code };
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** The servers are stopped before anything is counted, so that the totals are the last line. */
async function runWithServers(args: readonly string[], work: string) {
  await using servers = await startServers();
  const isWanted = args.some((argument) => /^tests\/?$|integration|executable/.test(argument));
  const executable = isWanted ? await buildExecutable(work) : { env: {}, problem: "" };
  const problems = [servers.problem, executable.problem].filter((problem) => problem !== "");
  return { ...await runTests(args, work, { ...servers.env, ...executable.env }), problems };
}

async function main(args: readonly string[]): Promise<number> {
  const work = await Deno.makeTempDir({ prefix: "labferry-tests-" });
  try {
    const run = await runWithServers(args.length === 0 ? ["tests/"] : args, work);
    // With a filter, the report calls every test that was not asked for skipped.
    const isFiltered = args.some((argument) => argument.startsWith("--filter"));
    const cases = parseJunit(await readIfThere(join(work, "junit.xml")))
      .filter((one) => !isFiltered || one.outcome !== "skipped");
    const totals = totalsOf(cases, run);
    const log = parseServersLog(await readIfThere(join(work, "servers.log")));
    for (const file of run.uncaught) console.log(`error outside of a test: ${file}`);
    for (const [reason, count] of skipReasons(cases, log)) console.log(`skipped ${count}: ${reason}`);
    for (const problem of run.problems) console.log(problem);
    console.log(`real servers: ${log.servers.length === 0 ? "none" : log.servers.join(", ")}`);
    console.log(totalsLine(totals));
    return totals.failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
