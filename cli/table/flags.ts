/** Flags and exit codes that several commands have. @module */
import type { FlagSpec } from "../command.ts";

export const DRY_RUN: FlagSpec = { name: "dry-run", summary: "Show what would be done; change nothing, run no hook." };

export const SMTP_ENV: FlagSpec = { name: "smtp-env", value: "PATH", summary: "File with the SMTP credentials." };

export const FORMAT: FlagSpec = {
  name: "format",
  short: "f",
  value: "FORMAT",
  choices: ["text", "json"],
  summary: "Format of the result.",
};

export const JSON_REPORT: FlagSpec = { name: "json", summary: "Write the result as JSON to stdout." };

export const EVENT: FlagSpec = {
  name: "event",
  value: "EVENT",
  summary: "Name of the event, for example backup_failure.",
};

export const RUN_FLAGS: readonly FlagSpec[] = [
  DRY_RUN,
  { name: "only", value: "NAME", summary: "Take up this item alone." },
  {
    name: "force",
    value: "STAGE",
    bare: true,
    summary: "Repeat work although evidence stands, of one stage or of all. No condition is waived.",
  },
  JSON_REPORT,
  SMTP_ENV,
];

export const RUN_EXITS = [
  [0, "every item is done, or there was none"],
  [1, "an item failed, a hook failed, a place was lost midway, or a lock is in the way"],
  [130, "interrupted; what was begun is finished or left to be resumed. An endless pipeline ends with 0 instead"],
] as const;

export const STUDY: readonly FlagSpec[] = [
  FORMAT,
  { name: "standard", value: "NAME", summary: "Naming standard; phenocycler unless said otherwise." },
];

export const STUDY_EXITS = [[0, "every study conforms"], [1, "at least one study does not, or there is none"]] as const;
