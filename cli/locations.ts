/** Where labferry keeps its files on this machine. Pure, for both families of systems. @module */
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import { PipelineError } from "../core/errors.ts";

/** Absolute OS paths. */
export interface Locations {
  readonly configFile: string;
  /** Set when the config was named by `--config` or `LABFERRY_CONFIG`, and must therefore exist. */
  readonly configIsNamed: boolean;
  /** Folder of the config file; relative paths in it start here. */
  readonly configDir: string;
  readonly pipelinesDir: string;
  readonly recipientsDir: string;
  readonly smtpEnvFile: string;
  readonly stateDir: string;
  readonly journalFile: string;
  readonly logDir: string;
}

export interface LocateOptions {
  /** Value of `--config`. */
  config?: string;
  /** Value of `--state-dir`. */
  stateDir?: string;
  env: Readonly<Record<string, string | undefined>>;
  system: "windows" | "posix";
  cwd: string;
}

/**
 * Returns where config, state, recipients and credentials are.
 * @throws {PipelineError} `cli/no-home` when neither the arguments nor the environment name a place.
 */
export function locate(options: LocateOptions): Locations {
  const { env, system, cwd } = options;
  const path = system === "windows" ? windows : posix;
  const absolute = (given: string) => path.isAbsolute(given) ? path.normalize(given) : path.join(cwd, given);
  const home = system === "windows" ? env.USERPROFILE || env.HOME : env.HOME || env.USERPROFILE;
  const ownDir = () => {
    if (home) return path.join(absolute(home), ".config", "labferry");
    throw new PipelineError(
      "cli/no-home",
      `Cannot find the config: neither ${system === "windows" ? "USERPROFILE" : "HOME"} nor LABFERRY_CONFIG and ` +
        "LABFERRY_STATE_DIR are set, wanted a home folder",
      { stopsRun: 2, hint: "Pass --config PATH and set LABFERRY_STATE_DIR" },
    );
  };
  const named = options.config || env.LABFERRY_CONFIG || undefined;
  const configFile = named === undefined ? path.join(ownDir(), "config.toml") : absolute(named);
  const configDir = path.dirname(configFile);
  const state = options.stateDir || env.LABFERRY_STATE_DIR || undefined;
  const stateDir = state === undefined ? path.join(ownDir(), "state") : absolute(state);
  return {
    configFile,
    configIsNamed: named !== undefined,
    configDir,
    pipelinesDir: path.join(configDir, "pipelines"),
    recipientsDir: path.join(configDir, "recipients"),
    smtpEnvFile: path.join(configDir, "smtp.env"),
    stateDir,
    journalFile: path.join(stateDir, "journal.db"),
    logDir: path.join(stateDir, "logs"),
  };
}
