/** Every command of labferry, in one table. Loading it loads none of them. @module */
import type { CommandSpec, FlagSpec } from "./command.ts";

const DRY_RUN: FlagSpec = { name: "dry-run", summary: "Show what would be done; change nothing, run no hook." };
const SMTP_ENV: FlagSpec = { name: "smtp-env", value: "PATH", summary: "File with the SMTP credentials." };
const FORMAT: FlagSpec = {
  name: "format",
  short: "f",
  value: "FORMAT",
  choices: ["text", "json"],
  summary: "Format of the result.",
};
const JSON_REPORT: FlagSpec = { name: "json", summary: "Write the result as JSON to stdout." };

const EVENT: FlagSpec = { name: "event", value: "EVENT", summary: "Name of the event, for example backup_failure." };

const RUN_FLAGS: readonly FlagSpec[] = [
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
const RUN_EXITS = [
  [0, "every item is done, or there was none"],
  [1, "an item failed, a hook failed, a place was lost midway, or a lock is in the way"],
  [130, "interrupted; what was begun is finished or left to be resumed. An endless pipeline ends with 0 instead"],
] as const;
const STUDY: readonly FlagSpec[] = [
  FORMAT,
  { name: "standard", value: "NAME", summary: "Naming standard; phenocycler unless said otherwise." },
];
const STUDY_EXITS = [[0, "every study conforms"], [1, "at least one study does not, or there is none"]] as const;

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "run",
    summary: "Run a pipeline",
    about: "Runs a preset, a pipeline of the config folder, or a file. What is already proved is not done again.",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    flags: RUN_FLAGS,
    exits: RUN_EXITS,
    example: "labferry run backup --dry-run",
    log: "file",
    load: () => import("../commands/run.ts"),
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
      load: () => import("../commands/backup.ts"),
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
      load: () => import("../commands/cleanup.ts"),
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
      load: () => import("../commands/monitor.ts"),
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
    load: () => import("../commands/plan.ts"),
  },
  {
    name: "validate",
    summary: "Hold studies against the naming standard",
    log: "stderr",
    subcommands: [
      {
        name: "study",
        summary: "One study folder, all findings",
        positionals: [{ name: "PATH", summary: "The study's folder." }],
        flags: STUDY,
        exits: STUDY_EXITS,
        example: "labferry validate study D:/Fusion/20250131_ada_kidney_b1 -f json",
        log: "stderr",
        load: () => import("../commands/validate.ts"),
      },
      {
        name: "root",
        summary: "Every folder below a root",
        positionals: [{ name: "PATH", summary: "The folder that holds the studies." }],
        flags: STUDY,
        exits: STUDY_EXITS,
        example: "labferry validate root D:/Fusion",
        log: "stderr",
        load: () => import("../commands/validate.ts"),
      },
    ],
  },
  {
    name: "manifest",
    summary: "Read the ledger of backups",
    log: "stderr",
    subcommands: [
      {
        name: "show",
        summary: "The latest record of every backup",
        positionals: [{ name: "FILE", summary: "A month's .jsonl file, or the folder that holds them." }],
        flags: [FORMAT],
        exits: [[0, "the ledger was read; lines that cannot be read are told on stderr"]],
        example: "labferry manifest show N:/manifests/2025-06.jsonl",
        log: "stderr",
        load: () => import("../commands/manifest.ts"),
      },
      {
        name: "verify",
        summary: "Check the hash chain",
        positionals: [{ name: "FILE", summary: "A month's .jsonl file, or the folder that holds them." }],
        flags: [FORMAT],
        exits: [[0, "every line follows from the one before"], [
          1,
          "the chain is broken, the last line is torn, or there is none",
        ]],
        example: "labferry manifest verify N:/manifests",
        log: "stderr",
        load: () => import("../commands/manifest.ts"),
      },
    ],
  },
  {
    name: "notify",
    summary: "Who is told of what, and whether it arrives",
    log: "stderr",
    subcommands: [
      {
        name: "list-subscribers",
        summary: "Recipients of each event, and the list they come from",
        flags: [EVENT, JSON_REPORT],
        example: "labferry notify list-subscribers --event backup_failure",
        log: "stderr",
        silent: true,
        load: () => import("../commands/notify.ts"),
      },
      {
        name: "test",
        summary: "Send a TEST of one event to whoever hears of it",
        flags: [EVENT, DRY_RUN, SMTP_ENV, JSON_REPORT],
        exits: [[0, "every server took it"], [1, "nobody hears of it, or a server did not take it"]],
        example: "labferry notify test --event backup_failure --dry-run",
        log: "stderr",
        silent: true,
        load: () => import("../commands/notify.ts"),
      },
    ],
  },
  {
    name: "install",
    summary: "Set labferry up on this machine",
    log: "file",
    subcommands: [
      {
        name: "init",
        summary: "Write a config, smtp.env and lists of recipients to fill in",
        about: "Every key of the config stands in it with what it is for. Lists of recipients that are there already " +
          "are never touched.",
        flags: [
          { name: "config-dir", value: "PATH", summary: "Folder to write to instead of that of the config in force." },
          { name: "force", summary: "Replace a config and smtp.env that are there already." },
        ],
        exits: [[0, "the files are written"]],
        example: "labferry install init",
        log: "file",
        load: () => import("../commands/install_init.ts"),
      },
      {
        name: "places",
        summary: "Mark the folders that pipelines write to",
        about: "Runs the hooks in [[before]] first, so that what they mount is there, then puts .labferry-place into " +
          "every root that has none. A root without its mark is never written to.",
        positionals: [{
          name: "PIPELINE",
          optional: true,
          many: true,
          summary: "Pipelines to look at; all of them if none is named.",
        }],
        flags: [
          { name: "replaced", summary: "A place was replaced on purpose: forget the mark it had before." },
          JSON_REPORT,
        ],
        exits: [[0, "every place is marked"], [1, "a hook failed, or a place cannot be written"]],
        example: "labferry install places",
        log: "file",
        load: () => import("../commands/install_places.ts"),
      },
      {
        name: "tasks",
        summary: "Have the system start backup, cleanup and monitor",
        about:
          "Registers LabferryBackup (monthly, day 1), LabferryCleanup (monthly, day 20) and LabferryMonitor (with " +
          "the system). Safe to repeat. Nobody is asked for a password where tasks run as who registers them.",
        flags: [
          { name: "user", value: "U", summary: "Account the tasks run as (schtasks); yours unless said otherwise." },
          { name: "password", value: "P", summary: "Its password (schtasks); asked for if left out." },
          { name: "uninstall", summary: "Remove the tasks; those that are not there are no error." },
          {
            name: "scheduler",
            value: "NAME",
            choices: ["schtasks", "systemd"],
            summary: "What starts them; that of this system unless said otherwise.",
          },
        ],
        exits: [[0, "the tasks are registered, or removed"], [1, "the scheduler refuses"]],
        example: "labferry install tasks",
        log: "file",
        load: () => import("../commands/install_tasks.ts"),
      },
    ],
  },
  {
    name: "lint",
    summary: "Check pipelines before they run",
    about: "Syntax and options, safety, and what the pipelines need of this machine. Every message has a code; " +
      "--explain says what it means. Stages from outside are loaded, which runs their code, as it does in a dry run.",
    positionals: [{
      name: "PIPELINE",
      optional: true,
      many: true,
      summary: "Names or .toml files; all pipelines if none is named.",
    }],
    flags: [
      JSON_REPORT,
      { name: "offline", summary: "Leave out what needs a look at folders and stores." },
      { name: "explain", value: "CODE", summary: "Say what a code such as safety/not-sealed means, and end." },
    ],
    exits: [[0, "no error was found"]],
    example: "labferry lint backup",
    log: "stderr",
    load: () => import("../commands/lint.ts"),
  },
  {
    name: "echo",
    summary: "Print a pipeline as it is in force, without secrets",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    example: "labferry echo backup",
    log: "stderr",
    load: () => import("../commands/echo.ts"),
  },
  {
    name: "graph",
    summary: "Draw a pipeline: stages, places, evidence",
    about: "Prints a Mermaid flowchart, which GitHub, GitLab and mermaid.live show as a picture: stages as boxes in " +
      "their order, what they write as thick arrows, which evidence each counts on as dotted ones.",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    example: "labferry graph backup",
    log: "stderr",
    load: () => import("../commands/graph.ts"),
  },
  {
    name: "list",
    summary: "List pipelines and plugins",
    about: "Stages from outside are marked with their file; a file that gives none is shown as broken. Their code is " +
      "loaded for that.",
    positionals: [{
      name: "KIND",
      optional: true,
      summary: "pipelines, stages, sources, notifiers, standards, stores or schedulers; all if left out.",
    }],
    flags: [JSON_REPORT],
    example: "labferry list stages",
    log: "stderr",
    load: () => import("../commands/list.ts"),
  },
  {
    name: "show",
    summary: "Describe a stage, another plugin or a pipeline",
    positionals: [{ name: "NAME", summary: "Its name, as in `use`." }],
    flags: [JSON_REPORT],
    example: "labferry show copy",
    log: "stderr",
    load: () => import("../commands/show.ts"),
  },
  {
    name: "schema",
    summary: "Write JSON Schemas, with which editors check and complete TOML",
    about:
      "Writes config.schema.json and pipeline.schema.json, with every option of every plugin. Editors with a TOML " +
      "language server use them where the first line of a file says so (#:schema).",
    flags: [{ name: "out", value: "DIR", summary: "Folder to write to instead of schema/ beside the config." }],
    exits: [[0, "the files are written"]],
    example: "labferry schema --out ./schema",
    log: "stderr",
    load: () => import("../commands/schema.ts"),
  },
  {
    name: "unlock",
    summary: "Clear the lock of a dead run from an item",
    about: "Shows who holds the lock. A lock that a living process holds is never cleared.",
    positionals: [{
      name: "ITEM",
      summary: "Name of an item below the source root or the NAS, or path of its folder.",
    }],
    flags: [{ name: "yes", short: "y", summary: "Do not ask." }],
    exits: [[0, "there is no lock any more"], [1, "a process holds it, or it was left"]],
    example: "labferry unlock 20250131_ada_kidney_b1",
    log: "file",
    load: () => import("../commands/unlock.ts"),
  },
  {
    name: "demo",
    summary: "The whole job on made-up studies in a scratch folder",
    about:
      "Studies are archived and freed, a NAS that runs full is freed of what S3 holds, and errors of the instrument " +
      "are told by mail. All of it happens in the folder and in this process: the S3 endpoint, the mail server and the " +
      "mailboxes are its own.",
    flags: [{ name: "keep", value: "DIR", summary: "Work in this folder and leave everything in it." }],
    exits: [[0, "everything went as it should"], [1, "something did not; it is named at the end"]],
    example: "labferry demo --keep ./demo-run",
    log: "stderr",
    silent: true,
    load: () => import("../commands/demo.ts"),
  },
];

/** Returns the command of a name. */
export function findCommand(commands: readonly CommandSpec[], name: string): CommandSpec | undefined {
  return commands.find((command) => command.name === name);
}

/** Flags of a command and of all its sub-commands, each once. */
export function commandFlags(spec: CommandSpec): FlagSpec[] {
  const all = [...spec.flags ?? [], ...(spec.subcommands ?? []).flatMap((sub) => sub.flags ?? [])];
  return all.filter((flag, at) => all.findIndex((other) => other.name === flag.name) === at);
}
