/**
 * The contract of notifiers: plugins that hand a message to a server and say whether the server took it.
 * @module
 */
import type { z } from "zod";
import type { ConfigView } from "./contract.ts";
import type { Json } from "./json.ts";
import type { Clock, Logger } from "./ports.ts";

/** A file that goes with a message. */
export interface Attachment {
  /** File name, without folders. */
  name: string;
  /** Media type, for example `image/png`. */
  type: string;
  /** Its bytes, in base64. */
  base64: string;
}

/** What is delivered: the same words as plain text and as HTML. */
export interface Message {
  /** Stable over repetitions: a receiver may tell a repetition by it. */
  id: string;
  /** Name of the event. */
  event: string;
  /** One line. */
  subject: string;
  /** The words as plain text. */
  text: string;
  /** The same words as HTML. */
  html: string;
  /** The one address it goes to; left out for notifiers that are not addressed. */
  to?: string;
  /** What the words were made of, for receivers that are programs. */
  data: Json;
  /** Files that go with it. */
  attachments?: readonly Attachment[];
}

/** A notifier opened for one run. */
export interface Notifier extends Partial<AsyncDisposable> {
  /**
   * Resolves when the server took the message, which is all that counts as delivered.
   * @throws {PipelineError} `notify/refused` or `notify/deferred` when the server refused this message, for good or for
   * now; `notify/login`, `notify/sender`, `notify/unreachable` when it would refuse any; the signal's reason when it was aborted
   */
  deliver(message: Message, signal: AbortSignal): Promise<void>;
}

/** Secrets of this machine, by names such as `SMTP_USER`. They never stand in the config or in a pipeline. */
export interface Secrets {
  /** The value; undefined when it is not set. */
  get(name: string): string | undefined;
  /** How a person sets it, for hints: `LABFERRY_SMTP_USER in the environment or in …/smtp.env`. */
  where(name: string): string;
}

/** What a notifier is given when it is opened. */
export interface NotifierContext {
  /** The config in force. */
  readonly config: ConfigView;
  /** Name of this host. */
  readonly host: string;
  /** Secrets of this machine. */
  readonly secrets: Secrets;
  /** The log; secrets are scrubbed from it. */
  readonly log: Logger;
  /** Time; tests move it. */
  readonly clock: Clock;
  /** The text of a file that an option names. @throws {PipelineError} `io/…` */
  readText(path: string): Promise<string>;
}

/** An adapter to a way of telling people. */
export interface NotifierPlugin<S extends z.ZodObject = z.ZodObject> {
  /** It is a notifier. */
  kind: "notifier";
  /** As pipelines name it: a noun. */
  name: string;
  /** One sentence with a period. */
  summary: string;
  /** Each message goes to one address; otherwise one message goes to wherever the options say. */
  addressed: boolean;
  /** The one specification. */
  options: S;
  /** TOML of a stage that uses it. */
  example: string;
  /** Names of the secrets it cannot work without. */
  secrets(options: z.output<S>): readonly string[];
  /** What lint should warn of: settings by which a password could be read on its way. */
  concerns?(options: z.output<S>, config: ConfigView): { message: string; hint: string }[];
  /** What lint should refuse: files it could not use when it is opened. `key` is that of the config which names one. */
  look?(
    options: z.output<S>,
    context: Pick<NotifierContext, "config" | "readText">,
  ): Promise<{ message: string; hint?: string; key?: readonly string[] }[]>;
  /** Begins a run with checked options; loads what is heavy. */
  open(options: z.output<S>, context: NotifierContext): Notifier | Promise<Notifier>;
}

/**
 * Types a notifier's options, and returns it.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineNotifier, z } from "labferry";
 *
 * const lines: string[] = [];
 * const box = defineNotifier({
 *   kind: "notifier",
 *   name: "box",
 *   summary: "Keeps messages.",
 *   addressed: false,
 *   options: z.strictObject({}),
 *   example: "",
 *   secrets: () => [],
 *   open: () => ({ deliver: ({ subject }) => Promise.resolve(void lines.push(subject)) }),
 * });
 * assert.equal(box.addressed, false);
 * ```
 */
export function defineNotifier<S extends z.ZodObject>(plugin: NotifierPlugin<S>): NotifierPlugin<S> {
  return plugin;
}
