/** Notifier `webhook`: the message as JSON to a program of one's own, signed. @module */
import { createHmac } from "node:crypto";
import { defineNotifier } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { duration, z } from "../../core/options.ts";
import { post, refusal } from "./_http.ts";

const options = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: "wanted a URL such as https://alerts.lab.example/labferry" }).meta({
    description: "Where the message is posted to.",
  }),
  sign: z.boolean().default(true).meta({
    description: "Whether to sign with WEBHOOK_SECRET: HMAC-SHA256 over the timestamp, a full stop and the body.",
  }),
  timeout: duration().prefault("10s").meta({ description: "Longest time for one message.", unit: "ms" }),
});

const SECRET = "WEBHOOK_SECRET";

/** The signature of a body at a time: what a receiver computes anew and compares, and refuses when the time is old. */
export function signatureOf(secret: string, { timestamp, body }: { timestamp: string; body: string }): string {
  return `sha256=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

export const webhook = defineNotifier({
  kind: "notifier",
  name: "webhook",
  summary: "A POST of the event as JSON, signed by HMAC-SHA256; any answer 2xx means that it was taken.",
  addressed: false,
  options,
  example:
    `[[stage]]\nuse  = "notify"\nwith = { via = "webhook", options = { url = "https://alerts.lab.example/labferry" } }\n`,
  secrets: ({ sign }) => sign ? [SECRET] : [],
  open({ url, sign, timeout }, { secrets, clock }) {
    const key = sign ? secrets.get(SECRET) : undefined;
    if (sign && (key === undefined || key === "")) {
      throw new PipelineError("notify/no-credentials", `Cannot sign messages: ${SECRET} is not set`, {
        hint: `Set ${secrets.where(SECRET)}, or sign = false`,
      });
    }
    const service = new URL(url).origin;
    return {
      async deliver(message, signal) {
        const { id, event, subject, text, data, attachments } = message;
        const body = JSON.stringify({ id, event, subject, text, data, attachments });
        const timestamp = String(Math.floor(clock.now() / 1000));
        const headers: Record<string, string> = {
          "content-type": "application/json; charset=utf-8",
          "user-agent": "labferry",
          "x-labferry-id": id,
          "x-labferry-event": event,
          "x-labferry-timestamp": timestamp,
        };
        if (key !== undefined) headers["x-labferry-signature"] = signatureOf(key, { timestamp, body });
        const posted = await post(url, { service, headers, body, timeoutMs: timeout, signal });
        if (posted.status < 200 || posted.status > 299) throw refusal(service, posted);
      },
    };
  },
});
