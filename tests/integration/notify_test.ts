import assert from "node:assert/strict";
import { dirname, fromFileUrl, join } from "@std/path";
import { drainOutbox } from "../../cli/drain.ts";
import { locate } from "../../cli/locations.ts";
import { openLog } from "../../cli/log.ts";
import type { Trouble } from "../../cli/notices.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
import { fakeTerminal } from "../cli/_terminal.ts";
import { lab } from "../commands/_lab.ts";
import type { Lab } from "../commands/_lab.ts";
import { MAIL_PASSWORD, MAIL_USER, mailTest } from "../kit/servers/mail.ts";
import { startSmtp } from "../kit/servers/smtp.ts";

interface Setup {
  port: number;
  enabled?: boolean;
  security?: string;
  caFile?: string;
  credentials?: string;
}

const CREDENTIALS = `LABFERRY_SMTP_USER=${MAIL_USER}\nLABFERRY_SMTP_APP_PASSWORD=${MAIL_PASSWORD}\n`;
const USERS = { [MAIL_USER]: MAIL_PASSWORD };

/** A laboratory without a study and without marks: `backup run` ends with 2. */
async function site(
  { port, enabled = true, security = "none", caFile, credentials = CREDENTIALS }: Setup,
): Promise<Lab> {
  const place = await lab();
  const config = `\n[s3]\nbucket = "archive"\nprefix = "fusion"\n[notify]\nenabled = ${enabled}\n` +
    `[notify.smtp]\nhost = "127.0.0.1"\nport = ${port}\nsecurity = "${security}"\n`;
  await Deno.writeTextFile(join(place.path, "config.toml"), config, { append: true });
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "backup_failure.txt"), "ops@lab.example\nhead@lab.example\n");
  if (credentials !== "") await Deno.writeTextFile(join(place.path, "smtp.env"), credentials);
  if (caFile !== undefined) {
    const preset = await Deno.readTextFile(fromFileUrl(new URL("../../pipelines/notify.toml", import.meta.url)));
    const own = preset.replace(`{ via = "email" }`, `{ via = "email", options = { ca_file = "ca.pem" } }`);
    await Deno.copyFile(caFile, join(place.path, "ca.pem"));
    await place.pipeline("notify", own);
  }
  return place;
}

async function pending(place: Lab): Promise<string[]> {
  await using journal = await openJournal(join(place.state, "journal.db"));
  return (await journal.outbox.pending()).map(({ event }) => event);
}

/** A deadline that no machine is too busy for. */
const LONG_MS = 300_000;

/** The end of a command, with a deadline of the test's; returns what it says. */
async function drain(
  place: Lab,
  { trouble = [], deadlineMs }: { trouble?: readonly Trouble[]; deadlineMs: number },
): Promise<string> {
  const env = { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: place.state };
  const { terminal } = fakeTerminal({ env, cwd: place.path, now: Date.now() });
  const locations = locate({ env, system: terminal.system, cwd: terminal.cwd });
  let stderr = "";
  using logs = openLog({
    format: "text",
    verbose: false,
    quiet: false,
    err: (text) => void (stderr += text),
    isTerminal: false,
    env,
    now: terminal.now,
  });
  await drainOutbox({ terminal, locations, log: logs.logger, logs }, { trouble, deadlineMs });
  return stderr;
}

await mailTest(
  "backup run tells its recipients of its failure, with the exit code it has without",
  async (server, security) => {
    await using place = await site({ port: server.port, security, caFile: server.caFile });
    const { code, stderr } = await place.cli(["backup", "run"]);
    assert.equal(code, 2, stderr);
    const mails = await server.mails();
    assert.deepEqual(mails.map(({ to }) => to[0]).sort(), ["head@lab.example", "ops@lab.example"]);
    const [{ subject, text, html }] = mails;
    assert.match(subject, /^\[labferry\] backup_failure on testhost: Cannot use /);
    for (const part of [/^Exit code: 2$/m, /^Host: testhost$/m, /^Run: [0-9A-Z]{26}$/m, /labferry install places/]) {
      assert.match(text, part);
    }
    assert.match(html, /<th[^>]*>Exit code<\/th>/);
    assert.deepEqual(await pending(place), []);
    assert.match(stderr, /people were told of 1 event/);
  },
  ["none", "starttls"],
);

