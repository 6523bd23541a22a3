/** Commands that look at data, and the ledger, and locks. @module */
import type { CommandSpec } from "../command.ts";
import { FORMAT, STUDY, STUDY_EXITS } from "./flags.ts";

export const LOOKING: readonly CommandSpec[] = [
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
        load: () => import("../../commands/validate.ts"),
      },
      {
        name: "root",
        summary: "Every folder below a root",
        positionals: [{ name: "PATH", summary: "The folder that holds the studies." }],
        flags: STUDY,
        exits: STUDY_EXITS,
        example: "labferry validate root D:/Fusion",
        log: "stderr",
        load: () => import("../../commands/validate.ts"),
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
        load: () => import("../../commands/manifest.ts"),
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
        load: () => import("../../commands/manifest.ts"),
      },
    ],
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
    load: () => import("../../commands/unlock.ts"),
  },
];
