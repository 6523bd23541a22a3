import assert from "node:assert/strict";
import { join } from "@std/path";
import type { CommandSpec } from "../../cli/command.ts";
import { main } from "../../cli/main.ts";
import { loadProject } from "../../cli/project.ts";
import { runCommand } from "../../cli/run_pipeline.ts";
import type { AnySource, Plugin } from "../../core/contract.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
import { createRegistry } from "../../core/registry.ts";
import type { ItemReport } from "../../core/run/report.ts";
import { plugins } from "../../plugins/mod.ts";
import { stages } from "../../stages/mod.ts";
import { lab } from "../commands/_lab.ts";
import type { Lab } from "../commands/_lab.ts";
import { event, queueSource } from "../../testing/event_plugins.ts";
import { startSmtp } from "../kit/servers/smtp.ts";
import { fakeTerminal } from "./_terminal.ts";

const MONITOR =
  `name = "monitor"\n[source]\nuse = "queue"\n[[stage]]\nuse = "raise-event"\nwith = { event = "fusion_error" }\n`;

/** The command `monitor tail` over a source of the test's own. */
function monitor(source: AnySource): CommandSpec {
  const registry = createRegistry([...stages, ...plugins, source] as Plugin[]);
  return {
    name: "monitor",
    summary: "Follow.",
    log: "file",
    flags: [{ name: "json", summary: "JSON." }, { name: "dry-run", summary: "Dry." }],
    load: () =>
      Promise.resolve({
        run: (args, context) =>
          runCommand("monitor", args, context, {
            load: async (context) => ({ ...await loadProject(context), registry }),
          }),
      }),
  };
}

async function site(port: number): Promise<Lab> {
  const place = await lab();
  const notify = `\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${port}\nsecurity = "none"\n`;
  await Deno.writeTextFile(join(place.path, "config.toml"), notify, { append: true });
  await Deno.writeTextFile(
    join(place.path, "smtp.env"),
    "LABFERRY_SMTP_USER=user-1\nLABFERRY_SMTP_APP_PASSWORD=pass-1\n",
  );
  await Deno.mkdir(join(place.path, "recipients"));
  for (const name of ["fusion_error", "monitor_crash"]) {
    await Deno.writeTextFile(join(place.path, "recipients", `${name}.txt`), "oncall@lab.example\n");
  }
  await place.pipeline("monitor", MONITOR);
  return place;
}

function terminalOf(place: Lab) {
  const env = { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: place.state };
  return fakeTerminal({ env, cwd: place.path, now: Date.now() });
}

Deno.test("an endless pipeline prints one item a line, tells people while it runs, and ends with 0 when asked to stop", async () => {
  const queue = queueSource();
  await using server = await startSmtp({
    onCommand(line) {
      // Both mails are on their way while the pipeline still runs.
      if (line === "BODY" && server.mails.length === 1) fake.interrupt();
      // What the timer does after a few seconds, should the second have come too late for the first delivery.
      else if (line === "BODY") queueMicrotask(() => fake.tick());
      return undefined;
    },
  });
  await using place = await site(server.port);
  const fake = terminalOf(place);
  queue.push(event("line 7", { message: "ERROR a" }, "log:7"));
  queue.push(event("line 9", { message: "ERROR b" }, "log:9"));
  const code = await main(["monitor", "--json"], fake.terminal, { commands: [monitor(queue.plugin)] });
  assert.equal(code, 0, fake.stderr());
  const lines = fake.stdout().trimEnd().split("\n").map((line) => JSON.parse(line) as ItemReport);
  assert.deepEqual(lines.map(({ name, outcome }) => [name, outcome]), [["line 7", "done"], ["line 9", "done"]]);
  assert.deepEqual(server.mails.map(({ to }) => to[0]), ["oncall@lab.example", "oncall@lab.example"]);
  assert.match(server.mails[0].raw, /^Subject: \[labferry\] fusion_error on testhost: ERROR a$/m);
});

Deno.test("an endless pipeline tries again every minute what could not be delivered", async () => {
  const queue = queueSource();
  let isAway = true;
  await using server = await startSmtp({
    onCommand(line) {
      if (line === "CONNECT" && isAway) {
        isAway = false;
        // What the timer does once a minute.
        queueMicrotask(() => fake.tick());
        return "421 come back later";
      }
      if (line === "BODY") fake.interrupt();
      return undefined;
    },
  });
  await using place = await site(server.port);
  const fake = terminalOf(place);
  queue.push(event("line 7", { message: "ERROR a" }, "log:7"));
  assert.equal(await main(["monitor"], fake.terminal, { commands: [monitor(queue.plugin)] }), 0, fake.stderr());
  assert.equal(server.mails.length, 1);
  assert.match(fake.stdout(), /^done +line 7 \(.*: 1 step\)\n\n?monitor: 1 done in /);
});

