/**
 * Imports a module from bytes in memory. It has no path, and so no neighbours: a stage from outside is one file. Works
 * in the compiled program, too, where TypeScript needs a base runtime of Deno 2.8.2 or newer.
 * @module
 */
import { Buffer } from "node:buffer";
import { shown } from "./field.ts";

export type Language = "typescript" | "javascript";

/** Imports a module from its text. */
export type ImportText = (bytes: Uint8Array, language: Language) => Promise<Record<string, unknown>>;

export const importText: ImportText = async (bytes, language) => {
  const url = `data:application/${language};charset=utf-8;base64,${Buffer.from(bytes).toString("base64")}`;
  // Nobody can know at compile time what an operator will load: this is the one import that cannot be embedded.
  // deno-lint-ignore labferry/literal-import
  return await import(url);
};

/** What a failed import says, without the text of the module in it, and what to do. */
export function importWords(
  error: unknown,
  { path, language, deno = Deno.version.deno, standalone = Deno.build.standalone }: {
    path: string;
    language: Language;
    deno?: string;
    standalone?: boolean;
  },
): { said: string; hint: string } {
  const name = error instanceof Error ? error.name : "";
  const message = error instanceof Error ? error.message : shown(error);
  const said = oneLine(message, path);
  const isSyntax = name === "SyntaxError" || /^SyntaxError\b/.test(message);
  if (isSyntax && language === "typescript" && standalone && isBefore(deno, [2, 8, 2])) {
    return {
      said,
      hint: `This program is made with Deno ${deno}, which runs no TypeScript from outside: give it the file as .js`,
    };
  }
  if (isSyntax) return { said, hint: "The file is not valid here: mend it at the place that is named" };
  if (/cannot-be-a-base|not a dependency|Module not found|constraint|Relative import/i.test(message)) {
    return {
      said: `it imports what is not there: ${said}`,
      hint: "A stage from outside is one file and needs no imports: what it needs is in its argument, as in " +
        "({ defineStage, z }) => …. Types may be imported: import type. Bundle anything else into the file",
    };
  }
  return {
    said: name === "" || said.startsWith(name) ? said : `${name}: ${said}`,
    hint: "The file threw while it was loaded; a file must do nothing but define its stage. Tell its author",
  };
}

/** The words of the runtime on one line, without colours, and with the path in place of the module's text. */
function oneLine(message: string, path: string): string {
  return message
    // deno-lint-ignore no-control-regex
    .replace(/\u001B\[[0-9;]*m/g, "")
    .replace(/data:application\/[a-z]+;[A-Za-z0-9+/=;,.…-]*/g, path)
    .split("\n")
    .filter((line) => !/^\s*(?:\||\d+ \||~+)/.test(line))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(", ");
}

function isBefore(version: string, wanted: readonly number[]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10));
  for (const [at, part] of wanted.entries()) {
    if ((parts[at] ?? 0) !== part) return (parts[at] ?? 0) < part;
  }
  return false;
}
