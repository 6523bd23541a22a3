/**
 * Case files: read with positions, every mistake said as those of a pipeline are.
 * @module
 */
import { basename } from "@std/path";
import type { Json } from "../core/json.ts";
import { diagnose, type Diagnostic, hasErrors } from "../core/pipeline/diagnostic.ts";
import { nameHint } from "../core/pipeline/nearest.ts";
import { CASE_SUFFIX } from "../core/pipeline/presets.ts";
import { checkSchema } from "../core/pipeline/schema_diagnostics.ts";
import {
  keySpan,
  nodeAt,
  parseToml,
  type TomlDocument,
  type TomlPath,
  tomlValue,
  valueSpan,
} from "../core/pipeline/toml_document.ts";
import { casePath, PLACE_WORDS } from "./case_paths.ts";
import { type Case, CASE_SCHEMA, type CaseEnd, type Meanwhile } from "../core/pipeline/case_schema.ts";

/** A case file that can be run, as far as it can be said without its pipeline. */
export interface CaseFile {
  /** For messages: a path, or `embedded:pipelines/….case.toml`. */
  file: string;
  /** The file's name without `.case.toml`. */
  name: string;
  /** Name or path of the pipeline. */
  pipeline: string;
  /** What it says. */
  spec: Case;
  /** `[config]` as it is written, without defaults. */
  config: { [key: string]: Json };
  document: TomlDocument;
}

/** A case file, or what is wrong with it. */
export interface ReadCase {
  /** Absent when there is an error. */
  read?: CaseFile;
  diagnostics: Diagnostic[];
}

/** Returns the name of a case: the file's name without folder and `.case.toml`. */
export function caseName(file: string): string {
  return basename(file.replaceAll("\\", "/"), CASE_SUFFIX);
}

/** Reads a case file. Nothing is thrown for what it may hold. */
export function readCase({ file, text }: { file: string; text: string }): ReadCase {
  const { document, diagnostics } = parseToml({ file, text });
  if (document === undefined || hasErrors(diagnostics)) return { diagnostics };
  const value = tomlValue(document.root) as { [key: string]: Json };
  const checked = checkSchema(CASE_SCHEMA, value, {
    document,
    base: [],
    what: "the case",
    area: "case",
    hints: { run: "add [[run]] with exit_code = …: a case is what must come of one run or more" },
  });
  diagnostics.push(...checked.diagnostics);
  const spec = checked.value;
  if (spec === undefined) return { diagnostics };
  const config = (value.config ?? {}) as { [key: string]: Json };
  const name = caseName(file);
  const read: CaseFile = { file, name, pipeline: spec.pipeline ?? name.split(".")[0], spec, config, document };
  diagnostics.push(...new Checker(read).check());
  return hasErrors(diagnostics) ? { diagnostics } : { read, diagnostics };
}

/** A diagnostic at a value of a case, or at its key. */
export function caseDiagnostic(
  { document }: Pick<CaseFile, "document">,
  path: TomlPath,
  words: { code: string; message: string; hint?: string; at?: "key" },
): Diagnostic {
  const { at, ...rest } = words;
  const span = at === "key" ? keySpan(document, path) : valueSpan(document, path);
  return diagnose({ source: document.source, span }, rest);
}

/** Keys of the config that say where the scratch world is. */
const FIXED: readonly (readonly [string, ...string[]])[] = [
  ["paths", "source_root"],
  ["paths", "truenas_root"],
  ["paths", "manifest_root"],
  ["s3", "bucket"],
  ["s3", "prefix"],
  ["s3", "endpoint"],
  ["s3", "ca_file"],
  ["notify", "recipients_dir"],
  ["plugins"],
];

const MOMENTS = new Set(["before", "after", "there", "gone", "item", "steps", "waits"]);

/** What neither the schema nor the pipeline can tell. */
class Checker {
  readonly #file: CaseFile;
  readonly #found: Diagnostic[] = [];

  constructor(file: CaseFile) {
    this.#file = file;
  }