Deno.test("an endless pipeline queues events from the minute on that credentials are there, and then tells what it had seen", async () => {
  const queue = queueSource();
  await using server = await startSmtp({
    onCommand(line) {
      if (line === "BODY") fake.interrupt();
      return undefined;
    },
  });
  await using place = await site(server.port);
  const smtpEnv = join(place.path, "smtp.env");
  const credentials = await Deno.readTextFile(smtpEnv);
  await Deno.remove(smtpEnv);
  const fake = terminalOf(place);
  let now = Date.now();
  const terminal = { ...fake.terminal, now: () => now };
  queue.push(event("line 7", { message: "ERROR a" }, "log:7"));
  let lines = 0;
  const out = async (text: string) => {
    fake.terminal.out(text);
    // What was raised behind the first delivery is delivered when its pause is over.
    if (++lines === 2) fake.tick();
    if (lines !== 1) return;
    await Deno.writeTextFile(smtpEnv, credentials);
    now += 60_000;
    queue.push(event("line 9", { message: "ERROR b" }, "log:9"));
  };
  assert.equal(await main(["monitor"], { ...terminal, out }, { commands: [monitor(queue.plugin)] }), 0, fake.stderr());
  assert.equal(server.mails.length, 1);
  assert.match(server.mails[0].raw, /ERROR b/);
});

Deno.test("a crash of the monitor is told as such, and exits with its code", async () => {
  const queue = queueSource();
  const broken = { ...queue.plugin, open: () => ({ items: () => assert.fail("the log is gone") }) };
  await using server = await startSmtp();
  await using place = await site(server.port);
  const fake = terminalOf(place);
  assert.equal(await main(["monitor"], fake.terminal, { commands: [monitor(broken as AnySource)] }), 1);
  assert.match(server.mails[0].raw, /^Subject: \[Fusion Monitor\] CRASH$/m);
  await using journal = await openJournal(join(place.state, "journal.db"));
  assert.deepEqual(await journal.outbox.pending(), []);
});

Deno.test("what an endless pipeline logs is queued within a second, and told once by the next delivery", async () => {
  const queue = queueSource();
  await using server = await startSmtp();
  await using place = await site(server.port);
  await Deno.writeTextFile(join(place.path, "recipients", "toolkit_error.txt"), "dev@lab.example\n");
  const fake = terminalOf(place);
  const { promise: begun, resolve: onTimer } = Promise.withResolvers<() => void>();
  const every: typeof fake.terminal.every = (ms, tick) => {
    if (ms === 1000) onTimer(tick);
    return { [Symbol.dispose]() {} };
  };
  const warning = {
    ...queue.plugin,
    open(...given: Parameters<typeof queue.plugin.open>) {
      given[1].log.warn("the share is slow");
      return queue.plugin.open(...given);
    },
  };
  const run = main(["monitor"], { ...fake.terminal, every }, { commands: [monitor(warning as AnySource)] });
  (await begun)();
  const pending = async () => {
    await using journal = await openJournal(join(place.state, "journal.db"));
    return (await journal.outbox.pending()).map(({ event, data }) => [event, (data as { message: string }).message]);
  };
  let found: string[][] = [];
  for (let looks = 0; found.length === 0 && looks < 1000; looks++) found = await pending();
  assert.deepEqual(found, [["toolkit_error", "the share is slow"]]);
  assert.equal(server.mails.length, 0);
  fake.interrupt();
  assert.equal(await run, 0, fake.stderr());
  assert.equal(server.mails.length, 1);
  assert.deepEqual(await pending(), []);
});

Deno.test("an event that is raised while the config is being saved is queued; while it stays off, none is", async () => {
  const queue = queueSource();
  await using server = await startSmtp();
  await using place = await site(server.port);
  const config = join(place.path, "config.toml");
  const good = await Deno.readTextFile(config);
  const off = good.replace("enabled = true", "enabled = false");
  assert.notEqual(off, good);
  const fake = terminalOf(place);
  let now = Date.now();
  queue.push(event("line 7", { message: "ERROR a" }, "log:7"));
  const rounds = ["b", "c"];
  const out = (text: string) => {
    fake.terminal.out(text);
    if (!text.startsWith("done")) return;
    const next = rounds.shift();
    Deno.writeTextFileSync(config, next === undefined ? good : off);
    if (next === undefined) return fake.interrupt();
    now += next === "b" ? 60_000 : 5_000;
    queue.push(event(`line ${next}`, { message: `ERROR ${next}` }, `log:${next}`));
  };
  const terminal = { ...fake.terminal, now: () => now, out };
  assert.equal(await main(["monitor"], terminal, { commands: [monitor(queue.plugin)] }), 0, fake.stderr());
  assert.equal((await place.cli(["list"])).code, 0);
  const told = server.mails.map(({ raw }) => /^Subject: .*(ERROR .)$/m.exec(raw)?.[1]);
  assert.deepEqual(told, ["ERROR a", "ERROR b"]);
});

Deno.test("a run that fails while the config is being saved is told of once it is there", async () => {
  const queue = queueSource();
  await using server = await startSmtp();
  await using place = await site(server.port);
  const config = join(place.path, "config.toml");
  const good = await Deno.readTextFile(config);
  const fake = terminalOf(place);
  let now = Date.now();
  const broken = {
    ...queue.plugin,
    open() {
      Deno.writeTextFileSync(config, "");
      now += 60_000;
      assert.fail("the log is gone");
    },
  };
  const terminal = { ...fake.terminal, now: () => now };
  assert.equal(await main(["monitor"], terminal, { commands: [monitor(broken as AnySource)] }), 1);
  assert.equal(server.mails.length, 0);
  await Deno.writeTextFile(config, good);
  assert.equal((await place.cli(["list"])).code, 0);
  assert.match(server.mails[0]?.raw ?? "", /^Subject: \[Fusion Monitor\] CRASH$/m);
});
