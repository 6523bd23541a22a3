/** Chapter of the tour: the mails as they arrived. @module */
import { join } from "@std/path";
import type { ArrivedMail } from "../mail_server.ts";
import { type Lab, PEOPLE } from "./lab.ts";

/** How many backups of the tour end with another code than 0: each meets the misnamed study. */
const FAILED_BACKUPS = 3;

/** Shows each mail and keeps it as a file. @returns what was not as it should be */
export async function mails(lab: Lab, misnamed: readonly string[]): Promise<string[]> {
  lab.chapter("The mails, as they arrived");
  let failures = 0;
  for (const [at, mail] of lab.mail.mails.entries()) {
    const file = `${String(at + 1).padStart(2, "0")}_${mail.event}.eml`;
    await Deno.writeFile(join(lab.mailFolder, file), mail.raw);
    // Each run meets the misnamed study again, and its mail says the same.
    const isAgain = mail.event === "backup_failure" && ++failures > 1;
    const text = isAgain ? `The same, of backup run number ${failures}` : mail.text.trimEnd();
    lab.say(`From:    ${mail.from}\nTo:      ${mail.to.join(", ")}\nSubject: ${mail.subject}\n\n`);
    lab.say(`${text}\n`.replace(/^(?=.)/gm, "    ") + "\n");
  }
  return unexpectedMails(lab.mail.mails, { from: lab.mail.user, misnamed });
}

/** Mails too many, too few, from or to others, or about something else. Pure. */
export function unexpectedMails(
  mails: readonly Pick<ArrivedMail, "event" | "from" | "to" | "text">[],
  { from, misnamed }: { from: string; misnamed: readonly string[] },
): string[] {
  const wrong: string[] = [];
  const failures = mails.filter(({ event }) => event === "backup_failure");
  if (failures.length !== FAILED_BACKUPS) {
    wrong.push(`${failures.length} mails of failed backups arrived, wanted ${FAILED_BACKUPS}: one of each run`);
  }
  for (const { text } of failures) {
    for (const name of misnamed) {
      if (!text.includes(name)) wrong.push(`a mail of a failed backup does not name ${name}`);
    }
  }
  for (const { event, from: sender, to } of mails) {
    if (sender !== from) wrong.push(`a mail of ${event} came from ${sender}, wanted ${from}`);
    const wanted = PEOPLE[event as keyof typeof PEOPLE] ?? "nobody";
    if (to.join() !== wanted) wrong.push(`a mail of ${event} went to ${to.join(", ") || "nobody"}, wanted ${wanted}`);
  }
  return wrong;
}