  check(): Diagnostic[] {
    const { document, spec } = this.#file;
    for (const key of FIXED) {
      const path = ["config", ...key];
      if (nodeAt(document, path) === undefined) continue;
      this.#say(path, {
        at: "key",
        code: "case/fixed-key",
        message: `Cannot set "${key.join(".")}" in a case: it is that of the scratch world`,
        hint: 'remove it; places = ["/…"] makes further folders, and stages of your own are those of the real config',
      });
    }
    for (const [run, { meanwhile, end }] of spec.run.entries()) {
      for (const [at, what] of meanwhile.entries()) this.#meanwhile(what, ["run", run, "meanwhile", at]);
      if (end !== undefined) this.#end(end, ["run", run, "end"]);
    }
    this.#end(spec.end, ["end"]);
    return this.#found;
  }

  #end({ places }: CaseEnd, path: TomlPath): void {
    for (const root of Object.keys(places)) {
      if (!this.#file.spec.places.includes(root)) this.#unknownPlace([...path, "places", root], root);
    }
  }

  #say(path: TomlPath, words: { code: string; message: string; hint?: string; at?: "key" }): void {
    this.#found.push(caseDiagnostic(this.#file, path, words));
  }

  #unknownPlace(path: TomlPath, root: string): void {
    const { places } = this.#file.spec;
    this.#say(path, {
      at: "key",
      code: "case/unknown-place",
      message: `Cannot look at "${root}": it is no further place of this case`,
      hint: nameHint(root, places, "its places") ?? `add places = ["${root}"] to the case`,
    });
  }

  #meanwhile(what: Meanwhile, path: TomlPath): void {
    const node = nodeAt(this.#file.document, path);
    const keys = node?.kind === "table" ? [...node.entries.keys()] : [];
    const moments = keys.filter((key) => MOMENTS.has(key));
    if (keys.length === moments.length) {
      this.#say(path, {
        code: "case/nothing-happens",
        message: "Cannot use this [[run.meanwhile]]: it says when, and not what happens",
        hint: `add for example write = { "source/…" = "text" }, crash = "kill" or s3_down = 3`,
      });
    }
    for (const key of ["lose_journal", "raise"]) {
      if (!keys.includes(key) || moments.length === 0) continue;
      this.#say([...path, moments[0]], {
        at: "key",
        code: "case/wrong-moment",
        message: `Cannot use "${moments[0]}" beside "${key}": that can only happen before a run`,
        hint: `remove "${moments[0]}", or write "${key}" to a [[run.meanwhile]] of its own`,
      });
    }
    const given = ["before", "after", "there", "gone", "waits"].filter((key) => keys.includes(key));
    if (given.length > 1) {
      this.#say([...path, given[1]], {
        at: "key",
        code: "case/wrong-moment",
        message: `Cannot use "${given[1]}" beside "${given[0]}": something happens at one moment`,
        hint: "write a [[run.meanwhile]] for each",
      });
    }
    if (keys.includes("item") && !keys.includes("before") && !keys.includes("after")) {
      this.#say([...path, "item"], {
        at: "key",
        code: "case/wrong-moment",
        message: 'Cannot use "item" alone: it says of which item a stage begins or ends',
        hint: 'add before = "…" or after = "…" with the id of a stage',
      });
    }
    const written: TomlPath[] = [
      ...Object.keys(what.write).map((key) => ["write", key]),
      ...Object.keys(what.append).map((key) => ["append", key]),
      ...Object.keys(what.move).map((key) => ["move", key]),
    ];
    for (const at of written) this.#path(String(at[1]), [...path, ...at], "key");
    for (const [from, to] of Object.entries(what.move)) this.#path(to, [...path, "move", from]);
    for (const key of ["there", "gone"] as const) {
      const at = what[key];
      if (at !== undefined) this.#path(at, [...path, key]);
    }
    const lost = what.s3_lost_response;
    if (typeof lost === "object") this.#path(lost.of, [...path, "s3_lost_response", "of"]);
    for (const [at, name] of what.remove.entries()) this.#path(name, [...path, "remove", at]);
    for (const [at, name] of what.flip.entries()) this.#path(name, [...path, "flip", at]);
  }

  #path(written: string, path: TomlPath, at?: "key"): void {
    const { places } = this.#file.spec;
    if (casePath(written, places) !== undefined) return;
    const word = written.split("/")[0];
    this.#say(path, {
      at,
      code: "case/unknown-place",
      message: `Cannot use path "${written}": wanted a place, then the path within it`,
      hint: PLACE_WORDS.includes(word)
        ? `add the path behind "${word}/", without "." and ".."`
        : nameHint(word, PLACE_WORDS, "places"),
    });
  }
}
