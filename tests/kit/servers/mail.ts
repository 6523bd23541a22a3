/** A real mail server for tests, where there is one: `await mailTest("…", act)` defines a test per kind of security. */
import { mailpitMissing, startMailpit } from "./_mailpit.ts";

export type Security = "none" | "starttls" | "tls";

export interface Mail {
  to: string[];
  from: string;
  subject: string;
  text: string;
  html: string;
  id: string;
  /** `name type bytes` each. */
  attachments: string[];
}

export interface MailServer extends AsyncDisposable {
  name: string;
  version: string;
  port: number;
  caFile: string | undefined;
  /** What it took, the oldest first. */
  mails(): Promise<Mail[]>;
}

export const MAIL_USER = "bob@lab.example";
export const MAIL_PASSWORD = "abcd-efgh-ijkl-mnop";

const announced = new Set<string>();

/** Defines one test for each kind of security; where there is no server, they are counted as ignored, with the reason. */
export async function mailTest(
  name: string,
  act: (server: MailServer, security: Security) => Promise<void>,
  kinds: readonly Security[] = ["none", "starttls", "tls"],
): Promise<void> {
  const missing = await mailpitMissing();
  for (const security of kinds) {
    Deno.test({
      name: `${name} [mailpit, ${security}${missing === undefined ? "" : `: ${missing}`}]`,
      ignore: missing !== undefined,
      fn: async () => {
        await using server = await startMailpit({ security, user: MAIL_USER, password: MAIL_PASSWORD });
        const words = `${server.name} ${server.version}`;
        const log = Deno.env.get("LABFERRY_TEST_SERVERS_LOG");
        if (log && !announced.has(words)) await Deno.writeTextFile(log, `${words}\n`, { append: true });
        announced.add(words);
        await act(server, security);
      },
    });
  }
}
