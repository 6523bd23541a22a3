/** Everything that is written, searched for the secrets of the environment and of smtp.env. */
import assert from "node:assert/strict";
import { join } from "@std/path";
import { reportCrash } from "../../cli/crash.ts";
import { fakeTerminal } from "../cli/_terminal.ts";
import { lab } from "../commands/_lab.ts";
import type { Lab } from "../commands/_lab.ts";
import { startSmtp } from "../kit/servers/smtp.ts";

const USER = "ferry@lab.example";
/** As Gmail shows it: in groups. */
const PASSWORD = "abcd efgh ijkl mnop";
const TOKEN = "xoxb-2718281828-slack";
const AWS = "wJalrXUtnFEMI+K7MDENG";
const SECRETS = [PASSWORD, PASSWORD.replaceAll(" ", ""), TOKEN, AWS];

interface Site extends AsyncDisposable {
  place: Lab;
  env: Record<string, string>;
}

async function site(port: number, { enabled = true } = {}): Promise<Site> {
  const place = await lab();
  const hook = [Deno.execPath(), "eval", `console.log("hook ${PASSWORD} ${AWS}"); console.error("${TOKEN}")`];
  const config = `\n[s3]\nbucket = "archive"\nprefix = "fusion"\n[hooks]\nbackup = ${JSON.stringify(hook)}\n` +
    `[notify]\nenabled = ${enabled}\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${port}\nsecurity = "none"\n`;
  await Deno.writeTextFile(join(place.path, "config.toml"), config, { append: true });
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  const login =
    `LABFERRY_SMTP_USER=${USER}\nLABFERRY_SMTP_APP_PASSWORD='${PASSWORD}'\nLABFERRY_SLACK_BOT_TOKEN=${TOKEN}\n`;
  await Deno.writeTextFile(join(place.path, "smtp.env"), login);
  const env = {
    LABFERRY_CONFIG: join(place.path, "config.toml"),
    LABFERRY_STATE_DIR: place.state,
    AWS_SECRET_ACCESS_KEY: AWS,
  };
  return { place, env, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** Every byte of the state folder, the journal with its log included. */
async function stored(place: Lab): Promise<string> {
  let all = "";
  for (const folder of [place.state, join(place.state, "logs")]) {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isFile) all += new TextDecoder("latin1").decode(await Deno.readFile(join(folder, entry.name)));
    }
  }
  return all;
}

function assertClean(written: string, where: string): void {
  for (const secret of SECRETS) {
    for (const form of [secret, btoa(secret), encodeURIComponent(secret)]) {
      assert.equal(written.includes(form), false, `${where}: ${form}`);
    }
  }
  assert.equal(written.includes(btoa(`\0${USER}\0${PASSWORD}`)), false, where);
}

Deno.test("secrets of the environment and of smtp.env appear in nothing that is written", async () => {
  // The server repeats what it was sent, plain and encoded, and takes no login.
  await using refusing = await startSmtp({ users: { [USER]: "another one" } });
  await using taking = await startSmtp({ users: { [USER]: PASSWORD } });
  for (const [server, enabled] of [[refusing, true], [taking, true], [taking, false]] as const) {
    await using at = await site(server.port, { enabled });
    const { place, env } = at;
    await Deno.mkdir(join(place.source, "20250131_ada_kidney_b1"));
    for (
      const argv of [
        ["backup", "run", "-v"],
        ["backup", "run", PASSWORD],
        ["backup", "run", `--bogus=${TOKEN}`],
        ["run", AWS],
        ["run", PASSWORD, "--log-format", "json"],
        ["backup", TOKEN],
        ["run", "notify", "--json", "-v"],
        ["--log-format", "json", "run", "notify"],
        ["echo", "backup"],
        ["echo", "notify"],
        ["plan", "backup"],
        ["plan", "notify", "--json"],
        ["show", "notify"],
        ["show", AWS],
        ["notify", "test", "--event", "backup_failure", "-v"],
        ["notify", "test", "--event", "backup_failure", "--json"],
        ["notify", "test", "--event", PASSWORD],
        ["notify", "list-subscribers"],
        ["lint", "notify", "--offline"],
        ["lint", AWS],
      ]
    ) {
      const { stdout, stderr } = await place.cli(argv, { env, cwd: place.path, now: Date.now() });
      assertClean(stdout + stderr, argv.join(" "));
    }
    const fake = fakeTerminal({ env, cwd: place.path, now: Date.now() });
    const crash = new Error(`535 refused AUTH PLAIN ${PASSWORD}, ${btoa(PASSWORD)}, ${AWS}`);
    const deadlines = { secretsMs: 120_000, eventMs: 120_000, deliverMs: 3_000 };
    await reportCrash(crash, { argv: ["monitor", "tail"], terminal: fake.terminal, deadlines });
    assert.match(fake.stderr(), /535 refused AUTH PLAIN \*\*\*/);
    assertClean(fake.stdout() + fake.stderr(), "crash");
    const all = await stored(place);
    assert.match(all, /SQLite format 3/);
    assert.match(all, /hook \*\*\* \*\*\*/, "the hook was heard");
    assertClean(all, "state");
  }
  assert.ok(taking.mails.length > 0);
  for (const { raw } of taking.mails) assertClean(raw, "mail");
});

Deno.test("the name of the login is no secret: it is often a recipient", async () => {
  await using server = await startSmtp({
    users: { [USER]: PASSWORD },
    onCommand: (line) => line.startsWith("RCPT") ? "550 5.1.1 no such user" : undefined,
  });
  await using at = await site(server.port);
  const { place, env } = at;
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), `${USER}\n`);
  const { stderr } = await place.cli(["backup", "run"], { env, cwd: place.path, now: Date.now() });
  assert.match(stderr, /Cannot send e-mail to ferry@lab\.example/);
});
