/** Texts of files for the tests of this folder. @module */
import type { StageLoader } from "../../../core/external/load_file.ts";
import { importText } from "../../../core/external/import_text.ts";
import { pluginApi } from "../../../core/plugin_api.ts";

/** A loader over these files. */
export function loaderOf(files: Record<string, string>): StageLoader {
  return {
    readFile(path) {
      if (files[path] !== undefined) return Promise.resolve(new TextEncoder().encode(files[path]));
      return Promise.reject(Object.assign(new Deno.errors.NotFound("no"), { code: "ENOENT" }));
    },
    importText,
    api: pluginApi,
    timeoutMs: 120_000,
  };
}

/** A file with a sound stage, and more fields or others. */
export function stageText(name: string, more = ""): string {
  return `export default ({ defineStage, z }) => defineStage({
    kind: "stage", name: "${name}", summary: "Looks.", takes: "tree", effect: "read", resume: "redo",
    options: z.strictObject({}), example: "", open: () => ({ async *plan() {}, async apply() {} }), ${more}
  });`;
}
