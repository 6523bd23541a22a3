/** `schema`: writes the JSON Schemas that editors check and complete the config and pipelines with. @module */
import { join, resolve } from "@std/path";
import type { Command } from "../cli/command.ts";
import { knownPlugins } from "../cli/project.ts";
import { schemaFiles } from "../cli/schema_files.ts";
import { writeFile } from "../cli/write_file.ts";

export const run: Command = async (args, context) => {
  const { terminal, locations } = context;
  const out = args.value("out");
  const folder = out === undefined ? join(locations.configDir, "schema") : resolve(terminal.cwd, out);
  const encoder = new TextEncoder();
  for (const { name, text } of schemaFiles((await knownPlugins(context)).registry)) {
    const path = join(folder, name);
    await writeFile(path, encoder.encode(text), { mode: 0o644, standing: "replace" });
    terminal.out(`wrote  ${path}\n`);
  }
  if (!context.globals.quiet) terminal.err(HOW);
  return 0;
};

const HOW = `
Editors with a TOML language server (Even Better TOML, taplo) use them where the first line says so:
  config.toml            #:schema ./schema/config.schema.json
  pipelines/<name>.toml  #:schema ../schema/pipeline.schema.json
`;
