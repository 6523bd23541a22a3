import assert from "node:assert/strict";
import { join } from "@std/path";
import { startSmtp } from "../kit/servers/smtp.ts";
import type { SmtpServer } from "../kit/servers/smtp.ts";
import { lab } from "./_lab.ts";
import type { Lab } from "./_lab.ts";

async function setUp(server?: SmtpServer): Promise<Lab> {
  const place = await lab();
  const smtp = `\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${
    server?.port ?? 1
  }\nsecurity = "none"\n`;
  await Deno.writeTextFile(join(place.path, "config.toml"), smtp, { append: true });
  await Deno.mkdir(join(place.path, "recipients"));
  const credentials = "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n";
  await Deno.writeTextFile(join(place.path, "smtp.env"), credentials);
  return place;
}

const write = (place: Lab, name: string, text: string) =>
  Deno.writeTextFile(join(place.path, "recipients", name), text);

Deno.test("notify list-subscribers shows each event, the list it takes, and who is in it", async () => {
  await using place = await setUp();
  await write(place, "backup_failure.txt", "ops@lab\nnonsense\n");
  await write(place, "default.txt", "# all\nall@lab\n");
  await write(place, "my_event.txt", "");
  const { code, stdout, stderr } = await place.cli(["notify", "list-subscribers"]);
  assert.equal(code, 0);
  const rows = stdout.trimEnd().split("\n").map((row) => row.split(/ {2,}/));
  assert.deepEqual(rows.map(([event, , to]) => [event, to]), [
    ["EVENT", "RECIPIENTS"],
    ["backup_failure", "ops@lab"],
    ["cleanup_failure", "all@lab"],
    ["fusion_error", "all@lab"],
    ["local_failure", "all@lab"],
    ["monitor_crash", "all@lab"],
    ["my_event", "all@lab"],
    ["toolkit_error", "all@lab"],
  ]);
  assert.match(stderr, /backup_failure\.txt, line 2: "nonsense" is no address/);
  const one = await place.cli(["notify", "list-subscribers", "--event", "fusion_error", "--json"]);
  assert.deepEqual(JSON.parse(one.stdout), [
    { event: "fusion_error", to: ["all@lab"], file: join(place.path, "recipients", "default.txt"), problems: [] },
  ]);
  const unknown = await place.cli(["notify", "list-subscribers", "--event", "backup_failur"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /did you mean "backup_failure"/);
});

Deno.test("notify test --dry-run shows whom and what, reaches no server and writes nothing", async () => {
  await using server = await startSmtp();
  await using place = await setUp(server);
  await write(place, "default.txt", "all@lab\n");
  const { code, stdout } = await place.cli(["notify", "test", "--event", "fusion_error", "--dry-run"]);
  assert.equal(code, 0);
  assert.match(stdout, /^to +all@lab\nsubject +\[labferry\] TEST fusion_error on testhost\n/);
  assert.match(stdout, /This is a TEST of the event fusion_error/);
  assert.equal(server.connections, 0);
  assert.equal(await Deno.lstat(place.state).then(() => true, () => false), false);
});

Deno.test("notify test sends a TEST to every recipient, again and again, and ends with what became of it", async () => {
  let refuses = false;
  await using server = await startSmtp({
    users: { "ferry@lab.example": "hunter22" },
    onCommand: (line) => refuses && line.startsWith("RCPT") ? "550 no such user" : undefined,
  });
  await using place = await setUp(server);
  const argv = ["notify", "test", "--event", "toolkit_error"];
  const nobody = await place.cli(argv);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /^to +nobody\n/);
  assert.match(nobody.stdout, /nobody is subscribed/);
  await write(place, "toolkit_error.txt", "a@lab\nb@lab\n");
  for (let round = 0; round < 2; round++) assert.equal((await place.cli(argv)).code, 0);
  assert.deepEqual(server.mails.map(({ to }) => to[0]), ["a@lab", "b@lab", "a@lab", "b@lab"]);
  assert.match(server.mails[0].raw, /^Subject: \[labferry\] TEST toolkit_error on testhost$/m);
  refuses = true;
  const refused = await place.cli(argv);
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /\[notify\/refused\]/);
});

Deno.test("notify test says which credentials are missing, where they go, and takes those of --smtp-env", async () => {
  await using server = await startSmtp({ users: { "other@lab.example": "pass-1" } });
  await using place = await setUp(server);
  await write(place, "default.txt", "all@lab\n");
  await Deno.remove(join(place.path, "smtp.env"));
  const argv = ["notify", "test", "--event", "fusion_error"];
  const none = await place.cli(argv);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /SMTP_USER, SMTP_APP_PASSWORD not set/);
  assert.match(none.stderr, /LABFERRY_SMTP_USER in the environment or in /);
  await Deno.writeTextFile(
    join(place.path, "my.env"),
    "FUSION_SMTP_USER=other@lab.example\nFUSION_SMTP_APP_PASSWORD=pass-1\n",
  );
  assert.equal((await place.cli([...argv, "--smtp-env", "my.env"])).code, 0);
  assert.equal(server.mails.length, 1);
  const usage = await place.cli(["notify", "test"]);
  assert.equal(usage.code, 2);
  assert.match(usage.stderr, /--event is missing/);
});

Deno.test("notify test does not look at the journal", async () => {
  await using place = await lab();
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.mkdir(place.state);
  await Deno.writeTextFile(join(place.state, "journal.db"), "no database");
  const { code, stdout, stderr } = await place.cli(["notify", "test", "--event", "backup_failure", "--dry-run"]);
  assert.match(stdout, /nobody is subscribed|to +nobody/, stderr);
  assert.equal(code, 1);
});

Deno.test("S18 a folder of lists that is missing, or a file in its place, is refused, and no event is lost to it", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await setUp(server);
  const folder = join(place.path, "recipients");
  await write(place, "default.txt", "all@lab\n");
  await Deno.rename(folder, `${folder}.away`);
  for (const stands of ["nothing", "a file"]) {
    if (stands === "a file") await Deno.writeTextFile(folder, "");
    const list = await place.cli(["notify", "list-subscribers"]);
    assert.equal(list.code, 2);
    assert.match(list.stderr, /Cannot find who hears of what: ".*recipients"/);
    assert.equal((await place.cli(["run", "absent"])).code, 2);
  }
  await Deno.remove(folder);
  await Deno.rename(`${folder}.away`, folder);
  assert.equal((await place.cli(["run", "notify"])).code, 0);
  const events = server.mails.map(({ raw }) => /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]);
  assert.equal(events.filter((event) => event === "absent_failure").length, 2);
});
