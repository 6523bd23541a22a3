/** The words of an event for people, as plain text and as HTML. Pure. @module */
import type { Item, Json } from "../core/contract.ts";

export interface Words {
  subject: string;
  text: string;
  html: string;
  [key: string]: string;
}

/** Longest subject, in characters: what phones show, and far below the limit of a header. */
const SUBJECT_CHARS = 150;
/** How many items a message names; the report has all. */
const ITEMS_TOLD = 20;
/** Longest value told, in characters. */
const VALUE_CHARS = 8_000;

const HAPPENED: Readonly<Record<string, string>> = {
  monitor_crash: "The monitor of the instrument's log has ended by itself. Nobody watches the instrument now.",
  fusion_error: "The instrument wrote an error into its log.",
  toolkit_error: "labferry logged a warning or an error.",
};

const TO_DO: Readonly<Record<string, string>> = {
  monitor_crash: "Start it again (labferry monitor tail), then look into the log for why it ended.",
  fusion_error: "Look at the instrument: the run may have stopped.",
  toolkit_error:
    "Look into the log. Data that is on its way is not in danger: nothing is deleted unless it is proved elsewhere.",
};

const BY_EXIT_CODE: Readonly<Record<number, string>> = {
  1: "Mend what is named above, and run again: what is finished is kept, and nothing unproved was deleted.",
  2: "Nothing was begun or deleted. Mend what is named above (labferry lint looks at the config, the places and the " +
    "store), and run again.",
  3: "This is a fault of labferry: keep the log and report it. Nothing unproved was deleted.",
  130: "It was interrupted. Run again: it goes on from what is finished.",
};

type Details = { [key: string]: Json };
type Row = readonly [label: string, value: string];

/** What an event says to people. Whatever of its details has no place of its own is listed behind the rest. */
export function messageOf(item: Item, { prefix, host }: { prefix: string; host: string }): Words {
  const details = isDetails(item.data.details) ? item.data.details : { ...item.data };
  const known = new Set([
    "message",
    "exit_code",
    "host",
    "run_id",
    "started_at",
    "hint",
    "items",
    "test",
    "event",
    "at",
  ]);
  const message = textOf(details.message);
  const exitCode = typeof details.exit_code === "number" ? details.exit_code : undefined;
  const isTest = details.test === true;
  const rows: Row[] = [];
  const add = (label: string, value: string | undefined) => {
    if (value !== undefined && value !== "") rows.push([label, cut(value, VALUE_CHARS)]);
  };
  add("What happened", [happened(item.name, { details, exitCode, isTest }), message].filter(Boolean).join("\n"));
  add("To what", itemsOf(details));
  // When it is told says the message itself, which may wait for a server for days.
  const noticed = textOf(item.data.at);
  const since = textOf(details.started_at) ?? textOf(details.at) ?? noticed;
  add("Since", since);
  if (noticed !== since) add("Noticed at", noticed);
  add("What to do now", isTest ? "Nothing: this is a test." : toDo(item.name, { details, exitCode }));
  add("Exit code", exitCode === undefined ? undefined : String(exitCode));
  add("Host", textOf(details.host) ?? host);
  add("Run", textOf(details.run_id));
  for (const [key, value] of Object.entries(details)) {
    if (!known.has(key)) add(key.replaceAll("_", " "), textOf(value));
  }
  const subject = subjectOf(item.name, {
    prefix,
    message,
    host: textOf(details.host) ?? host,
    isTest,
    isSecond: isSecondMonitor(details),
  });
  return { subject, text: plain(rows), html: page(subject, rows) };
}

function subjectOf(
  event: string,
  { prefix, message, host, isTest, isSecond }: {
    prefix: string;
    message?: string;
    host: string;
    isTest: boolean;
    isSecond: boolean;
  },
): string {
  if (event === "monitor_crash" && !isSecond) {
    return isTest ? "[Fusion Monitor] CRASH (TEST)" : "[Fusion Monitor] CRASH";
  }
  const line = (message ?? "").split(/[\r\n]/)[0];
  const words = `${prefix} ${isTest ? "TEST " : ""}${event} on ${host}${line === "" ? "" : `: ${line}`}`;
  return cut(words.replace(/\p{Cc}+/gu, " ").replace(/\s+/g, " ").trim(), SUBJECT_CHARS);
}

function happened(
  event: string,
  { details, exitCode, isTest }: { details: Details; exitCode?: number; isTest: boolean },
): string {
  if (isTest) return `This is a TEST of the event ${event}. Whoever reads it is subscribed to it.`;
  if (isSecondMonitor(details)) return "A second monitor was started and has ended. The first one goes on watching.";
  if (HAPPENED[event] !== undefined) return HAPPENED[event];
  const pipeline = textOf(details.pipeline) ?? /^(.+)_failure$/.exec(event)?.[1];
  if (pipeline === undefined) return `Event ${event}.`;
  return `The pipeline "${pipeline}" ended with ${exitCode === undefined ? "a failure" : `exit code ${exitCode}`}.`;
}

function toDo(event: string, { details, exitCode }: { details: Details; exitCode?: number }): string {
  const general = TO_DO[event] ?? (exitCode === undefined ? undefined : BY_EXIT_CODE[exitCode]) ??
    "Look into the log, mend what it names, and run again.";
  const hint = textOf(details.hint);
  if (hint !== undefined && isSecondMonitor(details)) return hint;
  return hint === undefined ? general : `${hint}\n${general}`;
}

/** The monitor that ended is not the one that watches. */
function isSecondMonitor({ code }: Details): boolean {
  return code === "log-tail/followed";
}

/** The items of a failed run: name, stage, error and what to do about each. */
function itemsOf(details: Details): string | undefined {
  if (!Array.isArray(details.items)) return undefined;
  const lines = details.items.slice(0, ITEMS_TOLD).map((item) => {
    if (!isDetails(item)) return textOf(item) ?? "";
    const [name, stage, code, message, hint] = [item.name, item.stage, item.code, item.message, item.hint].map(textOf);
    const where = stage === undefined || stage === "" ? "" : ` (stage ${stage})`;
    const what = message === undefined ? "" : `: ${message}${code === undefined || code === "" ? "" : ` [${code}]`}`;
    const findings = Array.isArray(item.findings)
      ? item.findings.map((finding) => `\n  ${textOf(finding)}`).join("")
      : "";
    return `${name ?? "?"}${where}${what}${findings}${hint === undefined ? "" : `\n  ${hint}`}`;
  });
  const more = details.items.length - ITEMS_TOLD;
  return [...lines, ...more > 0 ? [`and ${more} more, see the report`] : []].join("\n");
}

function isDetails(value: Json | undefined): value is Details {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

function plain(rows: readonly Row[]): string {
  return rows.map(([label, value]) => {
    const lines = value.split(/\r\n|\n|\r/);
    return lines.length === 1 ? `${label}: ${value}` : `${label}:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  }).join("\n") + "\n";
}

function escaped(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}

function page(subject: string, rows: readonly Row[]): string {
  const cell = "padding:4px 12px 4px 0;vertical-align:top;text-align:left";
  const body = rows.map(([label, value]) =>
    `<tr><th style="${cell}">${escaped(label)}</th>` +
    `<td style="${cell};white-space:pre-wrap">${escaped(value)}</td></tr>`
  ).join("\n");
  return `<!doctype html>\n<html><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>` +
    `<body style="font-family:sans-serif"><h3>${escaped(subject)}</h3>\n<table>\n${body}\n</table></body></html>\n`;
}
