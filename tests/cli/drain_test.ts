import assert from "node:assert/strict";
import { join } from "@std/path";
import { PastJournal } from "../../cli/past_journal.ts";
import { drainOutbox, keepTrouble } from "../../cli/drain.ts";
import { locate } from "../../cli/locations.ts";
import type { Remembered, Trouble } from "../../cli/notices.ts";
import { Said } from "../../cli/said.ts";
import { createScrubber } from "../../cli/scrub.ts";
import { toOutboxEvent } from "../../core/events/events.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
import { lab } from "../commands/_lab.ts";
import { startSmtp } from "../kit/servers/smtp.ts";
import type { SmtpServer } from "../kit/servers/smtp.ts";
import { fakeTerminal } from "./_terminal.ts";

const CREDENTIALS = "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n";

const disk: Trouble = { id: "1", at: Date.UTC(2025, 5, 15), level: "error", message: "the disk is dying", count: 2 };

/** A laboratory whose people hear of everything, and what drains its outbox. */
async function site(
  { credentials = CREDENTIALS, state, refuses }: { credentials?: string; state?: string; refuses?: RegExp } = {},
) {
  const server = await startSmtp({
    users: { "ferry@lab.example": "hunter22" },
    onCommand: (line) => refuses?.test(line) ? "550 5.1.1 no such user" : undefined,
  });
  const place = await lab();
  const configFile = join(place.path, "config.toml");
  const good = await Deno.readTextFile(configFile) +
    `\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${server.port}\nsecurity = "none"\n`;
  await Deno.writeTextFile(configFile, good);
  const smtpEnv = join(place.path, "smtp.env");
  await Deno.writeTextFile(smtpEnv, credentials);
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  const env = { LABFERRY_CONFIG: configFile, LABFERRY_STATE_DIR: state ? join(place.path, state) : place.state };
  const { terminal } = fakeTerminal({ env, cwd: place.path, now: Date.now() });
  const said: string[] = [];
  const say = (words: string) => void said.push(words);
  const log = { debug() {}, info: say, warn: say, error: say };
  const make = () => {
    // Anew each time, as each command does: what was seen of the state folder is remembered for one.
    const locations = locate({ env, system: terminal.system, cwd: terminal.cwd });
    return { terminal, locations, log, logs: { scrubber: createScrubber({}) } };
  };
  return {
    place,
    server,
    terminal,
    configFile,
    smtpEnv,
    good,
    said,
    /** The ids of the lines that are given back. */
    async drain(trouble: readonly Trouble[] = [], remembered?: Remembered): Promise<string[]> {
      return (await drainOutbox(make(), { trouble, remembered })).map(({ id }) => id);
    },
    keep: (trouble: readonly Trouble[]) => keepTrouble(make(), { trouble }),
    told: () => toldBy(server),
    async damage() {
      await Deno.mkdir(place.state, { recursive: true });
      await Deno.writeTextFile(join(place.state, "journal.db"), "no database at all ".repeat(500));
    },
    async pending(): Promise<string[]> {
      if (await Deno.lstat(join(place.state, "journal.db")).then(() => false, () => true)) return [];
      await using journal = await openJournal(join(place.state, "journal.db"));
      return (await journal.outbox.pending()).map(({ data }) => {
        const { message, times } = data as { message: string; times: number };
        return `${message} ${times}`;
      });
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

const toldBy = ({ mails }: SmtpServer) => mails.map(({ raw }) => /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]).sort();

Deno.test("drainOutbox() queues what was logged while the config is damaged or away, and the next good run tells it", async () => {
  for (const damage of ["half written", "away", "a folder", "empty"]) {
    await using world = await site();
    const { configFile, good } = world;
    await Deno.remove(configFile);
    if (damage === "half written") await Deno.writeTextFile(configFile, good.slice(0, good.indexOf("smtp]")));
    if (damage === "a folder") await Deno.mkdir(configFile);
    if (damage === "empty") await Deno.writeTextFile(configFile, "\ufeff\r\n");
    assert.deepEqual(await world.drain([disk]), [], damage);
    assert.deepEqual(await world.pending(), ["the disk is dying 2"], damage);
    // What waits is not touched by a look that finds the config still damaged.
    assert.deepEqual(await world.drain(), [], damage);
    assert.deepEqual(world.told(), []);
    if (damage !== "away") await Deno.remove(configFile);
    await Deno.writeTextFile(configFile, good);
    assert.deepEqual(await world.drain(), [], damage);
    assert.deepEqual(world.told(), ["toolkit_error"], damage);
    assert.deepEqual(await world.pending(), []);
  }
});

Deno.test("drainOutbox() queues nothing without credentials, and says that what was logged is not told", async () => {
  for (const config of ["good", "away"]) {
    await using world = await site({ credentials: "" });
    if (config === "away") await Deno.remove(world.configFile);
    assert.deepEqual([await world.drain([disk]), await world.drain()], [["1"], []], config);
    assert.equal(await world.keep([disk]), false);
    assert.deepEqual(await world.pending(), []);
  }
});

Deno.test("drainOutbox() says again that credentials are missing, but not at every delivery of a monitor", async () => {
  await using world = await site({ credentials: "" });
  const remembered = { said: new Said() };
  const began = world.terminal.now();
  for (const seconds of [0, 60, 299, 300, 301]) {
    world.terminal.now = () => began + seconds * 1_000;
    await world.drain([], remembered);
  }
  assert.equal(world.said.filter((words) => words.startsWith("Nobody is told")).length, 2);
});

Deno.test("drainOutbox() queues nothing where notifications are off, and wants to hear of nothing again", async () => {
  await using world = await site();
  await Deno.writeTextFile(world.configFile, world.good.replace("enabled = true", "enabled = false"));
  assert.deepEqual(await world.drain([disk]), []);
  assert.equal(await world.keep([disk]), false);
  assert.deepEqual([await world.pending(), world.told()], [[], []]);
});

Deno.test("drainOutbox() queues what was logged where the notify pipeline is broken, until it is mended", async () => {
  await using world = await site();
  await world.place.pipeline("notify", "name = ");
  await assert.rejects(world.drain([disk]), /notify\.toml/);
  assert.deepEqual(await world.pending(), ["the disk is dying 2"]);
  await Deno.remove(join(world.place.path, "pipelines", "notify.toml"));
  // Given back, and so given again, it is one event.
  await world.drain([{ ...disk, count: 3 }]);
  assert.equal(world.server.mails.length, 1);
  assert.match(world.server.mails[0].raw, /the disk is dying/);
});

Deno.test("drainOutbox() delivers past a journal that takes nothing, also what was logged beside the event of the failure", async () => {
  const data = { message: "no NAS", exit_code: 1 };
  const failure = toOutboxEvent({ event: "backup_failure", at: disk.at, data });
  for (const unqueued of [[], [failure]]) {
    for (const fault of ["damaged", "not apart"]) {
      await using world = await site(fault === "not apart" ? { state: "instrument/state" } : {});
      if (fault === "damaged") await world.damage();
      world.terminal.failureEvent!.unqueued = [...unqueued];
      assert.deepEqual(await world.drain([disk]), [], `${fault}: ${world.said}`);
      assert.deepEqual(world.told(), [...unqueued.map(({ event }) => event), "toolkit_error"], fault);
      assert.deepEqual(world.terminal.failureEvent!.unqueued, []);
      if (fault === "not apart") assert.deepEqual([...Deno.readDirSync(world.place.source)], []);
    }
  }
});

Deno.test("drainOutbox() tells of one message once past the journal, however often a monitor comes by", async () => {
  await using world = await site({ state: "instrument/state" });
  await using past = new PastJournal();
  const remembered = { said: new Said(), past };
  for (const id of ["1", "2"]) assert.deepEqual(await world.drain([{ ...disk, id }], remembered), []);
  assert.equal(world.server.mails.length, 1);
  assert.deepEqual(await world.drain([{ ...disk, id: "3", message: "the pump, too" }], remembered), []);
  assert.equal(world.server.mails.length, 2);
});

Deno.test("drainOutbox() tells nobody twice past the journal because another address takes nothing", async () => {
  for (const fault of ["damaged", "not apart"]) {
    await using world = await site({
      ...fault === "not apart" ? { state: "instrument/state" } : {},
      refuses: /RCPT TO:<gone@/i,
    });
    await Deno.writeTextFile(
      join(world.place.path, "recipients", "toolkit_error.txt"),
      "ops@lab.example\ngone@lab.example\n",
    );
    if (fault === "damaged") await world.damage();
    await using past = new PastJournal();
    const remembered = { said: new Said(), past };
    const failure = toOutboxEvent({ event: "backup_failure", at: disk.at, data: { message: "no NAS", exit_code: 1 } });
    world.terminal.failureEvent!.unqueued = [failure];
    for (let i = 0; i < 4; i++) assert.deepEqual(await world.drain([disk], remembered), ["1"], fault);
    assert.deepEqual(world.told(), ["backup_failure", "toolkit_error"], fault);
    // It is refused again, and given up in the end, as in the journal.
    const [{ id }] = await past.pending();
    assert.equal(id, "toolkit_error:1");
  }
});

Deno.test("drainOutbox() queues what waits past the journal once that is mended", async () => {
  await using world = await site({ refuses: /RCPT TO:<ops@/i });
  await world.damage();
  await using past = new PastJournal();
  const remembered = { said: new Said(), past };
  assert.deepEqual(await world.drain([disk], remembered), ["1"]);
  await Deno.remove(join(world.place.state, "journal.db"));
  assert.deepEqual(await world.drain([], remembered), []);
  assert.deepEqual(await world.pending(), ["the disk is dying 2"]);
  assert.deepEqual(await past.pending(), []);
});

Deno.test("drainOutbox() silences a message past the journal for no longer than its cooldown", async () => {
  await using world = await site({ state: "instrument/state" });
  const config = world.good.replace("enabled = true", "enabled = true\ntoolkit_error_cooldown_seconds = 0");
  await Deno.writeTextFile(world.configFile, config);
  await using past = new PastJournal();
  const remembered = { said: new Said(), past };
  for (const id of ["1", "2"]) await world.drain([{ ...disk, id }], remembered);
  assert.equal(world.server.mails.length, 2);
});

Deno.test("drainOutbox() gives the event of a failure back when nobody could be told of it past the journal", async () => {
  await using world = await site({ state: "instrument/state", refuses: /RCPT TO/i });
  const data = { message: "no NAS", exit_code: 1 };
  const failure = toOutboxEvent({ event: "backup_failure", at: disk.at, data });
  world.terminal.failureEvent!.unqueued = [failure];
  assert.deepEqual(await world.drain([disk]), ["1"]);
  assert.deepEqual(world.terminal.failureEvent!.unqueued, [failure]);
});

Deno.test("drainOutbox() gives what was logged back when it can be neither queued nor delivered", async () => {
  await using world = await site({ state: "instrument/state" });
  await world.server[Symbol.asyncDispose]();
  assert.deepEqual(await world.drain([disk]), ["1"]);
  assert.match(world.said.join("\n"), /neither queued nor delivered/);
});

Deno.test("keepTrouble() queues and delivers nothing; the next delivery tells it once, as often as it came by then", async () => {
  await using world = await site();
  assert.equal(await world.keep([disk]), true);
  assert.deepEqual([await world.pending(), world.told()], [["the disk is dying 2"], []]);
  await world.drain([{ ...disk, count: 60 }]);
  assert.equal(world.server.mails.length, 1);
  assert.match(world.server.mails[0].raw, /60/);
  assert.equal(await world.keep([disk]), true);
  assert.deepEqual(await world.pending(), [], "what was told is not queued again");
});