Deno.test("nothing is queued, connected to or changed where notify is off or has no credentials", async () => {
  await using server = await startSmtp({ users: USERS });
  for (const off of [{ enabled: false }, { credentials: "" }]) {
    await using place = await site({ port: server.port, ...off });
    assert.equal((await place.cli(["backup", "run"])).code, 2);
    assert.deepEqual(await pending(place), []);
  }
  assert.equal(server.connections, 0);
});

Deno.test("S19 a mail server that is down changes no exit code; the next command delivers", async () => {
  // Nobody listens there; a port that was free a moment ago may be another test's by now.
  const port = 1;
  await using place = await site({ port });
  await Deno.writeTextFile(join(place.path, "recipients", "toolkit_error.txt"), "dev@lab.example\n");
  const { code, stderr } = await place.cli(["backup", "run"]);
  assert.equal(code, 2);
  assert.match(stderr, /Cannot reach mail server 127\.0\.0\.1/);
  const waiting = await pending(place);
  assert.deepEqual(waiting, ["backup_failure", "toolkit_error"]);
  await using server = await startSmtp({ users: USERS });
  const config = join(place.path, "config.toml");
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, text.replace(`port = ${port}`, `port = ${server.port}`));
  assert.equal((await place.cli(["list", "stages"])).code, 0);
  assert.deepEqual(await pending(place), []);
  const to = server.mails.map((mail) => mail.to[0]);
  // Whoever was tried in vain comes last.
  assert.deepEqual(to.slice(0, 2), ["head@lab.example", "ops@lab.example"]);
  assert.ok(to.slice(2).every((address) => address === "dev@lab.example"));
  const raised = server.mails.filter((mail) => mail.raw.includes("toolkit_error"));
  assert.ok(raised.every((mail) => !/mail server/.test(mail.raw)), "nobody is told of notify's own troubles");
});

Deno.test("a recipient refused, for good or for now, stops nobody else; the next run tries only that one", async () => {
  for (const answer of ["550 5.1.1 no such user", "451 4.7.1 greylisted"]) {
    let refuses = true;
    await using server = await startSmtp({
      users: USERS,
      onCommand: (line) => refuses && line.startsWith("RCPT TO:<ops@") ? answer : undefined,
    });
    await using place = await site({ port: server.port });
    assert.equal((await place.cli(["backup", "run"])).code, 2);
    assert.deepEqual(server.mails.map(({ to }) => to[0]), ["head@lab.example"]);
    assert.deepEqual(await pending(place), ["backup_failure"]);
    refuses = false;
    assert.equal((await place.cli(["run", "notify"])).code, 0);
    assert.deepEqual(server.mails.map(({ to }) => to[0]), ["head@lab.example", "ops@lab.example"]);
    assert.deepEqual(await pending(place), []);
  }
});

Deno.test("one address the server refuses neither repeats messages to the others nor jams the outbox", async () => {
  await using server = await startSmtp({
    users: USERS,
    onCommand: (line) => line.startsWith("RCPT TO:<gone@") ? "550 5.1.1 no such user" : undefined,
  });
  await using place = await site({ port: server.port });
  await Deno.remove(join(place.path, "recipients", "backup_failure.txt"));
  await Deno.writeTextFile(join(place.path, "recipients", "toolkit_error.txt"), "gone@lab.example\ndev@lab.example\n");
  await Deno.remove(place.truenas);
  const now = Date.now();
  const env = { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: place.state };
  const first = await place.cli(["install", "places", "backup"], { env, now });
  assert.match(first.stderr, /Cannot send e-mail to gone@lab\.example/);
  const told = server.mails.length;
  const waiting = (await pending(place)).length;
  assert.ok(told > 0);
  for (let round = 1; round < 5; round++) {
    await place.cli(["install", "places", "backup"], { env, now: now + round * 1000 });
  }
  assert.deepEqual([server.mails.length, (await pending(place)).length], [told, waiting]);
  assert.ok(server.mails.every(({ to }) => to[0] === "dev@lab.example"));
});

