import assert from "node:assert/strict";
import { join } from "@std/path";
import { pipelineMeant } from "../../cli/failure_event.ts";
import { COMMANDS } from "../../cli/table.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
import { lab } from "../commands/_lab.ts";
import { startSmtp } from "../kit/servers/smtp.ts";

Deno.test("pipelineMeant() finds the pipeline in a command line, right or wrong", () => {
  const cases: [argv: string, pipeline: string | undefined][] = [
    ["run local --bogus", "local"],
    ["-v --config c.toml run local", "local"],
    ["run --only backup --smtp-env x.env local extra", "local"],
    ["run --force local", "local"],
    ["run ./mine.toml", "pipeline"],
    ["run", "pipeline"],
    ["backup", "backup"],
    ["backup rum", "backup"],
    ["cleanup run", "cleanup"],
    ["monitor tail --bogus", "monitor"],
    ["run local --dry-run --bogus", undefined],
    ["backup run --dry-run=yes", undefined],
    ["lint backup --bogus", undefined],
    ["bakcup run", undefined],
    ["", undefined],
  ];
  for (const [argv, pipeline] of cases) {
    assert.equal(pipelineMeant(argv.split(" ").filter((word) => word !== ""), COMMANDS), pipeline, argv);
  }
});

const LOGIN = "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n";

/** The events that wait after a command line was refused. */
async function eventsAfter(argv: readonly string[], config: string, { login = LOGIN } = {}): Promise<unknown[]> {
  await using place = await lab();
  await Deno.writeTextFile(join(place.path, "config.toml"), config, { append: true });
  if (login !== "") await Deno.writeTextFile(join(place.path, "smtp.env"), login);
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  const { code, stderr } = await place.cli(argv);
  assert.equal(code, 2, stderr);
  if (await Deno.lstat(join(place.state, "journal.db")).then(() => false, () => true)) return [];
  await using journal = await openJournal(join(place.state, "journal.db"));
  return (await journal.outbox.pending()).map(({ event, data }) => {
    const { code, exit_code } = data as { code: string; exit_code: number };
    return [event, code, exit_code];
  });
}

Deno.test("an event that the journal cannot take is delivered at once, whatever is wrong with the journal", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  const enabled = ENABLED.replace("port = 1", `port = ${server.port}`);
  const faults: Record<string, (state: string) => Promise<void>> = {
    "its lock is a folder": (state) => Deno.mkdir(join(state, "journal.db.lock")),
    "it is damaged": (state) => Deno.writeTextFile(join(state, "journal.db"), "no database at all ".repeat(500)),
  };
  for (const [fault, make] of Object.entries(faults)) {
    await using place = await lab();
    await Deno.writeTextFile(join(place.path, "config.toml"), enabled, { append: true });
    await Deno.writeTextFile(join(place.path, "smtp.env"), LOGIN);
    await Deno.mkdir(join(place.path, "recipients"));
    await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
    await Deno.mkdir(place.state);
    await make(place.state);
    server.mails.length = 0;
    const { code, stderr } = await place.cli(["run", "local"]);
    assert.equal(code, 1, `${fault}: ${stderr}`);
    assert.deepEqual(
      server.mails.map(({ raw }) => /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]),
      // And what it logged: what is wrong with the journal, and that the event is not queued there.
      ["local_failure", "toolkit_error", "toolkit_error"],
      fault,
    );
    assert.match(server.mails[0].raw, /Cannot use the journal/);
    assert.match(stderr, /people were told of 3 events, past the journal/);
  }
});

/** Nothing listens at this port: what is queued stays queued. */
const ENABLED = '\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n';

Deno.test("a misspelled command line of a pipeline queues its event where notify is enabled", async () => {
  assert.deepEqual(await eventsAfter(["run", "b", "--bogus"], ENABLED), [["b_failure", "cli/unknown-flag", 2]]);
  assert.deepEqual(await eventsAfter(["backup", "rum"], ENABLED), [["backup_failure", "cli/unknown-command", 2]]);
  assert.deepEqual(await eventsAfter(["monitor", "tial"], ENABLED), [["monitor_crash", "cli/unknown-command", 2]]);
});

Deno.test("a misspelled command line queues its event also when the config cannot be read", async () => {
  assert.deepEqual(await eventsAfter(["run", "b", "--bogus"], "not toml"), [["b_failure", "cli/unknown-flag", 2]]);
  const wrong = `${ENABLED}[cleanup]\nfree_treshold_pct = 3\n`;
  assert.deepEqual(await eventsAfter(["run", "b", "--bogus"], wrong), [["b_failure", "cli/unknown-flag", 2]]);
});

Deno.test("a misspelled command line queues nothing where notify is off, has no credentials, in a dry run, or for another command", async () => {
  assert.deepEqual(await eventsAfter(["run", "b", "--bogus"], ""), []);
  for (const config of [ENABLED, "not toml"]) {
    assert.deepEqual(await eventsAfter(["run", "b", "--bogus"], config, { login: "" }), []);
  }
  const absent = ["run", "b", "--bogus", "--smtp-env", "absent.env"];
  assert.deepEqual(await eventsAfter(absent, ENABLED, { login: "" }), []);
  assert.deepEqual(await eventsAfter(["run", "b", "--bogus", "--dry-run"], ENABLED), []);
  assert.deepEqual(await eventsAfter(["lint", "--bogus"], ENABLED), []);
});

Deno.test("a misspelled command line delivers its event at once, and so does a config that is wrong elsewhere", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  const enabled = ENABLED.replace("port = 1", `port = ${server.port}`);
  assert.deepEqual(await eventsAfter(["run", "b", "--bogus"], enabled), []);
  assert.deepEqual(await eventsAfter(["backup", "run"], `${enabled}[cleanup]\nfree_treshold_pct = 3\n`), []);
  assert.deepEqual(
    server.mails.map(({ to, raw }) => [to[0], /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]]),
    ["b_failure", "backup_failure", "toolkit_error"].map((event) => ["ops@lab.example", event]),
  );
  assert.match(server.mails[1].raw, /free_treshold_pct/);
});
