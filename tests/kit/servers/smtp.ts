/**
 * A mail server in this process that does what it is told: takes, refuses, hangs or hangs up, with or without TLS.
 * @module
 */
import type { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import { tempDir } from "../temp.ts";
import { makeCertificate } from "./_certificate.ts";

export interface SmtpMail {
  from: string;
  to: string[];
  /** As it came, line ends as LF. */
  raw: string;
}

export interface SmtpOptions {
  security?: "none" | "starttls" | "tls";
  /** Logins it knows; without any, it asks for none. */
  users?: Readonly<Record<string, string>>;
  /**
   * Looks at each command first (`CONNECT` for the greeting, `BODY` for the end of a message). A text is the answer
   * instead of the usual one; `hang` gives none; `close` hangs up.
   */
  onCommand?: (line: string) => string | undefined;
}

export interface SmtpServer extends AsyncDisposable {
  readonly port: number;
  readonly caFile: string | undefined;
  readonly mails: SmtpMail[];
  /** Every command, as it came. */
  readonly commands: string[];
  /** How many connections were made. */
  connections: number;
}

/** Starts it on a port of its own of the loopback address. */
export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpServer> {
  const { security = "none" } = options;
  await using stack = new AsyncDisposableStack();
  let pem: { key: string; cert: string; caFile: string } | undefined;
  if (security !== "none") {
    const dir = stack.use(await tempDir());
    const { keyFile, certFile, caFile } = await makeCertificate(dir.path);
    pem = { key: await Deno.readTextFile(keyFile), cert: await Deno.readTextFile(certFile), caFile };
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    started.connections++;
    sockets.add(socket);
    socket.on("error", () => {}); // a client that hangs up is what some tests are about
    socket.once("close", () => sockets.delete(socket));
    const secured = () => {
      const secure = new TLSSocket(socket, { isServer: true, key: pem?.key, cert: pem?.cert });
      secure.on("error", () => {});
      return secure;
    };
    new Session(security === "tls" ? secured() : socket, { options, started, secured }).greet();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  stack.defer(async () => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    for (const socket of sockets) socket.destroy();
    await closed.promise;
  });
  const kept = stack.move();
  const started: SmtpServer = {
    port: (server.address() as AddressInfo).port,
    caFile: pem?.caFile,
    mails: [],
    commands: [],
    connections: 0,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
  return started;
}

class Session {
  readonly #with: { options: SmtpOptions; started: SmtpServer; secured: () => Socket };
  #socket: Socket;
  #buffer = "";
  #isSecure: boolean;
  #login: "none" | "user" | "password" | "plain" = "none";
  #user = "";
  #body: string[] | undefined;
  #mail: SmtpMail = { from: "", to: [], raw: "" };

  constructor(socket: Socket, about: { options: SmtpOptions; started: SmtpServer; secured: () => Socket }) {
    this.#with = about;
    this.#socket = socket;
    this.#isSecure = about.options.security === "tls";
    this.#listen();
  }

  greet(): void {
    this.#answer("CONNECT", () => this.#say("220 test ESMTP"));
  }

  #listen(): void {
    this.#socket.on("data", (bytes: Buffer) => {
      this.#buffer += bytes.toString("utf8");
      for (let at = this.#buffer.indexOf("\r\n"); at >= 0; at = this.#buffer.indexOf("\r\n")) {
        const line = this.#buffer.slice(0, at);
        this.#buffer = this.#buffer.slice(at + 2);
        this.#line(line);
      }
    });
  }

  #say(text: string): void {
    this.#socket.write(`${text}\r\n`);
  }

  #answer(command: string, usual: () => void): void {
    const wanted = this.#with.options.onCommand?.(command);
    if (wanted === undefined) usual();
    else if (wanted === "close") this.#socket.destroy();
    else if (wanted !== "hang") this.#say(wanted);
  }

  #line(line: string): void {
    if (this.#body) return this.#bodyLine(line);
    if (this.#login !== "none") return this.#loginLine(line);
    this.#with.started.commands.push(line);
    this.#answer(line, () => this.#command(line));
  }

  #command(line: string): void {
    const { users, security } = this.#with.options;
    const verb = line.split(/[ :]/)[0].toUpperCase();
    if (verb === "EHLO" || verb === "HELO") {
      const offers = [
        "test",
        "8BITMIME",
        ...users && (this.#isSecure || security !== "starttls") ? ["AUTH PLAIN LOGIN"] : [],
      ];
      if (security === "starttls" && !this.#isSecure) offers.push("STARTTLS");
      this.#say(offers.map((offer, at) => `250${at === offers.length - 1 ? " " : "-"}${offer}`).join("\r\n"));
    } else if (verb === "STARTTLS") {
      this.#say("220 go ahead");
      this.#socket.removeAllListeners("data");
      this.#socket = this.#with.secured();
      this.#isSecure = true;
      this.#listen();
    } else if (verb === "AUTH") {
      const [, method, initial] = line.split(" ");
      if (method.toUpperCase() === "PLAIN" && initial) return this.#plain(initial);
      this.#login = method.toUpperCase() === "PLAIN" ? "plain" : "user";
      this.#say(this.#login === "plain" ? "334 " : "334 VXNlcm5hbWU6");
    } else if (verb === "MAIL") {
      this.#mail = { from: /<(.*?)>/.exec(line)?.[1] ?? "", to: [], raw: "" };
      this.#say("250 ok");
    } else if (verb === "RCPT") {
      this.#mail.to.push(/<(.*?)>/.exec(line)?.[1] ?? "");
      this.#say("250 ok");
    } else if (verb === "DATA") {
      this.#body = [];
      this.#say("354 go ahead");
    } else if (verb === "QUIT") {
      this.#say("221 bye");
      this.#socket.end();
    } else this.#say("250 ok");
  }

  #loginLine(line: string): void {
    const step = this.#login;
    if (step === "plain") {
      this.#login = "none";
      return this.#plain(line);
    }
    if (step === "user") {
      this.#user = atob(line);
      this.#login = "password";
      return this.#say("334 UGFzc3dvcmQ6");
    }
    this.#login = "none";
    this.#judge(this.#user, atob(line));
  }

  #plain(initial: string): void {
    const [, user, password] = atob(initial).split("\0");
    this.#judge(user, password);
  }

  /** Some servers repeat in a refusal what they were sent. */
  #judge(user: string, password: string): void {
    if (this.#with.options.users?.[user] === password) this.#say("235 welcome");
    else this.#say(`535 5.7.8 not accepted: ${user} ${password} ${btoa(`\0${user}\0${password}`)}`);
  }

  #bodyLine(line: string): void {
    if (line !== ".") return void this.#body?.push(line.replace(/^\.\./, "."));
    const raw = (this.#body ?? []).join("\n");
    this.#body = undefined;
    this.#answer("BODY", () => {
      this.#with.started.mails.push({ ...this.#mail, raw });
      this.#say("250 taken");
    });
  }
}
