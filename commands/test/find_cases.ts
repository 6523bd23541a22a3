/** Which cases there are, and where the pipelines of each come from. @module */
import { basename, dirname, isAbsolute, join, resolve } from "@std/path";
import { readTextIfThere, tomlFiles } from "../../cli/project.ts";
import { PipelineError } from "../../core/errors.ts";
import { EMBEDDED_CASES } from "../../core/pipeline/embedded_cases.ts";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import { nearestName } from "../../core/pipeline/nearest.ts";
import { CASE_SUFFIX, type PipelineText, presetNames } from "../../core/pipeline/presets.ts";
import type { PipelineFinder } from "../../testing/case_pipelines.ts";

/** A case that was found, not yet read as TOML. */
export interface FoundCase {
  /** The file's name without `.case.toml`. */
  name: string;
  /** For messages: its path, or `embedded:pipelines/….case.toml`. */
  file: string;
  text: string;
  finder: PipelineFinder;
}

export interface FindOptions {
  /** Relative paths start here. */
  cwd: string;
  /** The folder `pipelines/` beside the config. */
  pipelinesDir: string;
}

/**
 * Returns the cases that were named, each once; without names all of the config folder, and those of the presets that no
 * pipeline there replaces.
 * @throws {PipelineError} `cli/no-case`, exit code 2
 */
export async function findCases(given: readonly string[], options: FindOptions): Promise<FoundCase[]> {
  const known = await knownCases(options.pipelinesDir);
  if (given.length === 0) return known;
  const found = new Map<string, FoundCase>();
  for (const word of given) {
    const isPath = /[\\/]|\.toml$/.test(word);
    const byName = isPath ? [] : known.filter(({ name }) => name === word || name.startsWith(`${word}.`));
    const cases = byName.length > 0 ? byName : await casesAt(word, known, options);
    for (const one of cases) found.set(one.file, one);
  }
  return [...found.values()];
}

async function knownCases(pipelinesDir: string): Promise<FoundCase[]> {
  const own = await casesOf(pipelinesDir);
  const files = await tomlFiles(pipelinesDir);
  const isReplaced = (name: string) =>
    files.includes(`${name}${CASE_SUFFIX}`) || files.includes(`${name.split(".")[0]}.toml`);
  const shipped = Object.keys(EMBEDDED_CASES).filter((name) => !isReplaced(name)).map((name): FoundCase => ({
    name,
    file: `embedded:pipelines/${name}${CASE_SUFFIX}`,
    text: EMBEDDED_CASES[name],
    finder: SHIPPED,
  }));
  return [...own, ...shipped].toSorted((a, b) => a.name < b.name ? -1 : 1);
}

async function casesAt(word: string, known: readonly FoundCase[], options: FindOptions): Promise<FoundCase[]> {
  const path = resolve(options.cwd, word);
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  if (isFolder) {
    const found = await casesOf(path);
    if (found.length > 0) return found;
    throw noCase(`Cannot find a case in "${word}": no file there ends in ${CASE_SUFFIX}`, {
      hint: `Name a file, or a folder that holds <pipeline>.<what it shows>${CASE_SUFFIX}`,
    });
  }
  if (!/[\\/]|\.toml$/.test(word)) throw await unknownName(word, known, options);
  const text = path.endsWith(CASE_SUFFIX) ? await readTextIfThere(path, "case") : undefined;
  if (text !== undefined) return [caseAt(path, text)];
  const why = path.endsWith(CASE_SUFFIX) ? "the file does not exist" : `its name does not end in ${CASE_SUFFIX}`;
  throw noCase(`Cannot find case "${word}": ${why}`, {
    hint: `A case is a file <pipeline>.<what it shows>${CASE_SUFFIX}, beside its pipeline`,
  });
}

function noCase(message: string, { hint }: { hint: string }): PipelineError {
  return new PipelineError("cli/no-case", message, { stopsRun: 2, hint });
}

async function unknownName(
  word: string,
  known: readonly FoundCase[],
  { pipelinesDir }: FindOptions,
): Promise<PipelineError> {
  const pipeline = word.split(".")[0];
  if ((await tomlFiles(pipelinesDir)).includes(`${pipeline}.toml`)) {
    return noCase(`Cannot find case "${word}": there is none for "${join(pipelinesDir, `${pipeline}.toml`)}"`, {
      hint:
        `Write one beside it: ${pipeline}.NAME${CASE_SUFFIX}. The cases of a preset are not run on a pipeline that ` +
        "takes its place",
    });
  }
  const pipelines = [...new Set(known.map(({ name }) => name.split(".")[0]))];
  const nearest = nearestName(word, [...pipelines, ...known.map(({ name }) => name)]);
  return noCase(`Cannot find case "${word}": no case, and no pipeline with cases, has that name`, {
    hint: nearest === undefined ? `pipelines with cases: ${pipelines.join(", ")}` : `did you mean "${nearest}"`,
  });
}

async function casesOf(folder: string): Promise<FoundCase[]> {
  const found: FoundCase[] = [];
  for (const name of await tomlFiles(folder)) {
    if (!name.endsWith(CASE_SUFFIX)) continue;
    const path = join(folder, name);
    const text = await readTextIfThere(path, "case");
    if (text !== undefined) found.push(caseAt(path, text));
  }
  return found;
}

function caseAt(path: string, text: string): FoundCase {
  return { name: basename(path, CASE_SUFFIX), file: path, text, finder: beside(dirname(path)) };
}

/** Pipelines as they come with the program. */
const SHIPPED: PipelineFinder = {
  find: (name) => Promise.resolve(preset(name)),
  names: () => Promise.resolve(presetNames()),
};

/** Pipelines that lie beside a case, then the presets. */
function beside(folder: string): PipelineFinder {
  return {
    async find(name) {
      const file = /\.toml$/.test(name) ? (isAbsolute(name) ? name : join(folder, name)) : join(folder, `${name}.toml`);
      const text = await readTextIfThere(file, "pipeline");
      return text === undefined ? preset(name) : { text, file, origin: "file" };
    },
    async names() {
      const own = (await tomlFiles(folder)).filter((name) => !name.endsWith(CASE_SUFFIX));
      return [...new Set([...own.map((name) => name.slice(0, -".toml".length)), ...presetNames()])];
    },
  };
}

function preset(name: string): PipelineText | undefined {
  if (!Object.hasOwn(EMBEDDED_PRESETS, name)) return undefined;
  return { text: EMBEDDED_PRESETS[name], file: `embedded:pipelines/${name}.toml`, origin: "embedded" };
}
