/** Where the files of a command line are that was never parsed. @module */
import { locate } from "./locations.ts";
import type { Locations } from "./locations.ts";
import type { Terminal } from "./terminal.ts";

/** The value of a flag in a command line that could not be parsed. */
export function valueIn(argv: readonly string[], flag: string): string | undefined {
  const at = argv.findIndex((word) => word === `--${flag}` || word.startsWith(`--${flag}=`));
  if (at < 0) return undefined;
  return argv[at] === `--${flag}` ? argv[at + 1] : argv[at].slice(`--${flag}=`.length);
}

/** Where its files are. @throws {PipelineError} `cli/no-home` */
export function locateIn(argv: readonly string[], { env, system, cwd }: Terminal): Locations {
  return locate({ config: valueIn(argv, "config"), stateDir: valueIn(argv, "state-dir"), env, system, cwd });
}

/** What a command line that went wrong names; without `locations` where there is not even a home folder. */
export function whereabouts(
  { argv, terminal }: { argv: readonly string[]; terminal: Terminal },
): { terminal: Terminal; locations?: Locations; smtpEnv?: string } {
  const smtpEnv = valueIn(argv, "smtp-env");
  try {
    return { terminal, locations: locateIn(argv, terminal), smtpEnv };
  } catch {
    return { terminal, smtpEnv }; // whoever needs the folder says so
  }
}
