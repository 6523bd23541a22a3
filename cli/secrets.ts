/**
 * Credentials of notifiers: the environment first, then a dotenv file beside the config. Whatever is read here is taken
 * out of everything that is written from then on.
 * @module
 */
import { resolve } from "@std/path";
import type { Secrets } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { CommandContext } from "./command.ts";
import { brokenLine, parseDotenv } from "./dotenv.ts";
import { hideLogin, hideVariables, PREFIXES } from "./hide_secrets.ts";
import { readListIfThere } from "./project.ts";

/** What credentials are looked for with. Whatever is found is made known to the scrubber. */
export interface SecretsContext extends Pick<CommandContext, "terminal" | "locations"> {
  logs: Pick<CommandContext["logs"], "scrubber">;
}

/**
 * Finds the credentials of notifiers.
 * @throws {PipelineError} `cli/no-path` when a file that was named is not there, `config/not-text` when it is no UTF-8
 */
export async function readSecrets(
  { terminal, locations, logs }: SecretsContext,
  smtpEnv?: string,
): Promise<Secrets> {
  const file = smtpEnv === undefined ? locations.smtpEnvFile : resolve(terminal.cwd, smtpEnv);
  const text = await readListIfThere(file, "credentials");
  if (text === undefined && smtpEnv !== undefined) throw noFile(smtpEnv);
  const broken = text === undefined ? undefined : brokenLine(text);
  if (broken !== undefined) throw notText(file, broken);
  const fromFile = text === undefined ? {} : parseDotenv(text);
  for (const variables of [terminal.env, fromFile]) hideVariables(variables, logs.scrubber);
  const get = (name: string) => {
    for (const source of [terminal.env, fromFile]) {
      for (const prefix of PREFIXES) {
        const value = source[prefix + name];
        if (value !== undefined && value !== "") return value;
      }
    }
  };
  hideLogin(get("SMTP_USER"), get("SMTP_APP_PASSWORD"), logs.scrubber);
  return { get, where: (name) => `${PREFIXES[0]}${name} in the environment or in ${file}` };
}

/** The file named by `--smtp-env` must be there, whether or not it is needed in the end. */
export async function expectSmtpEnv(path: string | undefined, { terminal }: CommandContext): Promise<void> {
  if (path === undefined || await readListIfThere(resolve(terminal.cwd, path), "credentials") !== undefined) return;
  throw noFile(path);
}

/** A password with another character in place of one would only be refused by the server, again and again. */
function notText(file: string, line: number): PipelineError {
  return new PipelineError(
    "config/not-text",
    `Cannot read the credentials "${file}": line ${line} is not UTF-8 text`,
    { stopsRun: 2, hint: "Save the file as UTF-8 (in Notepad: Save As, Encoding UTF-8)." },
  );
}

function noFile(path: string): PipelineError {
  return new PipelineError("cli/no-path", `Cannot use --smtp-env "${path}": the file does not exist`, { stopsRun: 2 });
}