Deno.test("very many waiting events cost a command one look at a server that is away; one message tells of them", async () => {
  let isAway = true;
  await using server = await startSmtp({
    users: USERS,
    onCommand: (line) => isAway && line === "CONNECT" ? "421 come back later" : undefined,
  });
  await using place = await site({ port: server.port });
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  const at = new Date().toISOString();
  const text = "z".repeat(8000);
  await Deno.mkdir(place.state);
  {
    await using journal = await openJournal(join(place.state, "journal.db"));
    const events = Array.from(
      { length: 2000 },
      (_, nth) => nth < 1900 ? `fusion_error ${nth}` : `cleanup_failure ${nth}`,
    );
    await journal.outbox.enqueueMany(
      events.map((id) => ({ id, event: id.split(" ")[0], at, data: { message: `Pump ${id}`, text } })),
    );
  }
  const stderr = await drain(place, { deadlineMs: LONG_MS });
  assert.match(stderr, /Left queued for the next command: 101 events/);
  assert.equal(server.connections, 1);
  isAway = false;
  await drain(place, { deadlineMs: LONG_MS });
  assert.equal(server.mails.length, 101);
  const one = server.mails.find(({ raw }) => /fusion_error/.test(raw));
  assert.match(one?.raw ?? "", /1900 events of this kind/);
  assert.deepEqual(await pending(place), []);
});

Deno.test("a server that hangs holds the end of a command for the deadline and no longer", async () => {
  await using server = await startSmtp({ onCommand: (line) => line.startsWith("MAIL") ? "hang" : undefined });
  await using place = await site({ port: server.port });
  const trouble = [{ id: "1", at: Date.now(), level: "warn" as const, message: "disk slow", count: 3 }];
  await Deno.writeTextFile(join(place.path, "recipients", "toolkit_error.txt"), "dev@lab.example\n");
  const stderr = await drain(place, { trouble, deadlineMs: 150 });
  assert.deepEqual(server.mails, []);
  assert.deepEqual(await pending(place), ["toolkit_error"]);
  assert.match(stderr, /Left queued for the next command: 1 event/);
});

Deno.test("S22 an event whose delivery was taken by the server but not marked is sent again by the next run", async () => {
  let child: Deno.ChildProcess | undefined;
  await using server = await startSmtp({
    users: USERS,
    onCommand(line) {
      if (line === "BODY") child?.kill("SIGKILL");
      return undefined;
    },
  });
  await using place = await site({ port: server.port });
  await Deno.writeTextFile(join(place.path, "recipients", "backup_failure.txt"), "ops@lab.example\n");
  const cli = fromFileUrl(new URL("../../cli.ts", import.meta.url));
  const start = () =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--cached-only",
        cli,
        "backup",
        "run",
        "--config",
        join(place.path, "config.toml"),
      ],
      cwd: dirname(cli),
      env: { LABFERRY_STATE_DIR: place.state, NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  child = start();
  const killed = await child.output();
  assert.equal(killed.signal, "SIGKILL");
  assert.equal(server.mails.length, 1);
  child = undefined;
  const again = await start().output();
  assert.equal(again.code, 2);
  const ids = server.mails.map(({ raw }) => /^Message-ID: (.*)$/mi.exec(raw)?.[1]);
  assert.equal(ids.length, 3, "the first event twice, and that of the second run");
  assert.equal(ids[0], ids[1]);
  assert.deepEqual(await pending(place), []);
});

