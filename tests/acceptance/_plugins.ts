/** Files of stages as a laboratory would write them, for the tests of stages from outside. @module */
import { dirname, join } from "@std/path";
import { type Lab, sha256 } from "./_lab.ts";

/** A stage that looks at each file of a study, and says how many there are. TypeScript, with types and no imports. */
export const COUNT_FILES = `import type { Item } from "labferry";

interface Options { most: number }

export const apiVersion = 1;

export default ({ defineStage, z }: any) =>
  defineStage({
    kind: "stage",
    name: "count-files",
    summary: "Counts the files of a study — größer als “most” fails.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({
      most: z.number().int().default(1000).meta({ description: "How many files a study may have." }),
    }),
    example: '[[stage]]\\nuse = "count-files"\\nwith = { most = 100 }\\n',
    open: (options: Options) => ({
      async *plan(item: Item, ctx: any) {
        let files = 0;
        for await (const { kind } of ctx.source.walk()) if (kind === "file") files++;
        yield { kind: "todo", id: "count", summary: \`count \${files} files\`, data: { files } };
      },
      apply(step: { data: { files: number } }, ctx: any): Promise<void> {
        if (step.data.files > options.most) throw new Error("too many files");
        ctx.log.info(\`counted \${step.data.files as number}\`);
        return Promise.resolve();
      },
    }),
  });
`;

/** The same in a few words, under another name. */
export function plainStage(name: string, { open = "", more = "" } = {}): string {
  return `export default (api) => api.defineStage({
  kind: "stage", name: "${name}", summary: "Does little.", takes: "tree", effect: "read", resume: "redo",
  options: api.z.strictObject({}), example: "", ${more}
  open: () => ({ async *plan() { ${open || 'yield { kind: "skip", why: "nothing to do" };'} }, async apply() {} }),
});
`;
}

/** Writes a file below the lab's folder. Returns its SHA-256. */
export async function put(lab: Lab, path: string, text: string): Promise<string> {
  const file = join(lab.path, path);
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, text);
  return sha256(text);
}

/** A pipeline over the instrument with these stages alone. */
export function pipelineOf(...uses: string[]): string {
  return `name = "own"
[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "14d" }
${uses.map((use) => `[[stage]]\nuse = "${use}"\n`).join("")}`;
}
