import assert from "node:assert/strict";
import { join } from "@std/path";
import { openOwnJournal } from "../../cli/services.ts";
import { lab } from "../commands/_lab.ts";
import { startSmtp } from "../kit/servers/smtp.ts";

const LOGIN = "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n";

async function tells(place: { path: string }, { to, port }: { to: string; port: number }): Promise<void> {
  await Deno.writeTextFile(
    join(place.path, "config.toml"),
    `\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${port}\nsecurity = "none"\n`,
    { append: true },
  );
  await Deno.writeTextFile(join(place.path, "smtp.env"), LOGIN);
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), `${to}\n`);
}

Deno.test("what a config queued that was moved since is told by any command, also when nothing else waits", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await lab();
  await tells(place, { to: "a@lab.example", port: server.port });
  {
    const configFile = join(place.path, "before", "config.toml");
    await using journal = await openOwnJournal({ journalFile: join(place.state, "journal.db"), configFile });
    for (const days of [1, 31]) {
      const at = new Date(Date.now() - days * 86_400_000).toISOString();
      await journal.outbox.enqueue({ id: `d${days}`, event: "backup_failure", at, data: { message: `${days} days` } });
    }
  }
  assert.equal((await place.cli(["list"])).code, 0);
  assert.equal(server.mails.length, 1);
  assert.match(server.mails[0].raw, /31 days/);
});

Deno.test("configs that share a state folder tell their own recipients of their own events, each in its own time", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using a = await lab();
  await using b = await lab();
  await tells(a, { to: "a@lab.example", port: 1 });
  await tells(b, { to: "b@lab.example", port: server.port });
  const env = { LABFERRY_CONFIG: join(b.path, "config.toml"), LABFERRY_STATE_DIR: a.state };
  // A pipeline that does not pass lint is a warning, told by both in the same words; the first finds no server.
  assert.equal((await a.cli(["install", "places"])).code, 0);
  assert.equal((await b.cli(["install", "places"], { env })).code, 0);
  // What is not marked any more lets both runs fail.
  for (const place of [a, b]) await Deno.remove(join(place.truenas, ".labferry-place"));
  assert.equal((await a.cli(["run", "local"])).code, 2);
  assert.equal((await b.cli(["run", "local"], { env })).code, 2);
  const told = () => server.mails.map(({ to, raw }) => [to[0], /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]]);
  assert.ok(told().length > 0);
  assert.deepEqual([...new Set(told().map(([to]) => to))], ["b@lab.example"]);
  server.mails.length = 0;
  const config = await Deno.readTextFile(join(a.path, "config.toml"));
  await Deno.writeTextFile(join(a.path, "config.toml"), config.replace("port = 1\n", `port = ${server.port}\n`));
  assert.equal((await a.cli(["list"])).code, 0);
  // What one was told of a moment ago silences nothing of the other's.
  assert.deepEqual(told().map(([to]) => to).filter((to) => to !== "a@lab.example"), []);
  assert.ok(told().some(([, event]) => event === "local_failure"));
  assert.ok(told().some(([, event]) => event === "toolkit_error"), JSON.stringify(told()));
});

Deno.test("what a server refuses of one config delays nothing of another, though both queued the same error", async () => {
  let refused = 0;
  const users = { "ferry@lab.example": "hunter22" };
  await using strict = await startSmtp({
    users,
    onCommand: (line) => line.startsWith("RCPT TO:<ops@") && ++refused ? "550 5.1.1 no such user" : undefined,
  });
  await using server = await startSmtp({ users });
  await using a = await lab();
  await using b = await lab();
  await tells(a, { to: "ops@lab.example", port: strict.port });
  await tells(b, { to: "ops@lab.example", port: server.port });
  for (const { path } of [a, b]) {
    const at = { journalFile: join(a.state, "journal.db"), configFile: join(path, "config.toml") };
    await using journal = await openOwnJournal(at);
    const event = { id: "fusion_error:same", event: "fusion_error", at: new Date().toISOString(), data: null };
    await journal.outbox.enqueue(event);
  }
  for (let commands = 0; commands < 2; commands++) assert.equal((await a.cli(["list"])).code, 0);
  const env = { LABFERRY_CONFIG: join(b.path, "config.toml"), LABFERRY_STATE_DIR: a.state };
  assert.equal((await b.cli(["list"], { env })).code, 0);
  assert.equal(refused, 2);
  assert.equal(server.mails.length, 1);
});
