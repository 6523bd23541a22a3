/**
 * Credentials of notifiers: the environment first, then a dotenv file beside the config. Whatever is read here is taken
 * out of everything that is written from then on.
 * @module
 */
import { Buffer } from "node:buffer";
import { resolve } from "@std/path";
import type { Secrets } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { CommandContext } from "./command.ts";
import { readTextIfThere } from "./project.ts";
import { parseDotenv } from "./dotenv.ts";
import { isSecretName } from "./scrub.ts";

/** Prefixes of the names of variables: our own, and the one of the system this one replaces. */
const PREFIXES = ["LABFERRY_", "FUSION_"] as const;

/** What credentials are looked for with. Whatever is found is made known to the scrubber. */
export interface SecretsContext extends Pick<CommandContext, "terminal" | "locations"> {
  logs: Pick<CommandContext["logs"], "scrubber">;
}

/** Finds the credentials of notifiers. @throws {PipelineError} `cli/no-path` when a file that was named is not there */
export async function readSecrets(
  { terminal, locations, logs }: SecretsContext,
  smtpEnv?: string,
): Promise<Secrets> {
  const file = smtpEnv === undefined ? locations.smtpEnvFile : resolve(terminal.cwd, smtpEnv);
  const text = await readTextIfThere(file, "credentials");
  if (text === undefined && smtpEnv !== undefined) throw noFile(smtpEnv);
  const fromFile = text === undefined ? {} : parseDotenv(text.replace(/^\ufeff/, ""));
  const hide = (value: string) => {
    // As it travels in a login, too: a server may repeat in its answer what it was sent.
    for (const form of [value, Buffer.from(value).toString("base64"), encodeURIComponent(value)]) {
      logs.scrubber.add(form);
    }
  };
  for (const [name, value] of Object.entries(fromFile)) if (value && isSecretName(name)) hide(value);
  const get = (name: string) => {
    for (const source of [terminal.env, fromFile]) {
      for (const prefix of PREFIXES) {
        const value = source[prefix + name];
        if (value === undefined || value === "") continue;
        hide(value);
        return value;
      }
    }
  };
  const [user, password] = ["SMTP_USER", "SMTP_APP_PASSWORD"].map(get);
  if (user && password) logs.scrubber.add(Buffer.from(`\0${user}\0${password}`).toString("base64"));
  return { get, where: (name) => `${PREFIXES[0]}${name} in the environment or in ${file}` };
}

/** The file named by `--smtp-env` must be there, whether or not it is needed in the end. */
export async function expectSmtpEnv(path: string | undefined, { terminal }: CommandContext): Promise<void> {
  if (path === undefined || await readTextIfThere(resolve(terminal.cwd, path), "credentials") !== undefined) return;
  throw noFile(path);
}

function noFile(path: string): PipelineError {
  return new PipelineError("cli/no-path", `Cannot use --smtp-env "${path}": the file does not exist`, { stopsRun: 2 });
}
