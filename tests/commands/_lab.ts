/** A small laboratory on disk: an instrument, a NAS, a ledger, and a config, with the command line run against it. */
import { join } from "@std/path";
import { tempDir } from "../kit/temp.ts";
import type { TempDir } from "../kit/temp.ts";
import { runCli } from "../cli/_terminal.ts";
import type { CliResult, FakeOptions } from "../cli/_terminal.ts";

export const STUDY = "20250131_ada_kidney_b1";

export interface Lab extends AsyncDisposable {
  readonly path: string;
  readonly source: string;
  readonly truenas: string;
  readonly manifests: string;
  readonly state: string;
  cli(argv: readonly string[], options?: FakeOptions): Promise<CliResult>;
  /** Writes a pipeline into the config folder. */
  pipeline(name: string, text: string): Promise<void>;
}

/** Copies, proves and seals at the NAS; no object store. */
export const LOCAL_PIPELINE = `name = "local"
summary = "Copy to the NAS"

[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }

[[stage]]
use = "validate"

[[stage]]
use = "lock"

[[stage]]
use  = "copy"
id   = "truenas"
with = { to = "\${paths.truenas_root}" }

[[stage]]
use  = "verify"
with = { place = "truenas" }

[[stage]]
use  = "checksum-sidecar"
with = { place = "truenas" }
`;

const CONFIG = `[paths]
source_root = "instrument"
truenas_root = "nas"
manifest_root = "manifests"

[backup]
idle_days = 0
settle_minutes = 0
`;

export async function lab(): Promise<Lab> {
  const dir: TempDir = await tempDir();
  const at = (name: string) => join(dir.path, name);
  for (const name of ["instrument", "nas", "manifests", "pipelines"]) await Deno.mkdir(at(name));
  await Deno.writeTextFile(at("config.toml"), CONFIG);
  await Deno.writeTextFile(join(at("pipelines"), "local.toml"), LOCAL_PIPELINE);
  const env = { LABFERRY_CONFIG: at("config.toml"), LABFERRY_STATE_DIR: at("state") };
  return {
    path: dir.path,
    source: at("instrument"),
    truenas: at("nas"),
    manifests: at("manifests"),
    state: at("state"),
    cli: (argv, options) => runCli(argv, { env, cwd: dir.path, now: Date.now(), ...options }),
    pipeline: (name, text) => Deno.writeTextFile(join(at("pipelines"), `${name}.toml`), text),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** Writes a conforming study below `root`, a day old. */
export async function makeStudy(root: string, name = STUDY): Promise<string> {
  const folder = join(root, name);
  const scan = join(folder, name, "Scan1");
  await Deno.mkdir(join(scan, ".temp"), { recursive: true });
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const file of [join(folder, `${name}.xpd`), join(scan, "a.qptiff"), join(scan, ".temp", "tile.tif")]) {
    await Deno.writeTextFile(file, `bytes of ${file.slice(root.length)}`);
    await Deno.utime(file, yesterday, yesterday);
  }
  return folder;
}
