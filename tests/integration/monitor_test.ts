/** `monitor tail` as a process of its own on a real disk: errors, rotation, SIGTERM, SIGKILL and restarts. */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { openJournal } from "../../core/journal/sqlite.ts";
import { tempDir } from "../kit/temp.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
/** A deadline for what should come at once; this machine may be busy. */
const LONG_MS = 60_000;
const T = "2026-01-02 03:04:05.678";
const error = (what: string) => `${T} ERROR ${what}\r\n   at Fusion.Stage.Move()\r\n`;

interface Site extends AsyncDisposable {
  readonly log: string;
  start(): Monitor;
  /** The events that wait for delivery, with what they say. */
  raised(): Promise<string[]>;
}

interface Monitor {
  /** Waits for an item of the report. */
  item(matches: (item: { outcome: string; name: string }) => boolean): Promise<void>;
  /** Sends it a signal, and says in the test's output how long it took to end: that it is 2 s is up to its timer. */
  end(signal: Deno.Signal): Promise<number>;
  /** Waits until it ends by itself. */
  ended(): Promise<{ code: number; stderr: string }>;
}

/** Its mail server refuses every connection, so that every event stays queued. */
async function openSite(): Promise<Site> {
  const dir = await tempDir();
  const log = join(dir.path, "Fusion.log");
  const state = join(dir.path, "state");
  const monitor = `[monitor]\nlog_path = "Fusion.log"\n`;
  const notify = `[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n`;
  await Deno.writeTextFile(join(dir.path, "config.toml"), monitor + notify);
  await Deno.mkdir(join(dir.path, "recipients"));
  await Deno.writeTextFile(join(dir.path, "recipients", "fusion_error.txt"), "ops@lab.example\n");
  const env = {
    LABFERRY_CONFIG: join(dir.path, "config.toml"),
    LABFERRY_STATE_DIR: state,
    LABFERRY_SMTP_USER: "ops@lab.example",
    LABFERRY_SMTP_APP_PASSWORD: "none",
    NO_COLOR: "1",
  };
  return {
    log,
    start: () => startMonitor(env),
    async raised() {
      await using journal = await openJournal(join(state, "journal.db"));
      const events = await journal.outbox.pending();
      return events.filter(({ event }) => event === "fusion_error").map(({ data }) => {
        const { message, sample, cycle } = data as Record<string, string>;
        return [message, sample, cycle].filter((part) => part !== undefined).join(" | ");
      });
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

function startMonitor(env: Record<string, string>): Monitor {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CLI, "monitor", "tail", "--json"],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const items = linesOf(child.stdout);
  const errors = linesOf(child.stderr);
  return {
    item: (matches) => items.until((line) => matches(JSON.parse(line))),
    async ended() {
      const { code } = await child.status;
      await Promise.all([items.drained, errors.drained]);
      return { code, stderr: errors.seen.join("\n") };
    },
    async end(signal) {
      const from = performance.now();
      child.kill(signal);
      const { code } = await endOf(child, signal);
      console.error(`    ended ${Math.round(performance.now() - from)} ms behind ${signal}`);
      await Promise.all([items.drained, errors.drained]);
      return code;
    },
  };
}

/** A process that does not end fails its test instead of holding it. */
async function endOf(child: Deno.ChildProcess, signal: Deno.Signal): Promise<Deno.CommandStatus> {
  const late = Promise.withResolvers<never>();
  const deadline = AbortSignal.timeout(LONG_MS);
  const onLate = () => {
    child.kill("SIGKILL");
    late.reject(new Error(`it did not end within ${LONG_MS} ms of ${signal}`));
  };
  deadline.addEventListener("abort", onLate, { once: true });
  try {
    return await Promise.race([child.status, late.promise]);
  } finally {
    deadline.removeEventListener("abort", onLate);
  }
}

/** The lines of a stream as they come, to wait for one that was not waited for before. */
function linesOf(stream: ReadableStream<Uint8Array>) {
  const seen: string[] = [];
  let wake = Promise.withResolvers<void>();
  let read = 0;
  let isOver = false;
  const drained = (async () => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      seen.push(...parts);
      wake.resolve();
      wake = Promise.withResolvers();
    }
    isOver = true;
    wake.resolve();
  })();
  return {
    seen: seen as readonly string[],
    drained,
    async until(matches: (line: string) => boolean): Promise<void> {
      const late = Promise.withResolvers<"late">();
      const deadline = AbortSignal.timeout(LONG_MS);
      deadline.addEventListener("abort", () => late.resolve("late"), { once: true });
      for (;;) {
        while (read < seen.length) if (matches(seen[read++])) return;
        const end = isOver ? "over" : await Promise.race([wake.promise, late.promise]);
        if (end !== undefined) assert.fail(`it did not come (${end}):\n${seen.join("\n")}`);
      }
    },
  };
}

