/**
 * Writes `schema/` for editors of this repository's own pipelines, from the plugins that come with labferry:
 * `deno run -A tools/schemas.ts`.
 * @module
 */
import { join } from "@std/path";
import { builtinRegistry } from "../cli/project.ts";
import { schemaFiles } from "../cli/schema_files.ts";

if (import.meta.main) {
  const folder = join(import.meta.dirname ?? ".", "..", "schema");
  await Deno.mkdir(folder, { recursive: true });
  for (const { name, text } of schemaFiles(builtinRegistry())) await Deno.writeTextFile(join(folder, name), text);
}
