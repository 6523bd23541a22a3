/** What a case expects, and what was found: compared as lines that people read. @module */
import { hash } from "node:crypto";
import type { LedgerRecord } from "../core/ledger/record.ts";
import type { Message } from "../core/contract.ts";
import type { Json } from "../core/json.ts";
import type { OutboxEvent } from "../core/journal/journal.ts";
import type { ItemReport } from "../core/run/report.ts";
import { SIDECAR_NAME } from "../core/io/names.ts";
import type { Case, CaseListing, CaseRun } from "../core/pipeline/case_schema.ts";

/** Lines that were wanted, and lines that were found. Equal ones mean that it is as it should be. */
export interface Compared {
  wanted: string[];
  found: string[];
}

type Items = NonNullable<CaseRun["items"]>;

/** Items of a report by name; a name that comes again gets a number. */
export function itemsByName(items: readonly ItemReport[]): Map<string, ItemReport> {
  const named = new Map<string, ItemReport>();
  for (const item of items) {
    let name = item.name;
    for (let nth = 2; named.has(name); nth++) name = `${item.name} (${nth})`;
    named.set(name, item);
  }
  return named;
}

/** Items: every one, and of each what the case speaks of. */
export function compareItems(expected: Items, items: readonly ItemReport[]): Compared {
  const named = itemsByName(items);
  const wanted: string[] = [], found: string[] = [];
  for (const [name, want] of Object.entries(expected)) {
    const item = named.get(name);
    const whole = typeof want === "string" ? { outcome: want, stages: {} } : want;
    wanted.push(itemLine(name, { ...whole, words: whole.why }));
    if (item === undefined) continue;
    const said = [item.why, item.error?.message].filter((words) => words !== undefined).join("; ");
    // Of what is not asked for, only the failure itself is shown.
    const isAsked = (part: unknown) => part !== undefined || item.outcome !== whole.outcome;
    const words = whole.why !== undefined && said.includes(whole.why) ? whole.why : said;
    found.push(itemLine(name, {
      outcome: item.outcome,
      stage: isAsked(whole.stage) ? item.error?.stage : undefined,
      error: isAsked(whole.error) ? item.error?.code : undefined,
      words: whole.why === undefined ? undefined : words,
    }));
    for (const [id, outcome] of Object.entries(whole.stages)) {
      wanted.push(`${name}, stage ${id}: ${outcome}`);
      found.push(`${name}, stage ${id}: ${item.stages.find((stage) => stage.id === id)?.outcome ?? "not there"}`);
    }
  }
  for (const [name, item] of named) {
    if (Object.hasOwn(expected, name)) continue;
    found.push(itemLine(name, { outcome: item.outcome, stage: item.error?.stage, error: item.error?.code }));
  }
  return { wanted, found };
}

function itemLine(
  name: string,
  { outcome, stage, error, words }: { outcome: string; stage?: string; error?: string; words?: string },
): string {
  const where = stage === undefined ? "" : ` in ${stage}`;
  return `${name}: ${outcome}${where}${error === undefined ? "" : ` [${error}]`}${
    words === undefined ? "" : `: ${words}`
  }`;
}

/** Events that were raised, in order. */
export function compareEvents(expected: NonNullable<CaseRun["events"]>, events: readonly OutboxEvent[]): Compared {
  const pairs = expected.map((want, at) => {
    const { event, details } = typeof want === "string" ? { event: want, details: {} } : want;
    const other = events[at];
    const data = other?.data as { [key: string]: Json } | undefined;
    const keys = Object.keys(details);
    const shown = (from: { [key: string]: Json } | undefined) =>
      keys.map((key) => ` ${key}=${JSON.stringify(from?.[key])}`).join("");
    return {
      wanted: `${at + 1}. ${event}${shown(details)}`,
      found: other === undefined ? undefined : `${at + 1}. ${other.event}${shown(data)}`,
    };
  });
  const more = events.slice(expected.length).map(({ event }, at) => `${expected.length + at + 1}. ${event}`);
  return {
    wanted: pairs.map(({ wanted }) => wanted),
    found: [...pairs.flatMap(({ found }) => found ?? []), ...more],
  };
}

/** What is said of a message, in this order. */
const MAIL_PARTS = ["to", "event", "subject", "text"] as const;

