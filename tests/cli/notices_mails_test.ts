import assert from "node:assert/strict";
import { join } from "@std/path";
import { collectTrouble } from "../../cli/notices.ts";
import type { LogLine } from "../../cli/log.ts";
import { lab, makeStudy } from "../commands/_lab.ts";
import { startSmtp } from "../kit/servers/smtp.ts";
import type { SmtpServer } from "../kit/servers/smtp.ts";

function line(message: string, data: Record<string, unknown> = {}): LogLine {
  return { at: 0, level: "error", message, data };
}

Deno.test("collectTrouble() leaves out what was mistyped, and what the notify pipeline says", () => {
  let listener: (line: LogLine) => void = () => {};
  const trouble = collectTrouble({ onTrouble: (given) => void (listener = given) });
  for (const given of [line("typo", { code: "cli/no-path" }), line("own", { pipeline: "notify" })]) listener(given);
  for (const message of ["news", "news"]) listener(line(message));
  assert.deepEqual(trouble.take().map(({ message, count }) => [message, count]), [["news", 2]]);
  assert.deepEqual(trouble.take(), []);
});

Deno.test("collectTrouble() tells that there was more than it keeps, also of what it takes back", () => {
  let log: (line: LogLine) => void = () => {};
  const trouble = collectTrouble({ onTrouble: (given) => void (log = given) });
  let nth = 0;
  const burst = (count: number) => {
    for (let i = 0; i < count; i++) log(line(`message ${nth++}`));
  };
  burst(250);
  const taken = trouble.take();
  assert.equal(taken.length, 101);
  assert.deepEqual([taken[100].message.slice(0, 18), taken[100].count], ["More than 100 diff", 150]);
  burst(250);
  trouble.putBack(taken);
  const again = trouble.take();
  assert.equal(again.length, 101);
  assert.deepEqual(again[99].message, "message 99", "the earlier ones first");
  assert.equal(again[100].count, 150 + 250);
  const full = again.slice(0, 100);
  burst(1);
  const [since] = trouble.list();
  trouble.putBack(full);
  const more = trouble.take()[100];
  assert.notEqual(more.id, since.id, "what is queued under its id may be that line already");
});

async function site(server: SmtpServer) {
  const place = await lab();
  await Deno.writeTextFile(
    join(place.path, "config.toml"),
    `\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${server.port}\nsecurity = "none"\n`,
    { append: true },
  );
  await Deno.writeTextFile(
    join(place.path, "smtp.env"),
    "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n",
  );
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  return place;
}

const events = ({ mails }: SmtpServer) => mails.map(({ raw }) => /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]);

Deno.test("a failed run is one mail of its event, and each error it logged one of the tool's health", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await site(server);
  assert.equal((await place.cli(["run", "local"])).code, 2);
  assert.deepEqual(events(server), ["local_failure", "toolkit_error"]);
  assert.match(server.mails[0].raw, /What to do now/);
  assert.ok(server.mails.every(({ raw }) => !/^Subject: .*what to do/im.test(raw)), "a hint is no trouble of its own");
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  await makeStudy(place.source, "Bad Name");
  server.mails.length = 0;
  assert.equal((await place.cli(["run", "local"])).code, 1);
  assert.equal(events(server).filter((event) => event === "local_failure").length, 1);
});

Deno.test("what was mistyped, or interrupted, mails nobody", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await site(server);
  assert.equal((await place.cli(["unlock", "./no_such_study"])).code, 2);
  assert.equal((await place.cli(["install", "init"])).code, 2);
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  assert.deepEqual(events(server), []);
  await makeStudy(place.source);
  assert.equal(
    (await place.cli(["run", "local"], {
      interrupted: true,
      env: { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: place.state },
    })).code,
    130,
  );
  assert.deepEqual(events(server).filter((event) => event === "toolkit_error"), []);
});

Deno.test("one study that breaks the standard is one error, whatever it breaks: one mail lists the findings", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await site(server);
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  const study = await makeStudy(place.source);
  for (let at = 0; at < 70; at++) await Deno.writeTextFile(join(study, `stray${at}.txt`), "");
  server.mails.length = 0;
  const { code, stderr } = await place.cli(["run", "local"]);
  assert.equal(code, 1);
  assert.deepEqual(events(server), ["local_failure", "toolkit_error"]);
  assert.equal(stderr.split("\n").filter((line) => /^\S+ error \S/.test(line)).length, 1, stderr);
  const mail = server.mails[1].raw.replace(/=\r?\n/g, "").replaceAll("&quot;", '"');
  // The mail says it twice, as plain text and as HTML.
  for (const [text, times] of [[stderr, 1], [mail, 2]] as const) {
    assert.equal(text.match(/ {2}file "stray\d+\.txt" does not belong here/g)?.length, 50 * times, text);
    assert.match(text, /\b19 more findings/);
  }
});

Deno.test("people are told of a config that is no UTF-8, by what its [notify] says", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await site(server);
  const file = join(place.path, "config.toml");
  const text = `${await Deno.readTextFile(file)}\n[s3]\nprefix = "füsion"\n`;
  await Deno.writeFile(file, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  const { code, stderr } = await place.cli(["run", "local"]);
  assert.equal(code, 2);
  assert.match(stderr, /config\.toml:\d+:12: error toml\/not-text/);
  assert.deepEqual(events(server), ["local_failure", "toolkit_error"]);
  assert.match(server.mails[0].raw, /toml\/not-text/);
});
