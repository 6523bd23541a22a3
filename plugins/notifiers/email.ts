/** Notifier `email`: one message to one address over SMTP. @module */
import { defineNotifier, type Message, type NotifierContext } from "../../core/contract.ts";
import { asPipelineError, PipelineError } from "../../core/errors.ts";
import { duration, pathOption, z } from "../../core/options.ts";
import { secretOf } from "./_secret.ts";

const options = z.strictObject({
  host: z.string().min(1).optional().meta({
    description: "Host of the mail server; the default is that of [notify.smtp], else Gmail's.",
    example: "smtp.gmail.com",
  }),
  port: z.number().int().min(1).max(65_535).optional().meta({
    description: "Port of the mail server; the default is that of [notify.smtp].",
    example: 587,
  }),
  security: z.enum(["starttls", "tls", "none"]).optional().meta({
    description: "How the connection is protected: starttls (usually port 587), tls (465) or none (25).",
  }),
  from: z.string().min(3).optional().meta({
    description: "Address the messages come from; the default is that of [notify.smtp], else the name of the login.",
  }),
  login: z.boolean().default(true).meta({
    description: "Whether to log in with SMTP_USER and SMTP_APP_PASSWORD; a relay of the house may need neither.",
  }),
  timeout: duration().prefault("20s").meta({ description: "Longest time for one message.", unit: "ms" }),
  ca_file: pathOption().optional().meta({
    description: "PEM file of a private certificate authority to trust; the default is that of [notify.smtp].",
  }),
});

const GMAIL = "smtp.gmail.com";
const USER = "SMTP_USER";
const PASSWORD = "SMTP_APP_PASSWORD";

interface Settings {
  host: string;
  port: number;
  security: "starttls" | "tls" | "none";
  from: string;
  timeoutMs: number;
  caFile?: string;
}

export const email = defineNotifier({
  kind: "notifier",
  name: "email",
  summary: "E-mail over SMTP: Gmail with an app password, or any other server.",
  addressed: true,
  options,
  example: `[[stage]]\nuse  = "notify"\nwith = { via = "email", options = { host = "smtp.lab.example" } }\n`,
  secrets: ({ login }) => login ? [USER, PASSWORD] : [],
  concerns(options, config) {
    const { host, security } = settingsOf(options, { config, host: "" });
    if (!options.login || security !== "none" || /^(localhost|127\..*|::1)$/.test(host)) return [];
    return [{
      message: `The password of the login goes to ${host} in clear: security is none`,
      hint: 'Set security = "starttls" or "tls" in [notify.smtp]; login = false where the server wants none',
    }];
  },
  async look(options, { config, readText }) {
    const { caFile } = settingsOf(options, { config, host: "" });
    if (caFile === undefined) return [];
    const key = options.ca_file === undefined ? ["notify", "smtp", "ca_file"] : undefined;
    try {
      await readCa(caFile, readText);
      return [];
    } catch (error) {
      const { message, hint } = asPipelineError(error, `read "${caFile}"`);
      return [{ message, hint, key }];
    }
  },
  async open(options, context) {
    const auth = options.login
      ? { user: secretOf(context, USER, "send e-mail"), pass: secretOf(context, PASSWORD, "send e-mail") }
      : undefined;
    const settings = settingsOf(options, context, auth?.user);
    const { host, port, security, timeoutMs } = settings;
    const ca = settings.caFile === undefined ? undefined : await readCa(settings.caFile, context.readText);
    const { createTransport } = await import("nodemailer");
    const transport = createTransport({
      host,
      port,
      secure: security === "tls",
      requireTLS: security === "starttls",
      ignoreTLS: security === "none",
      auth,
      tls: ca === undefined ? {} : { ca: [ca] },
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      // A name of this machine that is no domain makes some servers refuse the greeting.
      name: context.host.includes(".") ? context.host : "localhost",
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return {
      async deliver(message, signal) {
        const timeout = AbortSignal.timeout(timeoutMs);
        try {
          const info = await transport.sendMail({
            ...mailOf(message, settings.from),
            signal: AbortSignal.any([signal, timeout]),
          });
          if (info.accepted.length === 0) throw new TypeError("the server took no recipient and gave no error");
        } catch (error) {
          signal.throwIfAborted();
          throw inWords(error, { settings, to: message.to ?? "", timedOut: timeout.aborted });
        }
      },
      [Symbol.asyncDispose]() {
        transport.close();
        return Promise.resolve();
      },
    };
  },
});

function settingsOf(
  given: z.output<typeof options>,
  context: Pick<NotifierContext, "config" | "host">,
  user?: string,
): Settings {
  const smtp = (context.config.notify?.smtp ?? {}) as Partial<Settings> & { ca_file?: string };
  const login = user?.includes("@") ? user : undefined;
  return {
    host: given.host ?? smtp.host ?? GMAIL,
    port: given.port ?? smtp.port ?? 587,
    security: given.security ?? smtp.security ?? "starttls",
    from: given.from ?? smtp.from ?? login ?? `labferry@${context.host}`,
    timeoutMs: given.timeout,
    caFile: given.ca_file ?? smtp.ca_file,
  };
}

const CA_HINT =
  "Check ca_file under [notify.smtp], or in the options of the stage: wanted a PEM file this account may read.";

async function readCa(path: string, readText: NotifierContext["readText"]): Promise<string> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    const { code, message, cause, retry } = asPipelineError(error, `read "${path}"`);
    throw new PipelineError(code, message, { cause, retry, hint: CA_HINT });
  }
  if (/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s/.test(text)) return text;
  throw new PipelineError("notify/no-certificate", `Cannot use "${path}" as ca_file: it holds no certificate`, {
    hint: CA_HINT,
  });
}

