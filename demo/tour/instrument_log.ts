/** Chapter of the tour: the instrument's log is followed, and each error of it is told once. @module */
import type { ArrivedMail } from "../mail_server.ts";
import { type Lab, PEOPLE } from "./lab.ts";

/** A deadline for mails that come within seconds; the machine may be busy. In ms. */
const LONG_MS = 60_000;
/** What the instrument writes, but for the time. */
const STAGE_STUCK = "ERROR Stage: axis Z did not reach its target within 30 s";
const LAMP_DARK = "ERROR Lamp: no light at 488 nm";
const SAMPLE = "20260318_mbeki_colon_cohort2";
const CYCLE = "2";

/** @returns what was not as it should be */
export async function instrumentLog(lab: Lab): Promise<string[]> {
  const { log, mail, say } = lab;
  // The last line lies some 500 s behind the first: an instrument writes nothing that has not happened yet.
  const begin = lab.now - 600_000;
  lab.chapter("The instrument's own log is followed");
  const write = async (from: number, ...lines: string[]) => {
    const text = lines.map((line, at) => line.startsWith(" ") ? line : `${stamp(begin + (from + at) * 1000)} ${line}`);
    const block = text.map((line) => `${line}\n`).join("");
    say(`The instrument writes:\n${block.replace(/^/gm, "  | ").replace(/ {2}\| $/, "")}`);
    await Deno.writeTextFile(log, block, { append: true });
  };
  await write(0, "INFO  Fusion started", `INFO  Sample: ${SAMPLE}`, `INFO  Cycle ${CYCLE}`);

  const stop = new AbortController();
  // Its first words are that it has found its place in the log: what is written from then on is seen.
  const begun = Promise.withResolvers<void>();
  const monitor = lab.labferry(["monitor", "tail"], { stop: stop.signal, onOut: () => begun.resolve(), pace: 10 });
  const deadline = AbortSignal.any([AbortSignal.timeout(LONG_MS), lab.signal]);
  // Whoever waits for the monitor must not wait for one that has ended.
  const ended = monitor.then(() => undefined);
  const told = (words: string) =>
    // What does not come is missed at the end.
    Promise.race([mail.arrival(({ text }) => text.includes(words), deadline).catch(() => undefined), ended]);
  await Promise.race([begun.promise, ended]);

  await write(10, STAGE_STUCK, "    at Fusion.Stage.MoveTo(Z, 1284.5)", "INFO  Run paused");
  const first = await told(wordsOf(STAGE_STUCK));
  if (first !== undefined) say(`A mail for ${first.to.join(", ")} has arrived: ${first.subject}\n`);

  await write(500, STAGE_STUCK, "    at Fusion.Stage.MoveTo(Z, 1284.5)", "INFO  Run paused", LAMP_DARK, "INFO  Idle");
  const second = await told(wordsOf(LAMP_DARK));
  if (second !== undefined) say(`A mail for ${second.to.join(", ")} has arrived: ${second.subject}\n`);

  say("The monitor is stopped, as by SIGTERM\n");
  stop.abort(new DOMException("the demo stops the monitor", "AbortError"));
  const { code } = await monitor;
  lab.signal.throwIfAborted();
  const times = mail.mails.filter(({ text }) => text.includes(wordsOf(STAGE_STUCK))).length;
  say(`It ends with ${code}. Mails of the error that came twice: ${times}; the other one came behind it.\n`);
  return [
    ...code === 0 ? [] : [`monitor tail ended with ${code}, wanted 0`],
    ...notTold(mail.mails, PEOPLE.fusion_error),
  ];
}

function wordsOf(line: string): string {
  return line.slice("ERROR ".length);
}

/** The time of a line, as the instrument writes it. */
function stamp(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}

/** Errors of the instrument that were not mailed exactly once, in their order, with what they were about. Pure. */
export function notTold(mails: readonly Pick<ArrivedMail, "event" | "to" | "text">[], address: string): string[] {
  const told = mails.filter(({ event }) => event === "fusion_error");
  const wanted = [STAGE_STUCK, LAMP_DARK].map(wordsOf);
  const wrong = wanted.flatMap((words) => {
    const times = told.filter(({ text }) => text.includes(words)).length;
    return times === 1 ? [] : [`"${words}" was mailed ${times} times, wanted once`];
  });
  if (told.length !== wanted.length) wrong.push(`${told.length} errors were mailed, wanted ${wanted.length}`);
  for (const { to, text } of told) {
    if (to.join() !== address) wrong.push(`an error was mailed to ${to.join(", ")}, wanted ${address}`);
    if (!text.includes(SAMPLE)) wrong.push(`the mail of an error does not name the sample ${SAMPLE}`);
    if (!new RegExp(`cycle\\W+${CYCLE}\\b`, "i").test(text)) {
      wrong.push(`the mail of an error does not name cycle ${CYCLE}`);
    }
  }
  return wrong;
}
