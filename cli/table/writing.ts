/** Commands for those who write pipelines and stages. @module */
import type { CommandSpec } from "../command.ts";
import { JSON_REPORT } from "./flags.ts";

export const WRITING: readonly CommandSpec[] = [
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
    load: () => import("../../commands/lint.ts"),
  },
  {
    name: "echo",
    summary: "Print a pipeline as it is in force, without secrets",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    example: "labferry echo backup",
    log: "stderr",
    load: () => import("../../commands/echo.ts"),
  },
  {
    name: "graph",
    summary: "Draw a pipeline: stages, places, evidence",
    about: "Prints a Mermaid flowchart, which GitHub, GitLab and mermaid.live show as a picture: stages as boxes in " +
      "their order, what they write as thick arrows, which evidence each counts on as dotted ones.",
    positionals: [{ name: "PIPELINE", summary: "Name of a pipeline, or path of a .toml file." }],
    example: "labferry graph backup",
    log: "stderr",
    load: () => import("../../commands/graph.ts"),
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
    load: () => import("../../commands/list.ts"),
  },
  {
    name: "show",
    summary: "Describe a stage, another plugin or a pipeline",
    positionals: [{ name: "NAME", summary: "Its name, as in `use`." }],
    flags: [JSON_REPORT],
    example: "labferry show copy",
    log: "stderr",
    load: () => import("../../commands/show.ts"),
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
    load: () => import("../../commands/schema.ts"),
  },
  {
    name: "new",
    summary: "Begin a stage of your own",
    log: "stderr",
    silent: true,
    subcommands: [{
      name: "stage",
      summary: "Write a stage that works, and its test",
      about: "Writes plugins/NAME.ts beside the config, where labferry finds it, and plugins/tests/NAME_test.ts. " +
        "Nothing that stands is overwritten. docs/write_a_stage.md goes on from there.",
      positionals: [{ name: "NAME", summary: "Lower-case words joined by hyphens, a verb first: count-images." }],
      flags: [
        { name: "dir", value: "DIR", summary: "Write into this folder instead; with --builtin, the clone." },
        { name: "builtin", summary: "Write a stage of labferry itself, in a clone: with its line in the list." },
      ],
      exits: [[0, "the files are written"], [2, "the name cannot be used, or a file is there already"]],
      example: "labferry new stage count-images",
      log: "stderr",
      silent: true,
      load: () => import("../../commands/new_stage.ts"),
    }],
  },
];
