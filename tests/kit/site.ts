/**
 * A whole installation on the real disk: marked folders, a config, the shipped backup without its naming standard, and a
 * real S3 server. The program runs as a process of its own, so that it can be killed.
 * @module
 */
import { dirname, join } from "@std/path";
import { Disk } from "../../core/io/disk.ts";
import { foldLedger } from "../../core/ledger/fold.ts";
import type { LedgerRecord } from "../../core/ledger/record.ts";
import type { ObjectStore } from "../../core/objects/object_store.ts";
import type { RunReport } from "../../core/run/report.ts";
import { createPlaceMarker } from "../../core/safety/place_marker.ts";
import { makeReserve } from "../../core/safety/reserve.ts";
import { realServer, type ServerKind } from "./servers/servers.ts";
import { tempDir } from "./temp.ts";
import { BACKUP } from "../../testing/world.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const DAY_MS = 86_400_000;

export interface SiteOptions {
  server?: ServerKind;
  /** Where the NAS is instead of in the site's own folder; it is marked here. */
  nas?: string;
  /** Where the ledger is instead. */
  manifests?: string;
  /** Text of the pipeline. */
  pipeline?: string;
  /** Lines added to the config. */
  config?: string;
}

/** How the program is started. */
export interface StartOptions {
  /** Words before the program, for example to run as another user. */
  wrap?: readonly string[];
  args?: readonly string[];
  /** Which pipeline, by its familiar name. Default: backup. */
  command?: "backup" | "cleanup";
}

export interface Ended {
  code: number;
  report: RunReport | undefined;
  stderr: string;
}

export interface Site extends AsyncDisposable {
  readonly source: string;
  readonly nas: string;
  readonly manifests: string;
  readonly store: ObjectStore;
  /** Puts a study on the instrument, 30 days old. */
  study(name: string, files: Record<string, string | Uint8Array>): Promise<void>;
  /** Starts `labferry backup run`, or that of another command. */
  start(options?: StartOptions): Deno.ChildProcess;
  /** Starts it and waits for its end. */
  run(options?: StartOptions): Promise<Ended>;
  /** The ledger's latest record of a study. */
  record(name: string): Promise<LedgerRecord | undefined>;
  /** Gives everything to another user, for runs as that user. */
  giveTo(uid: number): Promise<void>;
}

export async function openSite(options: SiteOptions = {}): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const server = stack.use(await realServer(options.server ?? "in-process"));
  const bucket = await server.bucket();
  const [source, config] = ["instrument", "config"].map((name) => join(dir.path, name));
  const nas = options.nas ?? join(dir.path, "nas");
  const manifests = options.manifests ?? join(dir.path, "manifests");
  for (const path of [source, config]) await Deno.mkdir(path);
  for (const path of [nas, manifests]) await Deno.mkdir(path, { recursive: true });
  const disk = new Disk();
  for (const root of [source, manifests, nas]) await createPlaceMarker(disk, root);
  for (const root of [manifests, nas]) await makeReserve(disk, root);
  await Deno.mkdir(join(config, "pipelines"));
  await Deno.writeTextFile(join(config, "pipelines", "backup.toml"), options.pipeline ?? BACKUP);
  await Deno.writeTextFile(
    join(config, "config.toml"),
    `[paths]\nsource_root = "${source}"\ntruenas_root = "${nas}"\nmanifest_root = "${manifests}"\n` +
      `[s3]\nbucket = "${bucket}"\nprefix = "fusion"\nendpoint = "${server.endpoint}"\n` +
      `[backup]\nidle_days = 14\nsettle_minutes = 0\n${options.config ?? ""}`,
  );
  const env = {
    LABFERRY_STATE_DIR: join(config, "state"),
    AWS_ACCESS_KEY_ID: server.accessKey,
    AWS_SECRET_ACCESS_KEY: server.secretKey,
    AWS_EC2_METADATA_DISABLED: "true",
    NO_COLOR: "1",
  };
  const start: Site["start"] = ({ wrap = [], args = [], command: name = "backup" } = {}) => {
    const program = [Deno.execPath(), "run", "-A", "--no-check", "--cached-only", CLI];
    const [command, ...rest] = [...wrap, ...program];
    return new Deno.Command(command, {
      args: [...rest, name, "run", "--json", "--config", join(config, "config.toml"), ...args],
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  };
  const store = await server.open(bucket);
  const owned = stack.move();
  return {
    source,
    nas,
    manifests,
    store,
    start,
    async study(name, files) {
      for (const [path, content] of Object.entries(files)) {
        const file = join(source, name, path);
        await Deno.mkdir(dirname(file), { recursive: true });
        if (typeof content === "string") await Deno.writeTextFile(file, content);
        else await Deno.writeFile(file, content);
        const then = new Date(Date.now() - 30 * DAY_MS);
        await Deno.utime(file, then, then);
      }
    },
    async run(options) {
      const { code, stdout, stderr } = await start(options).output();
      const text = new TextDecoder().decode(stdout);
      return {
        code,
        report: text.trim().startsWith("{") ? JSON.parse(text) as RunReport : undefined,
        stderr: new TextDecoder().decode(stderr),
      };
    },
    record: async (name) => (await foldLedger(disk, manifests)).records.get(name),
    async giveTo(uid) {
      await new Deno.Command("chown", { args: ["-R", `${uid}:${uid}`, dir.path] }).output();
      await Deno.chmod(dir.path, 0o755);
    },
    [Symbol.asyncDispose]: async () => {
      await disk[Symbol.asyncDispose]?.();
      await owned[Symbol.asyncDispose]();
    },
  };
}

/** All files below a folder with their bytes, by `/`-separated path; the engine's own are left out. */
export async function bytesBelow(folder: string): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const visit = async (path: string, below: string): Promise<void> => {
    let entries: Deno.DirEntry[];
    try {
      entries = await Array.fromAsync(Deno.readDir(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    for (const { name, isDirectory } of entries) {
      if (name.startsWith(".labferry") || name === ".cleanup.lock") continue;
      if (isDirectory) await visit(join(path, name), `${below}${name}/`);
      else {
        const bytes = await Deno.readFile(join(path, name)).catch(() => undefined); // removed meanwhile
        if (bytes) found.set(below + name, bytes);
      }
    }
  };
  await visit(folder, "");
  return found;
}
