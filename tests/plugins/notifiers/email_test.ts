import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { configKeys } from "../../../core/pipeline/config.ts";
import { email } from "../../../plugins/notifiers/email.ts";
import { message, notifierContext } from "../../../testing/event_plugins.ts";
import { MAIL_PASSWORD, MAIL_USER, mailTest } from "../../kit/servers/mail.ts";
import { startSmtp } from "../../kit/servers/smtp.ts";
import type { SmtpOptions } from "../../kit/servers/smtp.ts";

const SECRETS = { SMTP_USER: MAIL_USER, SMTP_APP_PASSWORD: MAIL_PASSWORD };
const { signal } = new AbortController();

async function open(options: Record<string, unknown>, secrets: Record<string, string> = SECRETS) {
  return await email.open(email.options.parse({ host: "127.0.0.1", ...options }), notifierContext(secrets));
}

async function refused(options: SmtpOptions, more: Record<string, unknown> = {}): Promise<PipelineError> {
  await using server = await startSmtp(options);
  const notifier = await open({ port: server.port, security: "none", login: options.users !== undefined, ...more });
  try {
    await notifier.deliver(message(), signal);
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error));
    assert.deepEqual(server.mails, []);
    return error;
  }
  return assert.fail("the message counts as delivered");
}

await mailTest("email logs in and delivers text, HTML and attachments", async (server, security) => {
  const notifier = await open({ port: server.port, security, ca_file: server.caFile });
  const attachments = [{ name: "cycle.png", type: "image/png", base64: btoa("pixels") }];
  await notifier.deliver(message({ attachments }), signal);
  await notifier.deliver(message({ to: "second@lab.example", subject: "[Fusion Monitor] CRASH" }), signal);
  await notifier[Symbol.asyncDispose]?.();
  const [first, second] = await server.mails();
  const { to, from, subject, text, html, id, attachments: got } = first;
  assert.deepEqual([to, from, subject], [["ops@lab.example"], MAIL_USER, message().subject]);
  assert.equal(text.trimEnd(), message().text.trimEnd());
  assert.match(html, /größer &lt;1&gt;/);
  assert.equal(id, "01J0000000000000000000000A.ops-lab.example@labferry");
  assert.deepEqual(got, ["cycle.png image/png 6"]);
  assert.deepEqual([second.to, second.subject], [["second@lab.example"], "[Fusion Monitor] CRASH"]);
});

await mailTest("email says that a login is refused, and never with the password", async (server, security) => {
  const notifier = await open({ port: server.port, security, ca_file: server.caFile }, {
    SMTP_USER: MAIL_USER,
    SMTP_APP_PASSWORD: "another password",
  });
  await assert.rejects(notifier.deliver(message(), signal), (error) => {
    assert.ok(error instanceof PipelineError && error.code === "notify/login", String(error));
    assert.doesNotMatch(error.message, /another password/);
    return true;
  });
  assert.deepEqual(await server.mails(), []);
}, ["starttls"]);

for (const security of ["none", "starttls", "tls"] as const) {
  Deno.test(`email delivers to a server in this process [${security}]`, async () => {
    await using server = await startSmtp({ security, users: { [MAIL_USER]: MAIL_PASSWORD } });
    const notifier = await open({ port: server.port, security, ca_file: server.caFile, from: "ferry@lab.example" });
    await notifier.deliver(message(), signal);
    const [{ from, to, raw }] = server.mails;
    assert.deepEqual([from, to], ["ferry@lab.example", ["ops@lab.example"]]);
    assert.match(raw, /^Auto-Submitted: auto-generated$/m);
    assert.equal(server.commands.some((line) => line.startsWith("AUTH")), true);
    assert.equal(server.commands.includes("STARTTLS"), security === "starttls");
  });
}

Deno.test("email sends nothing over a connection less safe than wanted", async () => {
  const offered: SmtpOptions[] = [{ security: "none", users: { [MAIL_USER]: MAIL_PASSWORD } }];
  for (const options of offered) {
    await using server = await startSmtp(options);
    const notifier = await open({ port: server.port, security: "starttls" });
    await assert.rejects(notifier.deliver(message(), signal), { code: "notify/unreachable" });
    assert.deepEqual(server.mails, []);
    assert.deepEqual(server.commands.filter((line) => /^(AUTH|MAIL)/.test(line)), []);
  }
});

Deno.test("email refuses a certificate nobody vouches for", async () => {
  for (const security of ["starttls", "tls"] as const) {
    await using server = await startSmtp({ security, users: { [MAIL_USER]: MAIL_PASSWORD } });
    const notifier = await open({ port: server.port, security });
    await assert.rejects(notifier.deliver(message(), signal), {
      code: "notify/untrusted",
      message:
        `Cannot trust mail server 127.0.0.1:${server.port}: its certificate is signed by an authority nobody here knows`,
      hint: /ca_file under \[notify\.smtp\]/,
    });
    assert.deepEqual(server.commands.filter((line) => /^(AUTH|MAIL)/.test(line)), []);
    // The key that the hint names is one of the config, and it is enough.
    assert.ok(configKeys(["notify", "smtp"]).includes("ca_file"));
    const smtp = { host: "127.0.0.1", port: server.port, security, ca_file: server.caFile ?? "" };
    const trusting = await email.open(email.options.parse({}), notifierContext(SECRETS, { smtp }));
    await trusting.deliver(message(), signal);
    assert.equal(server.mails.length, 1);
  }
});

Deno.test("email names the ca_file that cannot be read, and where it is set", async () => {
  const smtp = { ca_file: "/no/such/ca.pem" };
  const context = { ...notifierContext(SECRETS, { smtp }), readText: (path: string) => Deno.readTextFile(path) };
  await assert.rejects(async () => await email.open(email.options.parse({}), context), {
    hint: /ca_file under \[notify\.smtp\]/,
  });
});

