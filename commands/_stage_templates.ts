/** What `new stage` writes: a stage that works, and its test. Pure. @module */

/** The spellings of one name (house rule 1). */
export interface StageNames {
  /** As pipelines say it: `count-files`. */
  name: string;
  /** `count_files`. */
  snake: string;
  /** `countFiles`; `deleteStage` where the word is taken in TypeScript. */
  camel: string;
}

const WORDS_TAKEN = new Set(
  ("break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if implements import in instanceof interface let new null package private protected public return " +
    "static super switch this throw true try typeof var void while with yield await async").split(" "),
);

export function namesOf(name: string): StageNames {
  const camel = name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return { name, snake: name.replaceAll("-", "_"), camel: WORDS_TAKEN.has(camel) ? `${camel}Stage` : camel };
}

/** The object that `defineStage` is given; every line two spaces further in than in a file of the clone. */
function body({ name }: StageNames, indent: string): string {
  return `kind: "stage",
  name: "${name}",
  summary: "Counts the images of a study, and refuses one that has too few.",
  takes: "tree",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    match: pattern().prefault("(?i:\\\\.(jpe?g|png|tiff?|qptiff)$)").meta({
      description: "Which files are images: a regular expression over their paths.",
    }),
    least: z.number().int().min(0).default(1).meta({ description: "How many a study must have.", unit: "files" }),
  }),
  example: \`[[stage]]\\nuse  = "${name}"\\nwith = { least = 1 }\\n\`,
  open: ({ match, least }) => ({
    // Looks at one study and says what is to be done. It cannot change anything, and a dry run stops here.
    async *plan(item, ctx) {
      let files = 0, bytes = 0;
      for await (const { kind, path, size } of ctx.source.walk()) {
        if (kind !== "file" || !match.test(path)) continue;
        files++;
        bytes += size;
      }
      if (files < least) {
        throw new PipelineError(
          "${name}/too-few",
          \`Cannot accept "\${item.name}": it has \${files} images, wanted at least \${least}\`,
          { hint: "Export the images on the instrument, or change match and least of this stage" },
        );
      }
      yield { kind: "todo", id: "report", summary: \`report \${files} images\`, data: { files, bytes } };
    },
    // Does one step of the plan. It must be safe to repeat: after a crash the step is done again.
    apply(step, ctx) {
      ctx.log.info(\`\${ctx.item.name} has \${step.data.files} images\`, step.data);
      return Promise.resolve();
    },
  }),
`.replaceAll("\n", `\n${indent}`);
}

/** A stage as a file of its own (DESIGN 2): its imports are types alone, so that it loads wherever labferry runs. */
export function externalStage(names: StageNames): string {
  return `/** Stage \`${names.name}\`: counts the images of a study, and refuses one that has too few. @module */
import type { PluginApi } from "labferry";

/** The version of the object below that this file was written for. */
export const apiVersion = 1;

export default ({ defineStage, pattern, PipelineError, z }: PluginApi) =>
  defineStage({
    ${body(names, "  ").trimEnd()}
  });
`;
}

/** A stage of labferry itself. */
export function builtinStage(names: StageNames): string {
  return `/** Stage \`${names.name}\`: counts the images of a study, and refuses one that has too few. @module */
import { defineStage } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { pattern, z } from "../core/options.ts";

export const ${names.camel} = defineStage({
  ${body(names, "").trimEnd()}
});
`;
}

function tests({ name }: StageNames, stage: string): string {
  return `
const files = { "Scan1/image.qptiff": "pixels", "Scan1/preview.JPG": "few", "notes.txt": "words" };

Deno.test("${name} says how many images a study has", async () => {
  const { outcome, applied, log } = await runStage(${stage}, { files });
  assert.deepEqual([outcome, applied], ["done", ["report 2 images"]]);
  assert.ok(log.some(({ message, data }) => message.endsWith("has 2 images") && data?.bytes === 9));
});

Deno.test("${name} refuses a study with too few", async () => {
  const { outcome, error } = await runStage(${stage}, { files, options: { least: 3 } });
  assert.deepEqual([outcome, error?.code], ["failed", "${name}/too-few"]);
  assert.match(error?.message ?? "", /it has 2 images, wanted at least 3/);
});

// What every stage must hold: a pure plan, repetition, crashes, disposal, evidence within what it gives.
for (const check of conformance(${stage}, { files })) Deno.test(check);
`;
}

/** The test of an external stage; it stands one folder below the stage. */
export function externalTest(names: StageNames): string {
  return `import assert from "node:assert/strict";
import { pluginApi } from "labferry";
import { conformance, runStage } from "labferry/testing";
import makeStage from "../${names.name}.ts";

const stage = makeStage(pluginApi);
${tests(names, "stage")}`;
}

/** The test of a stage of labferry itself. */
export function builtinTest(names: StageNames): string {
  return `import assert from "node:assert/strict";
import { ${names.camel} } from "../../stages/${names.snake}.ts";
import { conformance } from "../../testing/conformance.ts";
import { runStage } from "../../testing/run_stage.ts";
${tests(names, names.camel)}`;
}

/** The list of stages (\`stages/mod.ts\`) with one more; undefined when the list does not look as it should. */
export function withStage(list: string, { camel, snake }: StageNames): string | undefined {
  const imports = [...list.matchAll(/^import \{ \w+ \} from "\.\/(\w+)\.ts";\n/gm)];
  const entries = /(: readonly AnyStage\[\] = \[\n)((?: {2}\w+,\n)+)(\];)/.exec(list);
  if (imports.length === 0 || entries === null) return undefined;
  const line = `import { ${camel} } from "./${snake}.ts";\n`;
  const behind = imports.findLast((found) => found[1] < snake);
  const at = behind ? behind.index + behind[0].length : imports[0].index;
  const names = [...entries[2].split("\n").slice(0, -1), `  ${camel},`].sort();
  const listed = list.replace(entries[0], `${entries[1]}${names.join("\n")}\n${entries[3]}`);
  return listed.slice(0, at) + line + listed.slice(at);
}
