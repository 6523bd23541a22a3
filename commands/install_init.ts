/** `install init`: writes the config, the credentials file and the lists of recipients, for people to fill in. @module */
import { basename, join, resolve } from "@std/path";
import type { Command, CommandContext } from "../cli/command.ts";
import { builtinRegistry } from "../cli/project.ts";
import { schemaFiles } from "../cli/schema_files.ts";
import { exists, writeFile } from "../cli/write_file.ts";
import { PipelineError } from "../core/errors.ts";
import { ioError } from "../core/io/io_errors.ts";
import { type InitFile, initFiles } from "./_init_templates.ts";

interface Target {
  folder: string;
  configFile: string;
}

export const run: Command = async (args, context) => {
  const { terminal, logs } = context;
  const { folder, configFile } = await targetOf(args.value("config-dir"), context);
  const templates = initFiles(terminal.system, {
    configName: basename(configFile),
    schemas: schemaFiles(builtinRegistry()),
  });
  const files = templates.map((file) => ({ ...file, path: join(folder, ...file.path.split("/")) }));
  const force = args.has("force");
  if (!force) await refuseStanding(files.filter(isReplaced).map((file) => file.path));
  const encoder = new TextEncoder();
  const stamp = new Date(terminal.now()).toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  for (const { kind, path, text, mode } of files) {
    const kept = isReplaced({ kind }) && await keepCopy(path, { stamp, mode });
    if (kept) {
      terminal.out(`saved  ${kept}\n`);
      logs.printed("a file was kept under another name", { path, kept });
    }
    const standing = kind === "schema" || (force && kind !== "recipients") ? "replace" : "keep";
    const written = await writeFile(path, encoder.encode(text), { mode, standing });
    terminal.out(`${written ? "wrote" : "kept "}  ${path}\n`);
    logs.printed(written ? "a file was written" : "a file was kept", { path });
  }
  terminal.out(nextSteps(folder, configFile, context));
  return 0;
};

/** Whether `--force` is needed where such a file stands. */
function isReplaced({ kind }: Pick<InitFile, "kind">): boolean {
  return kind === "config" || kind === "credentials";
}

/** What `--force` replaces stays beside it: its name with the time and `.bak`; undefined when nothing stands there. */
async function keepCopy(path: string, { stamp, mode }: { stamp: string; mode: number }): Promise<string | undefined> {
  if (!await exists(path)) return undefined;
  const copy = `${path}.${stamp}.bak`;
  const bytes = await Deno.readFile(path).catch((error) => {
    throw ioError(error, { verb: "keep a copy of", path });
  });
  await writeFile(copy, bytes, { mode, standing: "keep" });
  return copy;
}

/** `--config-dir` names a folder; otherwise the config that is in force here is the one to write. */
async function targetOf(given: string | undefined, { terminal, locations }: CommandContext): Promise<Target> {
  if (given === undefined) return { folder: locations.configDir, configFile: locations.configFile };
  const folder = resolve(terminal.cwd, given);
  await expectUsable(folder);
  return { folder, configFile: join(folder, "config.toml") };
}

/** A folder that is a file, or lies below one, or that this account may not make, is a mistake in the argument. */
async function expectUsable(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    const { message } = ioError(cause, { verb: "use --config-dir", path: folder });
    throw new PipelineError("cli/no-folder", message, {
      cause,
      stopsRun: 2,
      hint: "Name a folder that this account may write to; it is made if it is not there",
    });
  }
}

async function refuseStanding(paths: readonly string[]): Promise<void> {
  const standing: string[] = [];
  for (const path of paths) if (await exists(path)) standing.push(path);
  if (standing.length === 0) return;
  const names = standing.map((path) => `"${path}"`).join(" and ");
  throw new PipelineError("init/exists", `Cannot write ${names}: already there, wanted nothing of that name`, {
    stopsRun: 2,
    hint:
      "Nothing was written. --force replaces the config and smtp.env by templates, and keeps copies of them (.bak); lists of recipients always stay",
  });
}

function nextSteps(folder: string, configFile: string, { locations }: CommandContext): string {
  const flag = configFile === locations.configFile && !locations.configIsNamed ? "" : ` --config ${quoted(configFile)}`;
  const steps = [
    `edit ${configFile}: at least [paths] and [s3]`,
    `for messages by e-mail: [notify] in it, ${join(folder, "smtp.env")}, and ${join(folder, "recipients")}`,
    `labferry${flag} install places   (marks the folders that may be written to)`,
    `labferry${flag} lint backup`,
    `labferry${flag} install tasks    (when a run by hand went well)`,
  ];
  return `\nNext:\n${steps.map((step, at) => `  ${at + 1}. ${step}\n`).join("")}`;
}

function quoted(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}
