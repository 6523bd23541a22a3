/** Where an option's value was written: in the pipeline, or in the config that its template reads. Pure. @module */
import type { Json } from "../json.ts";
import type { CompiledPart } from "./compile.ts";
import type { LoadedConfig } from "./config.ts";
import type { Where } from "./diagnostic.ts";
import { templateNames } from "./template.ts";
import { keySpan, nodeAt, type TomlDocument, type TomlPath, valueSpan } from "./toml_document.ts";

interface Texts {
  document: TomlDocument;
  config: LoadedConfig;
}

/**
 * Where the value at a path of the pipeline is to be edited. A value that one key of the config gives stands there, and
 * the note names the line that reads it; any other stands in the pipeline.
 */
export function writtenAt(texts: Texts, path: TomlPath): Where {
  const { document, config } = texts;
  const span = nodeAt(document, path) ? valueSpan(document, path) : keySpan(document, path);
  const here = { source: document.source, span };
  const template = templateAt(document, path);
  const { names, isSole } = templateNames(template?.text ?? "");
  const [name] = names;
  if (template === undefined || new Set(names).size !== 1 || /^(?:env|item)\./.test(name)) return here;
  const key = name.split(".");
  if (nodeAt(config.document, key) === undefined) {
    return { ...here, note: `"\${${name}}" is not set in ${config.file}, so its default is in force` };
  }
  const { line, column } = valueSpan(document, template.path);
  return {
    source: config.document.source,
    span: valueSpan(config.document, isSole ? [...key, ...path.slice(template.path.length)] : key),
    note: `${document.source.file}:${line}:${column} reads it as "\${${name}}"`,
  };
}

/** The string at a path, or at the nearest parent that is there: a template may give a list. */
function templateAt(document: TomlDocument, path: TomlPath): { text: string; path: TomlPath } | undefined {
  for (let length = path.length; length > 0; length--) {
    const at = path.slice(0, length);
    const node = nodeAt(document, at);
    if (node === undefined) continue;
    return node.kind === "scalar" && typeof node.value === "string" ? { text: node.value, path: at } : undefined;
  }
  return undefined;
}

type Part = Pick<CompiledPart<unknown>, "options" | "path" | "position">;

/** Where the option of a part that has this value is to be edited; the part itself where the pipeline gives it. */
export function valueWrittenAt(
  texts: Texts,
  { part, value }: { part: Part; value: Json | undefined },
): Where {
  const options = Object.entries(part.options as Record<string, unknown>);
  const option = options.find(([, given]) => value !== undefined && given === value)?.[0];
  const written = option === undefined ? undefined : writtenAt(texts, [...part.path, "with", option]);
  const inConfig = written?.source === texts.config.document.source;
  return inConfig ? written : { source: texts.document.source, span: part.position };
}

/** Where a key of the config stands that a part needs without naming it; the part itself where the key is not set. */
export function keyWrittenAt(
  { document, config }: Texts,
  { part, key }: { part: Part; key: readonly string[] },
): Where {
  const node = nodeAt(config.document, key);
  if (node === undefined) return { source: document.source, span: part.position };
  const { line, column } = part.position;
  return {
    source: config.document.source,
    span: node.span,
    note: `${document.source.file}:${line}:${column} needs it`,
  };
}
