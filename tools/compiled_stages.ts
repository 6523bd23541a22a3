/**
 * Shows that a compiled labferry takes stages from outside: `deno run -A tools/compiled_stages.ts [--no-typescript] EXECUTABLE`.
 * Works in a scratch folder and with an empty environment, as on a machine without Deno. One line for each thing that
 * holds or does not; exit 1 when one does not.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { createHash } from "node:crypto";

/** How the program is started, and what is known of it. */
export interface Program {
  /** The executable, and words before those of the command line. */
  argv: readonly string[];
  /** Takes TypeScript from outside: its base runtime is Deno 2.8.2 or newer. */
  typescript: boolean;
  env?: Record<string, string>;
}

/** One thing that was tried. */
export interface Tried {
  what: string;
  holds: boolean;
  /** What the program said, where it does not hold. */
  said: string;
}

const PLAIN = (name: string, api: string) =>
  `export default (${api}) => api.defineStage({
  kind: "stage", name: "${name}", summary: "Sieht nach — größer.", takes: "tree", effect: "read", resume: "redo",
  options: api.z.strictObject({ most: api.z.number().int().default(3) }), example: "",
  open: () => ({
    async *plan(_item, ctx) {
      let files = 0;
      for await (const { kind } of ctx.source.walk()) if (kind === "file") files++;
      yield { kind: "todo", id: "count", summary: "count " + files, data: { files } };
    },
    async apply(step, ctx) { ctx.log.info("counted " + step.data.files); },
  }),
});
`;

const PIPELINE = `name = "own"
[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "0d" }
[[stage]]
use  = "look-at"
with = { most = 2 }
`;

const STUDY = "20250131_ada_kidney_b1";

/** Tries it all in `folder`, which must be empty. */
export async function tryStages(program: Program, folder: string): Promise<Tried[]> {
  const tried: Tried[] = [];
  const write = async (path: string, text: string) => {
    const file = join(folder, path);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, text);
    return createHash("sha256").update(text).digest("hex");
  };
  const config = (plugins: string) =>
    write("config.toml", `[paths]\nsource_root = "in"\n[backup]\nsettle_minutes = 0\n[plugins]\n${plugins}`);
  const call = async (...words: string[]) => {
    const [command, ...rest] = program.argv;
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...rest, ...words],
      cwd: folder,
      clearEnv: true,
      env: {
        LABFERRY_CONFIG: join(folder, "config.toml"),
        LABFERRY_STATE_DIR: join(folder, "state"),
        NO_COLOR: "1",
        ...program.env,
      },
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return { code, said: text.decode(stdout) + text.decode(stderr) };
  };
  const holds = (what: string, { code, said }: { code: number; said: string }, wanted: [number, RegExp]) =>
    tried.push({ what, holds: code === wanted[0] && wanted[1].test(said), said: `exit ${code}: ${said}` });

  await write(`in/${STUDY}/a.xpd`, "bytes");
  await write("pipelines/own.toml", PIPELINE);
  await config("");
  const sha256 = await write("plugins/größe und mehr.js", PLAIN("look-at", "api"));
  holds("list marks a stage of the folder", await call("list", "stages"), [
    0,
    /^look-at .*größer.*größe und mehr\.js, not/m,
  ]);
  holds("show prints its options", await call("show", "look-at"), [0, /most +integer +3/]);
  holds("lint knows it", await call("lint", "--offline", "own"), [0, /own: ok/]);
  holds("install places compiles with it", await call("install", "places", "own"), [0, /marked/]);
  holds("plan asks it", await call("plan", "own"), [0, /count 1/]);
  holds("run runs it", await call("run", "own"), [0, /counted 1/]);
  await config(`files = [{ path = "plugins/größe und mehr.js", sha256 = "${sha256}" }]\n`);
  holds("a pinned file is loaded", await call("list", "stages"), [0, /^look-at .*, pinned/m]);
  await config(`files = [{ path = "plugins/größe und mehr.js", sha256 = "${"0".repeat(64)}" }]\n`);
  holds("another file than the pinned one is not", await call("lint", "--offline"), [2, /plugins\/changed/]);
  await config("");
  await write("plugins/zwei.ts", PLAIN("look-twice", "api: { defineStage(stage: unknown): unknown; z: any }"));
  const typescript = await call("list", "stages");
  if (program.typescript) holds("TypeScript is loaded", typescript, [0, /^look-twice /m]);
  else {
    holds("TypeScript is told of, and hinders nothing", typescript, [0, /^\(broken\) .*zwei\.ts/m]);
    const told = await call("lint", "--offline");
    holds("it is said that this program takes .js", told, [
      2,
      /runs no TypeScript from outside: give it the file as \.js/,
    ]);
  }
  await write("plugins/zwei.ts", 'throw new Error("no licence");');
  holds("a file that throws is refused", await call("lint", "--offline"), [
    2,
    /zwei\.ts": .*(?:no licence|Unexpected)/,
  ]);
  return tried;
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseArgs([...args], { boolean: ["no-typescript"] });
  const executable = options._[0];
  if (executable === undefined) {
    console.error("usage: compiled_stages.ts [--no-typescript] EXECUTABLE");
    return 2;
  }
  const folder = await Deno.makeTempDir({ prefix: "labferry-stages-" });
  try {
    const argv = [await Deno.realPath(String(executable))];
    const program = { argv, typescript: options["no-typescript"] !== true };
    const tried = await tryStages(program, folder);
    for (const { what, holds, said } of tried) {
      console.log(`${holds ? "ok      " : "FAILED  "}${what}${holds ? "" : `\n${said}`}`);
    }
    return tried.every(({ holds }) => holds) ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