const append = (path: string, text: string) => Deno.writeTextFile(path, text, { append: true });
const done = ({ outcome }: { outcome: string }) => outcome === "done";

Deno.test({
  name: "monitor tail raises each error once, over rotation, SIGTERM, SIGKILL and restarts",
  ignore: Deno.build.os === "windows", // no SIGTERM there; Ctrl+Break cannot be sent to a child alone
  async fn() {
    await using site = await openSite();
    await append(site.log, error("from before anybody looked"));
    const first = site.start();
    await first.item(({ outcome }) => outcome === "dropped");
    await append(site.log, `${T} INFO Sample: kidney_b1\r\n${T} INFO Cycle 3\r\n${error("Pump stalled")}`);
    await first.item(done);
    await Deno.rename(site.log, `${site.log}.1`);
    await append(`${site.log}.1`, error("Late writer"));
    await append(site.log, `${T} INFO Cycle 4\r\n${error("Lamp failed")}${error("Pump stalled")}`);
    await first.item(done);
    await first.item(done);
    await first.item(({ outcome }) => outcome === "dropped");
    assert.equal(await first.end("SIGTERM"), 0);

    await append(site.log, error("While down"));
    await Deno.rename(site.log, `${site.log}.2`);
    await append(site.log, error("In the new file"));
    const second = site.start();
    await second.item(done);
    await second.item(done);
    await second.end("SIGKILL");

    await append(site.log, error("After the kill") + error("While down"));
    const third = site.start();
    await third.item(done);
    assert.equal(await third.end("SIGINT"), 0);
    assert.deepEqual(await site.raised(), [
      "ERROR Pump stalled | kidney_b1 | 3",
      "ERROR Late writer | kidney_b1 | 3",
      "ERROR Lamp failed | kidney_b1 | 4",
      "ERROR While down | kidney_b1 | 4",
      "ERROR In the new file | kidney_b1 | 4",
      "ERROR After the kill | kidney_b1 | 4",
    ]);
  },
});

Deno.test({
  name: "monitor tail ends when asked to amid a burst of errors, and raises each once over the restart",
  ignore: Deno.build.os === "windows", // no SIGTERM there
  async fn() {
    await using site = await openSite();
    await append(site.log, "");
    const first = site.start();
    await first.item(({ outcome }) => outcome === "dropped");
    const burst = Array.from({ length: 5000 }, (_, n) => error(`Stage lost ${n}.`));
    await append(site.log, burst.join(""));
    await first.item(done);
    assert.equal(await first.end("SIGTERM"), 0);
    const second = site.start();
    await second.item(({ name }) => name.endsWith(`-${burst.join("").length}`));
    assert.equal(await second.end("SIGTERM"), 0);
    // Of over 200 that wait, one event stands for all: it says of how many ids.
    const stands = (await site.raised()).map((words) => Number(/^(\d+) events of this kind/.exec(words)?.[1] ?? 1));
    assert.equal(stands.reduce((sum, each) => sum + each, 0), burst.length);
  },
});

Deno.test({
  name: "of two monitors on one log the second ends with 2 at once, and the first goes on",
  ignore: Deno.build.os === "windows", // no SIGTERM there
  async fn() {
    await using site = await openSite();
    await append(site.log, "");
    const first = site.start();
    await first.item(({ outcome }) => outcome === "dropped");
    const { code, stderr } = await site.start().ended();
    assert.equal(code, 2, stderr);
    assert.match(stderr, /Cannot follow ".*Fusion\.log": another run follows it already/);
    await append(site.log, error("Pump stalled"));
    await first.item(done);
    assert.equal(await first.end("SIGTERM"), 0);
    assert.deepEqual(await site.raised(), ["ERROR Pump stalled"]);
  },
});
