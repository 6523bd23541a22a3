import { join } from "@std/path";
import { tempDir } from "../temp.ts";
import { makeCertificate } from "./_certificate.ts";
import { freePort, waitForHttp } from "./_wait.ts";
import type { Mail, MailServer, Security } from "./mail.ts";

/** Folders that may hold the program: that of `tools/test_servers` first, then those of PATH. */
function* candidates(): Generator<string> {
  const cache = Deno.env.get("LABFERRY_TEST_CACHE") ??
    join(Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "", ".cache"), "labferry-test-servers");
  yield join(cache, "bin", "mailpit");
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) if (folder) yield join(folder, "mailpit");
}

async function program(): Promise<string | undefined> {
  for (const path of candidates()) {
    const stat = await Deno.stat(path).catch(() => undefined);
    if (stat?.isFile) return path;
  }
}

/** Why mailpit cannot be started. */
export async function mailpitMissing(): Promise<string | undefined> {
  return await program() === undefined ? "mailpit is not installed, see tools/test_servers" : undefined;
}

/** Starts mailpit on a folder of its own. */
export async function startMailpit(
  { security, user, password }: { security: Security; user: string; password: string },
): Promise<MailServer> {
  await using stack = new AsyncDisposableStack();
  const path = (await program())!;
  const dir = stack.use(await tempDir());
  const certificate = security === "none" ? undefined : await makeCertificate(dir.path);
  const users = join(dir.path, "users");
  await Deno.writeTextFile(users, `${user}:${password}\n`);
  const [smtp, http] = [freePort(), freePort()];
  const tls = certificate
    ? [
      ...["--smtp-tls-cert", certificate.certFile, "--smtp-tls-key", certificate.keyFile],
      security === "tls" ? "--smtp-require-tls" : "--smtp-require-starttls",
    ]
    : ["--smtp-auth-allow-insecure"];
  const child = new Deno.Command(path, {
    args: [
      ...["--smtp", `127.0.0.1:${smtp}`, "--listen", `127.0.0.1:${http}`, "--database", join(dir.path, "mail.db")],
      ...["--smtp-auth-file", users, "--disable-version-check", "--smtp-disable-rdns", "--quiet", ...tls],
    ],
    cwd: dir.path,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGTERM");
    await child.status;
  });
  const api = `http://127.0.0.1:${http}/api/v1`;
  await waitForHttp(`${api}/info`, { tries: 200 });
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
