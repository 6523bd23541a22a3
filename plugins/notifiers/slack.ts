/** Notifier `slack`: a message through an incoming webhook, or by a bot that can also upload files. @module */
import { Buffer } from "node:buffer";
import { type Attachment, defineNotifier, type Message } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { duration, z } from "../../core/options.ts";
import { post, refusal } from "./_http.ts";
import { secretOf } from "./_secret.ts";

const options = z.strictObject({
  channel: z.string().min(1).optional().meta({
    description: "Id of the channel a bot writes to (SLACK_BOT_TOKEN); without it, SLACK_WEBHOOK_URL is used.",
    example: "C0123456789",
  }),
  api: z.url({ protocol: /^https?$/ }).default("https://slack.com/api/").meta({
    description: "Address of the programming interface, for bots.",
  }),
  timeout: duration().prefault("10s").meta({ description: "Longest time for one request.", unit: "ms" }),
});

const WEBHOOK = "SLACK_WEBHOOK_URL";
const TOKEN = "SLACK_BOT_TOKEN";
const SERVICE = "Slack";
/** Longer messages are cut; Slack itself cuts at 40,000 characters. */
const TEXT_CHARS = 12_000;

type Send = (message: Message, signal: AbortSignal) => Promise<void>;

export const slack = defineNotifier({
  kind: "notifier",
  name: "slack",
  summary: "Slack: an incoming webhook, or a bot that writes to a channel and uploads files.",
  addressed: false,
  options,
  example: `[[stage]]\nuse  = "notify"\nwith = { via = "slack", options = { channel = "C0123456789" } }\n`,
  secrets: ({ channel }) => [channel === undefined ? WEBHOOK : TOKEN],
  open(options, context) {
    const { channel } = options;
    const deliver = channel === undefined
      ? byWebhook(options.timeout, secretOf(context, WEBHOOK, "write to Slack"))
      : byBot(options, { channel, token: secretOf(context, TOKEN, "write to Slack") });
    return { deliver };
  },
});

function byWebhook(timeoutMs: number, url: string): Send {
  if (!URL.canParse(url)) {
    throw new PipelineError("notify/no-credentials", `Cannot write to Slack: ${WEBHOOK} is no URL`, {
      hint: "Copy the whole address of the incoming webhook from Slack.",
    });
  }
  return async (message, signal) => {
    const posted = await post(url, {
      service: SERVICE,
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ text: slackText(message) }),
      timeoutMs,
      signal,
    });
    if (posted.status !== 200) throw refusal(SERVICE, posted);
  };
}

interface Answer {
  ok?: boolean;
  error?: string;
  upload_url?: string;
  file_id?: string;
}

/** Codes by which Slack refuses whatever is sent, not this message. */
const LOGIN = new Set([
  "invalid_auth",
  "not_authed",
  "account_inactive",
  "token_revoked",
  "token_expired",
  "missing_scope",
]);
const LATER = new Set(["ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"]);

function byBot(
  { api, timeout: timeoutMs }: { api: string; timeout: number },
  { channel, token }: { channel: string; token: string },
): Send {
  const authorization = `Bearer ${token}`;
  const base = api.endsWith("/") ? api : `${api}/`;
  const call = async (
    method: string,
    { headers, body, signal }: { headers: Record<string, string>; body: string; signal: AbortSignal },
  ): Promise<Answer> => {
    const request = { service: SERVICE, headers: { authorization, ...headers }, body, timeoutMs, signal };
    const posted = await post(new URL(method, base).href, request);
    if (posted.status !== 200) throw refusal(SERVICE, posted);
    const answer = parsed(posted.text);
    if (answer.ok !== true) throw slackError(method, answer.error ?? "an answer that is no JSON");
    return answer;
  };
  const json = (method: string, value: unknown, signal: AbortSignal) =>
    call(method, {
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(value),
      signal,
    });
  const upload = async (file: Attachment, signal: AbortSignal) => {
    const bytes = new Uint8Array(Buffer.from(file.base64, "base64"));
    const { upload_url: url, file_id: id } = await call("files.getUploadURLExternal", {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ filename: file.name, length: String(bytes.length) }).toString(),
      signal,
    });
    if (url === undefined || id === undefined) {
      throw slackError("files.getUploadURLExternal", "no address to upload to");
    }
    const headers = { "content-type": file.type };
    const posted = await post(url, { service: SERVICE, headers, body: bytes, timeoutMs, signal });
    if (posted.status !== 200) throw refusal(SERVICE, posted);
    return { id, title: file.name };
  };
  return async (message, signal) => {
    const { attachments = [] } = message;
    const text = slackText(message);
    if (attachments.length === 0) {
      await json("chat.postMessage", { channel, text, unfurl_links: false }, signal);
      return;
    }
    const files = [];
    for (const attachment of attachments) files.push(await upload(attachment, signal));
    // Only this makes files and words appear, all at once.
    await json("files.completeUploadExternal", { files, channel_id: channel, initial_comment: text }, signal);
  };
}

function parsed(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // what is no JSON is no acceptance
  }
}

function slackError(method: string, found: string): PipelineError {
  const message = `Cannot write to Slack: ${method} answers ${found}`;
  if (LATER.has(found)) {
    return new PipelineError("notify/deferred", message, {
      retry: "transient",
      hint: "Slack wants to be asked again later; the next run does.",
    });
  }
  if (LOGIN.has(found)) {
    return new PipelineError("notify/login", message, {
      hint: `Check ${TOKEN}: the bot needs chat:write, and files:write for files.`,
    });
  }
  return new PipelineError("notify/refused", message, {
    hint: "Check the id of the channel, and that the bot was invited to it.",
  });
}

/** The three characters that Slack gives a meaning; a fence keeps the columns of the text. */
function slackText({ subject, text }: Message): string {
  const escaped = (given: string) => given.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const characters = [...text];
  const body = characters.length <= TEXT_CHARS ? text : `${characters.slice(0, TEXT_CHARS).join("")}…`;
  return `*${escaped(subject)}*\n\`\`\`\n${escaped(body).replaceAll("```", "'''")}\`\`\``;
}
