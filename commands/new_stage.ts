/** `new stage`: writes a stage that works, and its test. Nothing that stands is overwritten. @module */
import { fromFileUrl, join, resolve } from "@std/path";
import type { Arguments, Command, CommandContext } from "../cli/command.ts";
import { builtinRegistry, readTextIfThere } from "../cli/project.ts";
import { exists, writeFile } from "../cli/write_file.ts";
import { PipelineError } from "../core/errors.ts";
import {
  builtinStage,
  builtinTest,
  externalStage,
  externalTest,
  namesOf,
  type StageNames,
  withStage,
} from "./_stage_templates.ts";

interface NewFile {
  path: string;
  text: string;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LONGEST_NAME = 64;
/** Names of devices: Windows has no file of that name, with whatever ending. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)$/;

export const run: Command = async (args, context) => {
  const names = namesOf(checkedName(args.at("NAME")));
  return args.has("builtin") ? await newBuiltin(names, args, context) : await newExternal(names, args, context);
};

/** @throws {PipelineError} `new/bad-name`, `new/name-taken`, exit code 2 */
function checkedName(name: string): string {
  if (!NAME.test(name) || name.length > LONGEST_NAME || DEVICES.test(name)) {
    const found = DEVICES.test(name) ? "Windows has no file of that name" : "it is no name of a stage";
    throw new PipelineError("new/bad-name", `Cannot make stage "${name}": ${found}`, {
      stopsRun: 2,
      hint:
        `Lower-case words joined by hyphens are wanted, a verb first, at most ${LONGEST_NAME} letters: count-images`,
    });
  }
  if (builtinRegistry().find("stage", name)) {
    throw new PipelineError("new/name-taken", `Cannot make stage "${name}": labferry has a stage of that name`, {
      stopsRun: 2,
      hint: `Choose another name; "labferry show ${name}" says what that stage does`,
    });
  }
  return name;
}

/** A file beside the config, and its test. Tests stand apart: whatever ends in `.ts` in the folder itself is loaded. */
async function newExternal(names: StageNames, args: Arguments, context: CommandContext): Promise<number> {
  const { terminal, locations } = context;
  const given = args.value("dir");
  const folder = given === undefined ? join(locations.configDir, "plugins") : resolve(terminal.cwd, given);
  const stage = join(folder, `${names.name}.ts`);
  const test = join(folder, "tests", `${names.name}_test.ts`);
  await write([{ path: stage, text: externalStage(names) }, { path: test, text: externalTest(names) }], context);
  const clone = cloneRoot();
  const config = clone === undefined ? "CLONE/deno.json" : join(clone, "deno.json");
  const isFound = given === undefined;
  terminal.out(steps([
    `${clone === undefined ? "with Deno and a clone of labferry: " : ""}deno test -A --config ${quoted(config)} ${
      quoted(test)
    }`,
    ...isFound ? [] : [`let the config name it: [plugins] files = [${JSON.stringify(stage)}]`],
    `labferry show ${names.name}`,
    `put it into a pipeline: [[stage]] use = "${names.name}"; then labferry lint and labferry plan`,
  ]));
  return 0;
}

/** A file of a clone, its test, and its line in the list. */
async function newBuiltin(names: StageNames, args: Arguments, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const root = resolve(terminal.cwd, args.value("dir") ?? ".");
  const listFile = join(root, "stages", "mod.ts");
  const list = await readTextIfThere(listFile, "list of stages");
  const listed = list === undefined ? undefined : withStage(list, names);
  if (listed === undefined) {
    throw new PipelineError(
      "new/no-clone",
      `Cannot add stage "${names.name}" to "${root}": ${
        list === undefined ? `there is no stages/mod.ts` : `stages/mod.ts is not a list of stages as labferry keeps it`
      }, wanted a clone of labferry`,
      {
        stopsRun: 2,
        hint: "Run it at the root of a clone, or name the clone by --dir; without --builtin none is needed",
      },
    );
  }
  await write([
    { path: join(root, "stages", `${names.snake}.ts`), text: builtinStage(names) },
    { path: join(root, "tests", "stages", `${names.snake}_test.ts`), text: builtinTest(names) },
  ], context);
  await writeFile(listFile, new TextEncoder().encode(listed), { mode: 0o644, standing: "replace" });
  terminal.out(`added  ${names.name} to ${listFile}\n`);
  terminal.out(steps([
    `deno test -A ${quoted(join("tests", "stages", `${names.snake}_test.ts`))}`,
    "deno task reference   (writes the pages of the reference anew, which CI compares)",
    "deno task ok   (what CI runs)",
  ]));
  return 0;
}

/** Writes files that must not be there yet. @throws {PipelineError} `new/exists`, exit code 2, before anything is written */
async function write(files: readonly NewFile[], { terminal }: CommandContext): Promise<void> {
  const standing: string[] = [];
  for (const { path } of files) if (await exists(path)) standing.push(path);
  if (standing.length > 0) throw alreadyThere(standing);
  for (const { path, text } of files) {
    const written = await writeFile(path, new TextEncoder().encode(text), { mode: 0o644, standing: "keep" });
    if (!written) throw alreadyThere([path]);
    terminal.out(`wrote  ${path}\n`);
  }
}

function alreadyThere(paths: readonly string[]): PipelineError {
  const names = paths.map((path) => `"${path}"`).join(" and ");
  return new PipelineError("new/exists", `Cannot write ${names}: already there, wanted nothing of that name`, {
    stopsRun: 2,
    hint: "Nothing that stands is overwritten. Choose another name or folder, or move the file away",
  });
}

/** Where this program's sources are; undefined in the compiled executable, which has them inside. */
function cloneRoot(): string | undefined {
  return Deno.build.standalone ? undefined : fromFileUrl(new URL("..", import.meta.url)).replace(/[\\/]$/, "");
}

function steps(lines: readonly string[]): string {
  return `\nNext:\n${lines.map((line, at) => `  ${at + 1}. ${line}\n`).join("")}`;
}

function quoted(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}
