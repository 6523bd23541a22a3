/**
 * Makes the credentials of this machine known to a scrubber before anything is written that may repeat them. Loads
 * nothing heavy: every command begins with it.
 * @module
 */
import { Buffer } from "node:buffer";
import { resolve } from "@std/path";
import { decodeText } from "../core/text.ts";
import { parseDotenv } from "./dotenv.ts";
import type { Locations } from "./locations.ts";
import { isSecretName } from "./scrub.ts";
import type { Scrubber } from "./scrub.ts";

/** Prefixes of the names of variables: our own, and the one of the system this one replaces. */
export const PREFIXES = ["LABFERRY_", "FUSION_"] as const;

/** Lines of a secret that are hidden by themselves, in characters. */
const SHORTEST_LINE = 12;

type Variables = Readonly<Record<string, string | undefined>>;

/** Takes one value out of whatever is written from now on, also in the forms in which it travels. */
export function hide(value: string, scrubber: Scrubber): void {
  // Output is logged line by line; a key in PEM has many, and short ones would be ordinary words.
  const lines = value.split(/[\r\n]+/).filter((line) => line.length >= SHORTEST_LINE);
  // A server may repeat in its answer what it was sent; Gmail shows its app passwords in groups of four.
  for (const form of new Set([value, value.trim(), value.replaceAll(" ", ""), ...lines])) {
    for (const written of formsOf(form.toWellFormed())) scrubber.add(written);
  }
}

/** A text as programs write it: as it is, in base64 of both alphabets, within a URL, a form or a text of JSON. */
function formsOf(text: string): Set<string> {
  const base64 = Buffer.from(text).toString("base64");
  const bare = base64.replaceAll("=", "");
  const inUrl = encodeURIComponent(text);
  return new Set([
    text,
    base64,
    bare,
    bare.replaceAll("+", "-").replaceAll("/", "_"),
    inUrl,
    inUrl.replace(/%../g, (escape) => escape.toLowerCase()),
    new URLSearchParams([["", text]]).toString().slice(1),
    JSON.stringify(text).slice(1, -1),
  ]);
}

/** Hides the secrets among these variables: passwords and the like, not the names of users, which are often addresses. */
export function hideVariables(variables: Variables, scrubber: Scrubber): void {
  for (const [name, value] of Object.entries(variables)) if (value && isSecretName(name)) hide(value, scrubber);
  for (const prefix of PREFIXES) {
    hideLogin(variables[`${prefix}SMTP_USER`], variables[`${prefix}SMTP_APP_PASSWORD`], scrubber);
  }
}

/** Hides user and password as a login sends them together. */
export function hideLogin(user: string | undefined, password: string | undefined, scrubber: Scrubber): void {
  if (user && password) scrubber.add(Buffer.from(`\0${user}\0${password}`).toString("base64"));
}

/**
 * Hides the credentials of the environment and of smtp.env, or of the file named in its place. A file that cannot be
 * read is told of by whoever needs it.
 */
export async function hideSecrets(
  scrubber: Scrubber,
  { terminal, locations, smtpEnv }: {
    terminal: { readonly env: Variables; readonly cwd: string };
    locations?: Pick<Locations, "smtpEnvFile">;
    smtpEnv?: string;
  },
): Promise<void> {
  hideVariables(terminal.env, scrubber);
  const named = smtpEnv === undefined ? undefined : resolve(terminal.cwd, smtpEnv);
  let both: Variables = terminal.env;
  for (const file of [locations?.smtpEnvFile, named]) {
    if (file === undefined) continue;
    try {
      const variables = parseDotenv(decodeText(await Deno.readFile(file)));
      hideVariables(variables, scrubber);
      both = { ...variables, ...both };
    } catch {
      // There is nothing to hide in a file that is not there.
    }
  }
  // The user may stand here and the password there.
  hideVariables(both, scrubber);
}