Deno.test("email says that a ca_file holds no certificate, before the first message and to lint", async () => {
  const config = notifierContext(SECRETS, { smtp: { ca_file: "/etc/ca.pem" } });
  const context = { ...config, readText: () => Promise.resolve("no PEM\n") };
  const message = 'Cannot use "/etc/ca.pem" as ca_file: it holds no certificate';
  await assert.rejects(async () => await email.open(email.options.parse({}), context), {
    code: "notify/no-certificate",
    message,
  });
  const [{ key, ...found }] = await email.look!(email.options.parse({}), context);
  assert.deepEqual([found.message, key], [message, ["notify", "smtp", "ca_file"]]);
  const own = await email.look!(email.options.parse({ ca_file: "/etc/ca.pem" }), context);
  assert.deepEqual(own.map(({ key }) => key), [undefined]);
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  assert.deepEqual(
    await email.look!(email.options.parse({}), { ...context, readText: () => Promise.resolve(pem) }),
    [],
  );
});

Deno.test("email does not advise to name a ca_file where one is named that did not sign", async () => {
  await using other = await startSmtp({ security: "tls" });
  await using server = await startSmtp({ security: "tls", users: { [MAIL_USER]: MAIL_PASSWORD } });
  const notifier = await open({ port: server.port, security: "tls", ca_file: other.caFile });
  await assert.rejects(notifier.deliver(message(), signal), {
    code: "notify/untrusted",
    hint: /^The authority in ".*", which ca_file names, has not signed it/,
  });
});

Deno.test("email tells a recipient refused for good from one refused for now", async () => {
  const at = (verb: string, answer: string): SmtpOptions => ({
    onCommand: (line) => line.startsWith(verb) ? answer : undefined,
  });
  const unknown = await refused(at("RCPT", "550 5.1.1 no such user"));
  assert.equal(unknown.code, "notify/refused");
  assert.match(unknown.message, /to ops@lab\.example: 127\.0\.0\.1:\d+ refused it with: .*no such user/);
  assert.equal(unknown.retry, "permanent");
  const grey = await refused(at("RCPT", "451 4.7.1 greylisted, come back in 5 minutes"));
  assert.deepEqual([grey.code, grey.retry], ["notify/deferred", "transient"]);
  const body = await refused(at("BODY", "554 5.7.1 looks like spam"));
  assert.equal(body.code, "notify/refused");
  const full = await refused(at("BODY", "452 4.3.1 out of storage"));
  assert.equal(full.code, "notify/deferred");
  const sender = await refused(at("MAIL", "553 5.7.1 not your address"));
  assert.equal(sender.code, "notify/sender");
  assert.match(sender.hint ?? "", /\[notify\.smtp\] from/);
});

Deno.test("email says that a server is away: down, hanging, hanging up, closing", async () => {
  // Nobody listens there; a port that was free a moment ago may be another test's by now.
  const notifier = await open({ port: 1, security: "none", login: false });
  await assert.rejects(notifier.deliver(message(), signal), { code: "notify/unreachable", retry: "transient" });
  for (const verb of ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY"]) {
    const hangs = await refused({ onCommand: (line) => line.startsWith(verb) ? "hang" : undefined }, {
      timeout: "60ms",
    });
    assert.equal(hangs.code, "notify/unreachable", verb);
    assert.match(hangs.message, /no answer within 60 ms/);
    const closes = await refused({ onCommand: (line) => line.startsWith(verb) ? "close" : undefined });
    assert.equal(closes.code, "notify/unreachable", verb);
  }
  const busy = await refused({ onCommand: (line) => line === "CONNECT" ? "421 too busy" : undefined });
  assert.equal(busy.code, "notify/unreachable");
});

Deno.test("email stops at the signal with its reason", async () => {
  const stop = new AbortController();
  await using server = await startSmtp({
    onCommand(line) {
      if (!line.startsWith("RCPT")) return undefined;
      stop.abort(new Error("enough"));
      return "hang";
    },
  });
  const notifier = await open({ port: server.port, security: "none", login: false });
  await assert.rejects(notifier.deliver(message(), stop.signal), /enough/);
});

Deno.test("email says which credentials are missing and where they go, and takes a login to send from", async () => {
  assert.deepEqual(email.secrets(email.options.parse({})), ["SMTP_USER", "SMTP_APP_PASSWORD"]);
  assert.deepEqual(email.secrets(email.options.parse({ login: false })), []);
  await assert.rejects(open({}, { SMTP_USER: "x" }), {
    code: "notify/no-credentials",
    message: /SMTP_APP_PASSWORD is not set/,
    hint: /LABFERRY_SMTP_APP_PASSWORD/,
  });
});

Deno.test("email takes what it is not told from [notify.smtp]", async () => {
  await using server = await startSmtp();
  const smtp = { host: "127.0.0.1", port: server.port, security: "none", from: "ferry@lab.example" };
  const notifier = await email.open(email.options.parse({ login: false }), notifierContext({}, { smtp }));
  await notifier.deliver(message(), signal);
  assert.equal(server.mails[0].from, "ferry@lab.example");
});

Deno.test("email cannot be made to send further headers or to read files", async () => {
  await using server = await startSmtp();
  const notifier = await open({ port: server.port, security: "none", login: false });
  await notifier.deliver(message({ subject: "a\r\nBcc: evil@x.example\r\n\r\nbody" }), signal);
  const [{ to, raw }] = server.mails;
  assert.deepEqual(to, ["ops@lab.example"]);
  assert.doesNotMatch(raw, /^Bcc:/m);
});