function mailOf(message: Message, from: string) {
  const { id, event, subject, text, html, to, attachments = [] } = message;
  // The same for a repetition, so that a mail program can tell it from news.
  const local = `${id}.${to ?? ""}`.replace(/[^\w.-]+/g, "-");
  return {
    from,
    to,
    subject,
    text,
    html,
    messageId: `<${local}@labferry>`,
    headers: { "X-Labferry-Event": event, "Auto-Submitted": "auto-generated" },
    attachments: attachments.map(({ name, type, base64 }) => ({
      filename: name,
      contentType: type,
      content: base64,
      encoding: "base64",
    })),
  };
}

interface SmtpFault {
  code?: string;
  command?: string;
  responseCode?: number;
  message: string;
}

const TLS_HINT = "Check host, port and security of [notify.smtp]: starttls is usually port 587, tls 465, none 25.";

/** What is wrong with a certificate and what to do, by the code that TLS gives its error; undefined for other trouble. */
function distrust(cause: unknown, caFile?: string): { why: string; hint: string } | undefined {
  const { originalCode, code, message } = cause as { originalCode?: string; code?: string; message: string };
  const said = `${originalCode ?? code ?? ""} ${message}`;
  if (/CERT_HAS_EXPIRED|certificate has expired/i.test(said)) {
    return { why: "its certificate has expired", hint: "Renew the certificate of the mail server." };
  }
  if (/CERT_NOT_YET_VALID|not yet valid/i.test(said)) {
    return { why: "its certificate is not valid yet", hint: "Check the clocks of this host and of the mail server." };
  }
  if (/ALTNAME|altnames/i.test(said)) {
    return {
      why: `its certificate is for another name (${message})`,
      hint: "Set [notify.smtp] host to a name that the certificate holds.",
    };
  }
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|UnknownIssuer|self.signed|unable to (verify|get)/i.test(said)) {
    return {
      why: "its certificate is signed by an authority nobody here knows",
      hint: caFile === undefined
        ? "If it is the authority of your laboratory, name its PEM file with ca_file under [notify.smtp]; " +
          "else do not send anything there."
        : `The authority in "${caFile}", which ca_file names, has not signed it: name the one that has, or do not send ` +
          "anything there.",
    };
  }
  return /certificate/i.test(message)
    ? { why: message, hint: "Look at the certificate of the mail server." }
    : undefined;
}

function inWords(
  cause: unknown,
  { settings, to, timedOut }: { settings: Settings; to: string; timedOut: boolean },
): PipelineError {
  const { host, port, timeoutMs } = settings;
  const { code, command, responseCode = 0, message } = cause as SmtpFault;
  const server = `${host}:${port}`;
  const refusal = responseCode >= 400 && (code === "EENVELOPE" || code === "EMESSAGE");
  if (refusal && responseCode !== 421) {
    const isSender = command === "MAIL FROM";
    const what = isSender ? `from ${settings.from}` : `to ${to}`;
    const error = { verb: `send e-mail ${what}`, found: `${server} refused it with: ${message}` };
    if (responseCode < 500) {
      return new PipelineError("notify/deferred", `Cannot ${error.verb}: ${error.found}`, {
        cause,
        retry: "transient",
        hint: "The server wants to be asked again later; the next run does.",
      });
    }
    return new PipelineError(isSender ? "notify/sender" : "notify/refused", `Cannot ${error.verb}: ${error.found}`, {
      cause,
      hint: isSender
        ? "Set [notify.smtp] from to an address this login may send from."
        : "Check the address in the lists of recipients. It is tried five times in all, over a day.",
    });
  }
  if (code === "EAUTH") {
    return new PipelineError("notify/login", `Cannot log in to ${server}: ${message}`, {
      cause,
      hint:
        "Check LABFERRY_SMTP_USER and LABFERRY_SMTP_APP_PASSWORD (environment or smtp.env). Gmail wants an app password, not the one of the account.",
    });
  }
  const untrusted = timedOut ? undefined : distrust(cause, settings.caFile);
  if (untrusted !== undefined) {
    const { why, hint } = untrusted;
    return new PipelineError("notify/untrusted", `Cannot trust mail server ${server}: ${why}`, { cause, hint });
  }
  const why = timedOut || code === "ETIMEDOUT" ? `no answer within ${timeoutMs} ms` : message;
  return new PipelineError("notify/unreachable", `Cannot reach mail server ${server}: ${why}`, {
    cause,
    retry: "transient",
    hint: TLS_HINT,
  });
}
