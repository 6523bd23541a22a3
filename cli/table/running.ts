/** Commands that run pipelines, or show what a run would do. @module */
import type { CommandSpec } from "../command.ts";
import { DRY_RUN, JSON_REPORT, RUN_EXITS, RUN_FLAGS, SMTP_ENV } from "./flags.ts";

export const RUNNING: readonly CommandSpec[] = [
  {
    name: "run",
    summary: "Run a pipeline",
    about: "Runs a preset, a pipeline of the config folder, or a file. What is already proved is not done again.",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    flags: RUN_FLAGS,
    exits: RUN_EXITS,
    example: "labferry run backup --dry-run",
    log: "file",
    load: () => import("../../commands/run.ts"),
  },
  {
    name: "backup",
    summary: "Copy idle studies to their places, prove them, free the instrument",
    log: "file",
    subcommands: [{
      name: "run",
      summary: "Run the pipeline backup",
      flags: RUN_FLAGS,
      exits: RUN_EXITS,
      example: "labferry backup run",
      log: "file",
      load: () => import("../../commands/backup.ts"),
    }],
  },
  {
    name: "cleanup",
    summary: "Evict the oldest backups from the NAS while it is short of space",
    log: "file",
    subcommands: [{
      name: "run",
      summary: "Run the pipeline cleanup",
      about: "Each backup goes only after the bucket is proved to hold every file of it. --dry-run shows which would " +
        "go, in order, and the free space after each.",
      flags: RUN_FLAGS,
      exits: [
        [0, "enough is free"],
        [1, "a backup was refused, or not enough could be freed; the message says which stay and why"],
        [2, "the NAS is not mounted, or another run holds its lock"],
        [130, "interrupted; what was begun is taken up first by the next run"],
      ],
      example: "labferry cleanup run --dry-run",
      log: "file",
      load: () => import("../../commands/cleanup.ts"),
    }],
  },
  {
    name: "monitor",
    summary: "Follow the log of the instrument and tell people of errors",
    log: "file",
    subcommands: [{
      name: "tail",
      summary: "Run the pipeline monitor until it is stopped",
      about: "SIGTERM or Ctrl+C ends it; the next start goes on where it stopped. A dry run shows what is in the log " +
        "now, and ends.",
      flags: [DRY_RUN, JSON_REPORT, SMTP_ENV],
      exits: [[0, "it was asked to stop"], [1, "it crashed; the event monitor_crash is queued"]],
      example: "labferry monitor tail",
      log: "file",
      load: () => import("../../commands/monitor.ts"),
    }],
  },
  {
    name: "plan",
    summary: "Show step by step what a pipeline would do",
    about: "A dry run that prints every step. Nothing is changed and no hook runs.",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    flags: [{ name: "only", value: "NAME", summary: "Plan this item alone." }, JSON_REPORT],
    exits: [
      [0, "the plan is complete, and nothing is known that would stop a run or fail an item"],
      [1, "an item would fail, or a run would end with 1"],
      [2, "a run would end with 2: a place without its mark that no hook may bring, a lock that is held"],
    ],
    example: "labferry plan backup --only 20250131_ada_kidney_b1",
    log: "stderr",
    silent: true,
    load: () => import("../../commands/plan.ts"),
  },
];
