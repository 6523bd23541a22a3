/**
 * Who hears of an event: text files that people of the laboratory edit, one address a line. They are read anew each
 * time, so that a change holds from the next message on. Pure but for the reading it is given.
 * @module
 */
import { join } from "@std/path";
import { PipelineError } from "../errors.ts";

/** The list used for events without one of their own. */
export const DEFAULT_LIST = "default.txt";

/** Who hears of an event. */
export interface Recipients {
  /** Addresses, each once, in the order of the file. */
  to: string[];
  /** The file they come from; undefined when neither list has an address. */
  file?: string;
  /** What is wrong with single lines, for people: `…/backup_failure.txt, line 3: "x" is no address`. */
  problems: string[];
}

// What a mail server accepts between the parts is its own affair; this keeps out what could not be meant as an address.
const ATOM = String.raw`[^\s\p{Cc}\p{Cf}@<>()[\]",;:\\.\ufffd\p{Surrogate}]+`;
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const ADDRESS = new RegExp(`^${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`, "u");

/** Addresses of one list. `#` begins a comment at the start of a line or behind a space. */
export function parseRecipients(text: string): { to: string[]; wrong: { line: number; text: string }[] } {
  const to = new Map<string, string>();
  const wrong: { line: number; text: string }[] = [];
  text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/).forEach((whole, index) => {
    const line = whole.replace(/(^|\s)#.*$/s, "").trim();
    if (line === "") return;
    if (ADDRESS.test(line)) to.set(line.toLowerCase(), to.get(line.toLowerCase()) ?? line);
    else wrong.push({ line: index + 1, text: line.toWellFormed() });
  });
  return { to: [...to.values()], wrong };
}

/**
 * The recipients of an event: its own list, or the default one when that is missing or has no address.
 *
 * @throws {PipelineError} `notify/no-lists` when there is no folder of lists: that nobody is found says nothing then
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { recipientsOf } from "labferry";
 *
 * const readText = (path: string) => Promise.resolve(path.endsWith("default.txt") ? "ops@lab.example # nights" : undefined);
 * const { to } = await recipientsOf("backup_failure", { folder: "/etc/labferry/recipients", readText });
 * assert.deepEqual(to, ["ops@lab.example"]);
 * ```
 */
export async function recipientsOf(
  event: string,
  { folder, readText, whileSaved }: {
    folder: string;
    readText(path: string): Promise<string | undefined>;
    /** Waits while a list may be being saved, and so be empty or away for a moment; left out, the first look counts. */
    whileSaved?(): Promise<void>;
  },
): Promise<Recipients> {
  const first = await look(event, { folder, readText });
  const isSure = first.problems.length > 0 || (first.to.length > 0 && !first.isEmpty);
  if (!isSure) await whileSaved?.();
  const { isEmpty: _, ...found } = isSure || whileSaved === undefined ? first : await look(event, { folder, readText });
  return found;
}

/** `isEmpty`: a list is there, and empty. */
async function look(
  event: string,
  { folder, readText }: { folder: string; readText(path: string): Promise<string | undefined> },
): Promise<Recipients & { isEmpty: boolean }> {
  let isEmpty = false;
  const problems: string[] = [];
  let lists = 0;
  for (const name of [`${event}.txt`, DEFAULT_LIST]) {
    const file = join(folder, name);
    const text = await readText(file);
    if (text === undefined) continue;
    lists++;
    isEmpty ||= text === "";
    const { to, wrong } = parseRecipients(text);
    problems.push(
      ...wrong.map(({ line, text }) =>
        `${file}, line ${line}: "${text}" is no address, wanted one plain address a line`
      ),
    );
    if (to.length > 0) return { to, file, problems, isEmpty };
  }
  if (lists === 0) await expectFolder(folder, readText);
  return { to: [], problems, isEmpty };
}

/** A folder cannot be read as a text; what can, or is not there, is none (SAFETY S18: absence is no answer). */
async function expectFolder(folder: string, readText: (path: string) => Promise<string | undefined>): Promise<void> {
  const found = await readText(folder).then(
    (text) => text === undefined ? "nothing is there" : "it is a file",
    () => "",
  );
  if (found === "") return;
  throw new PipelineError("notify/no-lists", `Cannot find who hears of what: "${folder}": ${found}, wanted a folder`, {
    stopsRun: 2,
    hint: "Check [notify] recipients_dir in the config; labferry install init makes the folder. Events stay queued.",
  });
}