/** Messages that were delivered, in order. */
export function compareMails(expected: NonNullable<CaseRun["mails"]>, mails: readonly Message[]): Compared {
  const line = (at: number, parts: readonly (readonly [string, string])[]) =>
    `${at + 1}.${parts.map(([part, words]) => ` ${part}: ${words}`).join("")}`;
  const wanted = expected.map((want, at) =>
    line(at, MAIL_PARTS.flatMap((part) => want[part] === undefined ? [] : [[part, want[part]] as const]))
  );
  const found = mails.map((mail, at) => {
    const want = expected[at] ?? { to: "", event: "" };
    return line(
      at,
      MAIL_PARTS.flatMap((part) => want[part] === undefined ? [] : [[part, told(mail, part, want[part])]]),
    );
  });
  return { wanted, found };
}

/** A part of a message; of subject and text the words that were wanted, if they stand there. */
function told(mail: Message, part: typeof MAIL_PARTS[number], wanted: string): string {
  const words = mail[part] ?? "";
  if (part === "to" || part === "event") return words;
  return words.includes(wanted) ? wanted : JSON.stringify(words.slice(0, 200));
}

/** Programs that were started, as argument lists. */
export function compareHooks(
  expected: readonly (readonly string[])[],
  hooks: readonly (readonly string[])[],
): Compared {
  const line = (argv: readonly string[], at: number) =>
    `${at + 1}. ${argv.map((word) => JSON.stringify(word)).join(" ")}`;
  return { wanted: expected.map(line), found: hooks.map(line) };
}

/** Files of a place; `study` gives a study as it was, `isCopy` whether its list of checksums belongs to it. */
export function compareListing(
  expected: CaseListing,
  files: ReadonlyMap<string, Uint8Array>,
  { study, isCopy }: { study: (name: string) => Record<string, Uint8Array> | undefined; isCopy: boolean },
): Compared {
  const wanted = new Map<string, string>();
  const found = new Map<string, string>();
  const want = (path: string, words: string, same: (bytes: Uint8Array) => boolean) => {
    wanted.set(path, words);
    const bytes = files.get(path);
    if (bytes !== undefined) found.set(path, same(bytes) ? words : `${path}  ${shown(bytes)}`);
  };
  const wantStudy = (name: string, whole: Record<string, Uint8Array>) => {
    for (const [path, bytes] of Object.entries(whole)) {
      want(`${name}/${path}`, `${name}/${path}  ${shown(bytes)}`, (other) => shown(other) === shown(bytes));
    }
    const list = `${name}/${SIDECAR_NAME}`;
    if (isCopy) want(list, list, () => true);
  };
  for (
    const [path, content] of Array.isArray(expected) ? expected.map((p) => [p, undefined]) : Object.entries(expected)
  ) {
    const name = String(path);
    const whole = name.endsWith("/") ? study(name.slice(0, -1)) : undefined;
    if (whole) wantStudy(name.slice(0, -1), whole);
    else if (content === undefined) want(name, name, () => true);
    else if (typeof content === "string") {
      const bytes = new TextEncoder().encode(content);
      want(name, `${name}  ${shown(bytes)}`, (other) => shown(other) === shown(bytes));
    } else {
      const { sha256 } = content as { sha256: string };
      want(name, `${name}  sha256 ${sha256}`, (bytes) => hash("sha256", bytes) === sha256);
    }
  }
  for (const [path, bytes] of files) if (!wanted.has(path)) found.set(path, `${path}  ${shown(bytes)}`);
  return { wanted: sorted(wanted), found: sorted(found) };
}

/** A short text is shown whole, anything else by its size and hash. */
function shown(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  const isText = bytes.length <= 60 && !/[\p{C}\uFFFD]/u.test(text);
  return isText ? JSON.stringify(text) : `${bytes.length} bytes, sha256 ${hash("sha256", bytes)}`;
}

function sorted(lines: ReadonlyMap<string, string>): string[] {
  return [...lines].sort(([a], [b]) => a < b ? -1 : 1).map(([, line]) => line);
}

/** The ledger: every backup. */
export function compareLedger(
  expected: NonNullable<Case["end"]["ledger"]>,
  records: ReadonlyMap<string, LedgerRecord>,
): Compared {
  const line = (name: string, is: { status: string; deleted: boolean; evicted: boolean }) =>
    `${name}: ${is.status}${is.deleted ? ", deleted" : ""}${is.evicted ? ", evicted" : ""}`;
  const wanted = Object.entries(expected).map(([name, is]): [string, string] => [
    name,
    line(name, typeof is === "string" ? { status: is, deleted: false, evicted: false } : is),
  ]);
  const found = [...records].map(([name, record]): [string, string] => [
    name,
    line(name, {
      status: record.status,
      deleted: record.source_deleted_at !== null,
      evicted: record.truenas_evicted_at !== null,
    }),
  ]);
  return { wanted: sorted(new Map(wanted)), found: sorted(new Map(found)) };
}
