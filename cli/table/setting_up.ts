/** Commands that set a host up, and try it. @module */
import type { CommandSpec } from "../command.ts";
import { DRY_RUN, EVENT, JSON_REPORT, SMTP_ENV } from "./flags.ts";

export const SETTING_UP: readonly CommandSpec[] = [
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
        load: () => import("../../commands/notify.ts"),
      },
      {
        name: "test",
        summary: "Send a TEST of one event to whoever hears of it",
        flags: [EVENT, DRY_RUN, SMTP_ENV, JSON_REPORT],
        exits: [[0, "every server took it"], [1, "nobody hears of it, or a server did not take it"]],
        example: "labferry notify test --event backup_failure --dry-run",
        log: "stderr",
        silent: true,
        load: () => import("../../commands/notify.ts"),
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
        load: () => import("../../commands/install_init.ts"),
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
        load: () => import("../../commands/install_places.ts"),
      },
      {
        name: "tasks",
        summary: "Have the system start backup, cleanup and monitor",
        about:
          "Registers LabferryBackup (monthly, day 1), LabferryCleanup (monthly, day 20) and LabferryMonitor (with " +
          "the system). Safe to repeat. Nobody is asked for a password where tasks run as who registers them.",
        flags: [
          { name: "user", value: "U", summary: "Account the tasks run as (schtasks); yours unless said otherwise." },
          { name: "password", value: "P", secret: true, summary: "Its password (schtasks); asked for if left out." },
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
        load: () => import("../../commands/install_tasks.ts"),
      },
    ],
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
    load: () => import("../../commands/demo.ts"),
  },
];
