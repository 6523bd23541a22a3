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
    name: "test",
    summary: "Run the cases of pipelines in a scratch world",
    about:
      "A case is a file <pipeline>.<what it shows>.case.toml beside the pipeline: studies, what goes wrong, and how " +
      "it must end. All of it happens in memory; of the config only the stages of your own count, and their code runs. " +
      "Without arguments: all cases of the config folder, and those of the presets that no pipeline there replaces.",
    positionals: [{
      name: "CASE",
      optional: true,
      many: true,
      summary: "A .case.toml file, a folder of them, or a name of a case or pipeline.",
    }],
    flags: [JSON_REPORT, { name: "filter", value: "TEXT", summary: "Cases whose name or summary has this text." }],
    exits: [[0, "every case went as it says"], [1, "a case did not; what was wanted and what was found is shown"], [
      2,
      "a case or its pipeline is wrong, or there is none",
    ]],
    example: "labferry test backup --filter nas",
    log: "stderr",
    silent: true,
    load: () => import("../../commands/test.ts"),
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
      "Writes config.schema.json, pipeline.schema.json with every option of every plugin, and case.schema.json. Editors " +
      "with a TOML language server use them where the first line of a file says so (#:schema).",
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
