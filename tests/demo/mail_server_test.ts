import assert from "node:assert/strict";
import { createTransport } from "nodemailer";
import { type MailServer, startMailServer } from "../../demo/mail_server.ts";

const MAIL = {
  from: "ferry@lab.example",
  to: ["a@lab.example", "b@lab.example"],
  subject: "größe — 细胞",
  text: "erste Zeile\n.zweite, ü\n",
  html: "<p>erste Zeile</p>",
  headers: { "X-Labferry-Event": "fusion_error" },
};

/** As the notifier `email` connects. */
function client(server: MailServer, password = server.password) {
  return createTransport({
    host: "127.0.0.1",
    port: server.port,
    secure: false,
    ignoreTLS: true,
    auth: { user: server.user, pass: password },
    name: "localhost",
  });
}

Deno.test("startMailServer() keeps a mail as it came, and reads it", async () => {
  await using server = await startMailServer();
  const transport = client(server);
  const sent = await transport.sendMail(MAIL);
  transport.close();
  assert.deepEqual(sent.accepted, MAIL.to);
  const [{ raw, text, ...mail }, ...more] = server.mails;
  assert.deepEqual(more, []);
  assert.deepEqual(mail, { from: MAIL.from, to: MAIL.to, subject: MAIL.subject, event: "fusion_error" });
  assert.equal(text.trimEnd(), MAIL.text.trimEnd());
  assert.match(new TextDecoder().decode(raw), /^X-Labferry-Event: fusion_error\r\n/m);
});

Deno.test("startMailServer() refuses a wrong password and takes nothing without a login", async () => {
  await using server = await startMailServer();
  const wrong = client(server, "wrong");
  await assert.rejects(wrong.sendMail(MAIL), { code: "EAUTH" });
  wrong.close();
  const nobody = createTransport({ host: "127.0.0.1", port: server.port, ignoreTLS: true });
  await assert.rejects(nobody.sendMail(MAIL), /530|[Aa]uthentication/);
  nobody.close();
  assert.deepEqual(server.mails, []);
});

Deno.test("MailServer.arrival() waits for the mail that matches, finds one that is there, and ends with its signal", async () => {
  await using server = await startMailServer();
  const { signal } = new AbortController();
  const second = server.arrival(({ subject }) => subject === "second", signal);
  const transport = client(server);
  await transport.sendMail({ ...MAIL, subject: "first" });
  await transport.sendMail({ ...MAIL, subject: "second" });
  transport.close();
  assert.equal((await second).subject, "second");
  assert.equal((await server.arrival(({ subject }) => subject === "first", signal)).subject, "first");
  const stop = new AbortController();
  const third = server.arrival(({ subject }) => subject === "third", stop.signal);
  stop.abort(new RangeError("enough"));
  await assert.rejects(third, /enough/);
  await assert.rejects(server.arrival(() => false, stop.signal), /enough/);
});