Deno.test("toolkit_error is told once per message and cooldown", async () => {
  await using server = await startSmtp({ users: USERS });
  await using place = await site({ port: server.port });
  await Deno.remove(join(place.path, "recipients", "backup_failure.txt"));
  await Deno.writeTextFile(join(place.path, "recipients", "toolkit_error.txt"), "dev@lab.example\n");
  const now = Date.now();
  const at = async (ms: number) => {
    const before = server.mails.length;
    await place.cli(["install", "places", "backup"], {
      env: { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: place.state },
      now: now + ms,
    });
    return server.mails.length - before;
  };
  await Deno.remove(place.truenas);
  assert.equal(await at(0) > 0, true);
  assert.equal(await at(0), 0);
});

Deno.test("a list saved as UTF-16 is read; one with only wrong lines keeps its event queued", async () => {
  await using server = await startSmtp({ users: USERS });
  await using place = await site({ port: server.port });
  const list = join(place.path, "recipients", "backup_failure.txt");
  await Deno.writeTextFile(list, "ops at lab\n");
  assert.equal((await place.cli(["backup", "run"])).code, 2);
  assert.deepEqual(await pending(place), ["backup_failure"]);
  const utf16 = [..."ops@lab.example\r\n"].flatMap((letter) => [letter.charCodeAt(0), 0]);
  await Deno.writeFile(list, Uint8Array.from([0xff, 0xfe, ...utf16]));
  assert.match((await place.cli(["notify", "list-subscribers"])).stdout, /ops@lab\.example/);
  assert.equal((await place.cli(["list", "stages"])).code, 0);
  assert.deepEqual(server.mails.map(({ to }) => to[0]), ["ops@lab.example"]);
  assert.deepEqual(await pending(place), []);
});

Deno.test("enabled without credentials is said once by each command, of itself told to nobody, and by lint", async () => {
  await using place = await site({ port: 1, credentials: "LABFERRY_SMTP_USER=ferry@lab.example\n" });
  for (const argv of [["list", "stages"], ["backup", "run"]]) {
    const { stderr } = await place.cli(argv);
    assert.equal(stderr.match(/Nobody is told of anything.*LABFERRY_SMTP_APP_PASSWORD/g)?.length, 1, stderr);
  }
  const { stdout, code } = await place.cli(["lint", "notify", "--json"]);
  const [{ diagnostics }] = JSON.parse(stdout) as { diagnostics: { code: string; severity: string }[] }[];
  assert.deepEqual([code, diagnostics.map(({ code, severity }) => [code, severity])], [0, [
    ["env/no-credentials", "warning"],
  ]]);
  assert.equal((await place.cli(["lint", "notify", "--offline"])).stdout, "notify: ok\n");
});

Deno.test("lint finds that the folder of the lists of recipients is not there", async () => {
  await using place = await site({ port: 25 });
  await Deno.rename(join(place.path, "recipients"), join(place.path, "recipient"));
  const { stdout, stderr, code } = await place.cli(["lint", "notify"]);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /env\/no-lists: Cannot find who hears of what: ".*recipients": nothing is there/);
});

Deno.test("lint warns of a password that goes over the network in clear", async () => {
  await using place = await site({ port: 25 });
  assert.equal((await place.cli(["lint", "notify"])).stdout, "notify: ok\n");
  const config = join(place.path, "config.toml");
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, text.replace("127.0.0.1", "smtp.lab.example"));
  const { stdout, code } = await place.cli(["lint", "notify"]);
  assert.equal(code, 0);
  assert.match(stdout, /The password of the login goes to smtp\.lab\.example in clear/);
  await Deno.writeTextFile(config, text.replace('"none"', '"starttls"').replace("127.0.0.1", "smtp.lab.example"));
  assert.equal((await place.cli(["lint", "notify"])).stdout, "notify: ok\n");
});
