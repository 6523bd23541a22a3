/** Posting to a service over HTTP, with its faults in words. The address itself may be a secret and is never named. */
import { PipelineError } from "../../core/errors.ts";

export interface Posted {
  status: number;
  /** The answer, as far as it may matter. */
  text: string;
}

export interface PostOptions {
  /** For messages: the service, without any path. */
  service: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer>;
  timeoutMs: number;
  signal: AbortSignal;
}

/** More of an answer is not read, in bytes. */
const ANSWER_BYTES = 16 * 1024;

/**
 * Posts and reads the answer. A redirection is not followed: who posts secrets must be told where to.
 * @throws {PipelineError} `notify/unreachable`; the signal's reason when it was aborted
 */
export async function post(url: string, options: PostOptions): Promise<Posted> {
  const { service, headers, body, timeoutMs, signal } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, text: await start(response) };
  } catch (cause) {
    signal.throwIfAborted();
    const why = timeout.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(cause, url);
    throw new PipelineError("notify/unreachable", `Cannot reach ${service}: ${why}`, {
      retry: "transient",
      hint: "Check the address and the network; the next run tries again.",
    });
  }
}

async function start(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let got = 0; got < ANSWER_BYTES;) {
      const { done, value } = await reader.read();
      if (done) break;
      got += value.length;
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel();
  }
  return text;
}

/** Errors of `fetch` name the address with its path and query. */
function reasonOf(cause: unknown, url: string): string {
  const { pathname, search, origin } = new URL(url);
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replaceAll(url, origin).replaceAll(`${pathname}${search}`, pathname === "/" ? "" : "/…");
}

/**
 * The error for an answer that is no acceptance.
 * @throws never; returns `notify/deferred` for what may pass, `notify/login` for a refused key, else `notify/refused`
 */
export function refusal(service: string, { status, text }: Posted): PipelineError {
  const answer = text.trim().slice(0, 200);
  const found = `the answer is ${status}${answer === "" ? "" : `: ${answer}`}, wanted an acceptance`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return new PipelineError("notify/deferred", `Cannot deliver to ${service}: ${found}`, {
      retry: "transient",
      hint: "The service wants to be asked again later; the next run does.",
    });
  }
  if (status === 401 || status === 403 || status === 404 || status === 410) {
    return new PipelineError("notify/login", `Cannot deliver to ${service}: ${found}`, {
      hint: "Check the address and the key of the service: it does not know them, or they were revoked.",
    });
  }
  return new PipelineError("notify/refused", `Cannot deliver to ${service}: ${found}`, {
    hint: "The service does not take this message. It is tried five times in all, over a day.",
  });
}
