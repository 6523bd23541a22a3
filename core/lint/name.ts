/** Whether a pipeline bears the name it is found by. @module */
import type { CompiledPipeline } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import { valueSpan } from "../pipeline/toml_document.ts";
import { ruleSeverity } from "./rules.ts";

/** Report, journal and events go by the name in the file; people look for the one they typed. */
export function lintName({ name, document }: CompiledPipeline, asked: string): Diagnostic[] {
  if (name === asked) return [];
  const code = "pipeline/name-differs";
  return [diagnose({ source: document.source, span: valueSpan(document, ["name"]) }, {
    code,
    severity: ruleSeverity(code),
    message:
      `Cannot tell which "${name}" is meant: the file is found as "${asked}", and events are named after "${name}"`,
    hint: `write name = "${asked}", or give the file the name ${name}.toml`,
  })];
}
