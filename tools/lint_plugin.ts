/**
 * The house rules that a machine can check, as a plugin of `deno lint` (named in deno.json).
 * @module
 */
import { cliOnly, noAmbientIo, noSleepInTests } from "./lint/effects.ts";
import { importArrows, literalImport } from "./lint/imports.ts";
import { errorMessage } from "./lint/messages.ts";
import { noDefaultExport, plainTypes } from "./lint/syntax.ts";

const plugin: Deno.lint.Plugin = {
  name: "labferry",
  rules: {
    "import-arrows": importArrows,
    "literal-import": literalImport,
    "cli-only": cliOnly,
    "no-ambient-io": noAmbientIo,
    "no-sleep-in-tests": noSleepInTests,
    "error-message": errorMessage,
    "no-default-export": noDefaultExport,
    "plain-types": plainTypes,
  },
};

export default plugin;
