/** A mail server in this process, on the loopback address only: it takes every mail and keeps it. @module */
import type { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { PipelineError } from "../core/errors.ts";

/** A mail as it arrived. */
export interface ArrivedMail {
  /** Addresses, as the mail itself names them. */
  from: string;
  to: string[];
  subject: string;
  /** The plain text. */
  text: string;
  /** Which event it tells of. */
  event: string;
  /** Byte for byte. */
  raw: Uint8Array<ArrayBuffer>;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** The one login it accepts. */
  readonly user: string;
  readonly password: string;
  /** What arrived so far, in order. */
  readonly mails: readonly ArrivedMail[];
  /** The first mail that matches: one that is there already, or else the next one. Rejects when `signal` is aborted. */
  arrival(matches: (mail: ArrivedMail) => boolean, signal: AbortSignal): Promise<ArrivedMail>;
}

interface Waiting {
  matches(mail: ArrivedMail): boolean;
  resolve(mail: ArrivedMail): void;
}

/** Starts one on a free port. It offers no encryption: nothing leaves this machine. */
export async function startMailServer(): Promise<MailServer> {
  const { SMTPServer } = await import("smtp-server");
  const user = "labferry@lab.example";
  const password = crypto.randomUUID();
  const mails: ArrivedMail[] = [];
  const waiting = new Set<Waiting>();
  const arrived = (mail: ArrivedMail) => {
    mails.push(mail);
    for (const one of waiting) if (one.matches(mail)) one.resolve(mail);
  };
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    // The name of a client would be asked of a name server.
    disableReverseLookup: true,
    // A client that has gone is not waited for.
    closeTimeout: 1000,
    logger: false,
    onAuth(login, _session, answer) {
      if (login.username === user && login.password === password) answer(null, { user });
      else answer(new Error("wrong user name or password"));
    },
    onData(stream, _session, answer) {
      // Taken only once it is kept.
      read(stream).then(arrived).then(() => answer(), answer);
    },
  });
  const listening = Promise.withResolvers<void>();
  server.on("error", listening.reject);
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  return {
    port: (server.server.address() as AddressInfo).port,
    user,
    password,
    mails,
    async arrival(matches, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<ArrivedMail>();
      const there = mails.find(matches);
      if (there !== undefined) return there;
      signal.throwIfAborted();
      const one = { matches, resolve };
      const onAbort = () => reject(signal.reason);
      waiting.add(one);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        return await promise;
      } finally {
        waiting.delete(one);
        signal.removeEventListener("abort", onAbort);
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(closed.resolve);
      await closed.promise;
    },
  };
}

async function read(stream: AsyncIterable<Buffer>): Promise<ArrivedMail> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of stream) chunks.push(new Uint8Array(chunk));
  const raw = new Uint8Array(await new Blob(chunks).arrayBuffer());
  const { default: PostalMime } = await import("postal-mime");
  const { from, to = [], subject = "", text = "", headers } = await PostalMime.parse(raw);
  if (from?.address === undefined) {
    throw new PipelineError("demo/mail-without-sender", `Cannot read the mail "${subject}": it names no sender`);
  }
  return {
    from: from.address,
    to: to.flatMap(({ address }) => address ?? []),
    subject,
    text: text.replaceAll("\r\n", "\n"),
    event: headers.find(({ key }) => key === "x-labferry-event")?.value ?? "",
    raw,
  };
}
