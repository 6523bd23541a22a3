/**
 * Runs every benchmark, one after the other: `deno task bench [--quick] [--only startup,local,s3_upload,log_tail] [options]`.
 * All other options go to each benchmark. Ends with 1 if one of them failed.
 * @module
 */
import { fromFileUrl } from "@std/path";

const BENCHES = ["startup", "local", "s3_upload", "log_tail"] as const;

/** Options a benchmark understands; the others are for its neighbours. */
function argsFor(name: string, args: readonly string[]): string[] {
  return args.filter((argument) => name !== "startup" || argument !== "--quick");
}

async function main(args: readonly string[]): Promise<number> {
  const only = args.find((argument) => argument.startsWith("--only="))?.slice("--only=".length).split(",");
  const rest = args.filter((argument) => !argument.startsWith("--only="));
  let failed = 0;
  for (const name of BENCHES.filter((name) => only === undefined || only.includes(name))) {
    const script = fromFileUrl(new URL(`./${name}.ts`, import.meta.url));
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, ...argsFor(name, rest)],
      stdin: "null",
    });
    const { code } = await command.spawn().status;
    if (code !== 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
