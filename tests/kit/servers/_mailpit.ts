import { join } from "@std/path";
import { tempDir } from "../temp.ts";
import { makeCertificate } from "./_certificate.ts";
import { serverMissing, serverProgram } from "./_program.ts";
import { startOnPorts, waitForHttp, waitForSmtp } from "./_wait.ts";
import type { Mail, MailServer, Security } from "./mail.ts";

/** Why mailpit cannot be started. */
export const mailpitMissing = () => serverMissing("mailpit");

/** Starts mailpit on a folder of its own. */
export async function startMailpit(
  { security, user, password }: { security: Security; user: string; password: string },
): Promise<MailServer> {
  await using stack = new AsyncDisposableStack();
  const path = (await serverProgram("mailpit"))!;
  const dir = stack.use(await tempDir());
  const certificate = security === "none" ? undefined : await makeCertificate(dir.path);
  const users = join(dir.path, "users");
  await Deno.writeTextFile(users, `${user}:${password}\n`);
  const caCerts = security === "tls" && certificate ? [await Deno.readTextFile(certificate.caFile)] : undefined;
  // Below a path that no other server has.
  const root = crypto.randomUUID();
  const apiOf = (port: number) => `http://127.0.0.1:${port}/${root}/api/v1`;
  const tls = certificate
    ? [
      ...["--smtp-tls-cert", certificate.certFile, "--smtp-tls-key", certificate.keyFile],
      security === "tls" ? "--smtp-require-tls" : "--smtp-require-starttls",
    ]
    : ["--smtp-auth-allow-insecure"];
  const server = stack.use(
    await startOnPorts({
      count: 2,
      spawn: ([smtp, http]) =>
        new Deno.Command(path, {
          args: [
            ...["--smtp", `127.0.0.1:${smtp}`, "--listen", `127.0.0.1:${http}`, "--webroot", root, "--quiet", ...tls],
            ...["--database", join(dir.path, "mail.db"), "--smtp-auth-file", users],
            ...["--disable-version-check", "--smtp-disable-rdns"],
          ],
          cwd: dir.path,
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn(),
      async isReady([smtp, http], signal) {
        await waitForHttp(`${apiOf(http)}/info`, { signal, isOurs: ({ ok }) => ok });
        await waitForSmtp(smtp, { signal, caCerts });
      },
    }),
  );
  const [smtp, http] = server.ports;
  const api = apiOf(http);
  const ask = async (what: string) => await (await fetch(`${api}/${what}`)).json();
  const { Version: version } = await ask("info");
  const kept = stack.move();
  return {
    name: "mailpit",
    version,
    port: smtp,
    caFile: certificate?.caFile,
    async mails() {
      const { messages } = await ask("messages");
      const mails: Mail[] = [];
      for (const { ID } of messages) {
        const { To, From, Subject, Text, HTML, MessageID, Attachments } = await ask(`message/${ID}`);
        mails.push({
          to: To.map((one: { Address: string }) => one.Address),
          from: From.Address,
          subject: Subject,
          text: Text.replaceAll("\r\n", "\n"),
          html: HTML,
          id: MessageID,
          attachments: Attachments.map((one: { FileName: string; ContentType: string; Size: number }) =>
            `${one.FileName} ${one.ContentType} ${one.Size}`
          ),
        });
      }
      return mails.reverse();
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
