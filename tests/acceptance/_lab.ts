/**
 * A laboratory seen from outside: folders, a config, an S3 endpoint, and the program as a process of its own. Nothing
 * here knows the engine; what is asked is what a person or another program could ask.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join } from "@std/path";
import { type S3Server, startS3Server } from "../../demo/s3_server/mod.ts";
import { s3 } from "../../plugins/stores/s3.ts";
import { ACCESS_KEY, SECRET_KEY, useTestKeys } from "../kit/keys.ts";
import { tempDir } from "../kit/temp.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
const SHIPPED = fromFileUrl(new URL("../../pipelines/backup.toml", import.meta.url));

export const STUDY = "20250131_ada_kidney_b1";
export const BUCKET = "lab-archive";
export const PREFIX = "fusion";
const DAY_MS = 86_400_000;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

// What others read is read here as others would: JSON without types.
// deno-lint-ignore no-explicit-any
export type Json = any;

export interface Running {
  readonly pid: number;
  kill(signal: Deno.Signal): void;
  /** Resolves, with what matched, when stderr holds a line that does. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  env?: Record<string, string>;
  /** Words before the program, for example `setpriv …`. */
  wrap?: readonly string[];
  cwd?: string;
}

export interface Lab extends AsyncDisposable {
  readonly path: string;
  readonly source: string;
  readonly nas: string;
  readonly manifests: string;
  readonly state: string;
  readonly server: S3Server;
  /** Path below the lab's folder. */
  at(...parts: string[]): string;
  start(argv: readonly string[], options?: StartOptions): Running;
  run(argv: readonly string[], options?: StartOptions): Promise<Ended>;
  /** Runs with `--json`, and gives the report from stdout, which must hold nothing else. */
  report(argv: readonly string[], options?: StartOptions): Promise<Ended & { report: Json }>;
  /** Writes the config with these changes: `[text, replacement]`, or text to append. */
  config(...changes: (readonly [string, string] | string)[]): Promise<void>;
  /** Writes a pipeline; the shipped one with a change. */
  pipeline(name: string, change: (shipped: string) => string): Promise<void>;
  /** Lines of the ledger, all months in order. */
  ledger(): Promise<Json[]>;
  /** Keys and sizes of the bucket. */
  keys(): Promise<string[]>;
  head(key: string): Promise<{ size: number; metadata: Record<string, string> }>;
  body(key: string): Promise<string>;
  /** All text of the log files. */
  logs(): Promise<string>;
}

export async function shippedPipeline(): Promise<string> {
  return await Deno.readTextFile(SHIPPED);
}

/** Opens a lab; `marked`: its places are marked as `install places` does it. */
export async function openLab({ marked = true }: { marked?: boolean } = {}): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const server = stack.use(
    await startS3Server({ buckets: [BUCKET], accessKey: ACCESS_KEY, secretKey: SECRET_KEY, faults: {} }),
  );
  const at = (...parts: string[]) => join(dir.path, ...parts);
  for (const name of ["instrument", "nas", "manifests", "pipelines"]) await Deno.mkdir(at(name));
  const base = `[paths]
source_root = "instrument"
truenas_root = "nas"
manifest_root = "manifests"

[s3]
bucket = "${BUCKET}"
prefix = "${PREFIX}"
region = "us-east-1"
endpoint = "${server.endpoint}"
force_path_style = true

[backup]
idle_days = 14
settle_minutes = 0
`;
  const start: Lab["start"] = (argv, { env = {}, wrap = [], cwd } = {}) => {
    const [program, ...rest] = [...wrap, Deno.execPath(), "run", "-A", "--no-check", "--cached-only", CLI, ...argv];
    const child = new Deno.Command(program, {
      args: rest,
      cwd: cwd ?? dir.path,
      env: {
        LABFERRY_CONFIG: at("config.toml"),
        LABFERRY_STATE_DIR: at("state"),
        AWS_ACCESS_KEY_ID: ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY: SECRET_KEY,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_PROFILE: "",
        NO_COLOR: "1",
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return running(child);
  };
  const run: Lab["run"] = (argv, options) => start(argv, options).ended;
  useTestKeys();
  const store = stack.use(
    await s3.open(s3.options.parse({ bucket: BUCKET, endpoint: server.endpoint, force_path_style: true })),
  );
  const { signal } = new AbortController();
  const lab: Lab = {
    path: dir.path,
    source: at("instrument"),
    nas: at("nas"),
    manifests: at("manifests"),
    state: at("state"),
    server,
    at,
    start,
    run,
    async report(argv, options) {
      const ended = await run([...argv, "--json"], options);
      assert.match(ended.stdout, /^\{[^]*\}\n$/, `stdout is not one JSON object:\n${ended.stdout}\n${ended.stderr}`);
      return { ...ended, report: JSON.parse(ended.stdout) };
    },
    async config(...changes) {
      let text = base;
      for (const change of changes) {
        if (typeof change === "string") text += change;
        else {
          assert.ok(text.includes(change[0]), `the config has no ${change[0]}`);
          text = text.replace(change[0], () => change[1]);
        }
      }
      await Deno.writeTextFile(at("config.toml"), text);
    },
    async pipeline(name, change) {
      const shipped = await shippedPipeline();
      const text = change(shipped);
      assert.notEqual(text, shipped, "the change changes nothing");
      await Deno.writeTextFile(at("pipelines", `${name}.toml`), text);
    },
    async ledger() {
      const lines: Json[] = [];
      for (const name of [...Deno.readDirSync(at("manifests"))].map((entry) => entry.name).sort()) {
        if (!/^\d{4}-\d{2}\.jsonl$/.test(name)) continue;
        const text = await Deno.readTextFile(at("manifests", name));
        lines.push(...text.trimEnd().split("\n").map((line) => JSON.parse(line)));
      }
      return lines;
    },
    async keys() {
      const keys: string[] = [];
      for await (const { key } of store.list("", signal)) keys.push(key);
      return keys;
    },
    async head(key) {
      const info = await store.head(key, signal);
      assert.ok(info, `${key} is not in the bucket`);
      return { size: info.size, metadata: info.metadata };
    },
    async body(key) {
      const { size } = await lab.head(key);
      return size === 0 ? "" : new TextDecoder().decode(await store.get(key, { start: 0, end: size }, signal));
    },
    async logs() {
      const names = [...Deno.readDirSync(at("state", "logs"))].map((entry) => entry.name).sort();
      return (await Promise.all(names.map((name) => Deno.readTextFile(at("state", "logs", name))))).join("");
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  await lab.config();
  if (marked) {
    for (const root of ["instrument", "nas", "manifests"]) {
      await Deno.writeTextFile(at(root, ".labferry-place"), `${crypto.randomUUID()}\n`);
    }
  }
  const owned = stack.move();
  return lab;
}

function running(child: Deno.ChildProcess): Running {
  let stderr = "";
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  const errors = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      stderr += text;
      wake();
    }
  })();
  let isOver = false;
  const ended = (async () => {
    const [status, stdout] = await Promise.all([child.status, new Response(child.stdout).text(), errors]);
    isOver = true;
    wake();
    return { code: status.code, stdout, stderr };
  })();
  return {
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(stderr);
          if (!isOver && !found) return;
          waiting.delete(look);
          if (found) resolve(found);
          else reject(new Error(`the program ended and never said ${pattern}:\n${stderr}`));
        };
        waiting.add(look);
        look();
      }),
  };
}

export interface StudyOptions {
  /** Further files, `/`-separated. */
  files?: Record<string, string>;
  /** Empty folders. */
  folders?: readonly string[];
  /** Age of all files in days. */
  days?: number;
}

/** Writes a conforming study below the instrument's root; gives the contents of its files by path. */
export async function study(lab: Lab, name = STUDY, options: StudyOptions = {}): Promise<Record<string, string>> {
  const files: Record<string, string> = {
    [`${name}.xpd`]: `<xpd ${name}>`,
    [`${name}.fpr`]: "{}",
    [`${name}/Scan1/image.qptiff`]: `tiff of ${name} `.repeat(500),
    [`${name}/Scan1/.temp/tile_0001.dat`]: "tile",
    ...options.files,
  };
  const root = join(lab.source, name);
  for (const folder of options.folders ?? []) await Deno.mkdir(join(root, folder), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
  await setAge(root, options.days ?? 30);
  return files;
}

/** Sets the modification times of everything below a folder. */
export async function setAge(folder: string, days: number): Promise<void> {
  const then = new Date(Math.floor(Date.now() / 1000) * 1000 - days * DAY_MS);
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) await setAge(join(folder, entry.name), days);
    else if (entry.isFile) await Deno.utime(join(folder, entry.name), then, then);
  }
}

/** Paths of all files and empty folders (`x/`) below a folder, `/`-separated and sorted. */
export async function tree(folder: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  let entries = 0;
  for await (const entry of Deno.readDir(folder)) {
    entries++;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory) found.push(...await tree(join(folder, entry.name), path));
    else found.push(path);
  }
  return entries === 0 && below !== "" ? [`${below}/`] : found.sort();
}

/** Everything below a folder with contents and times: two snapshots are equal when nothing was touched. */
export async function snapshot(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (path: string, below: string) => {
    for await (const entry of Deno.readDir(path)) {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const full = join(path, entry.name);
      const { mtime, size } = await Deno.lstat(full);
      if (entry.isDirectory) {
        found[`${name}/`] = `${mtime?.getTime()}`;
        await visit(full, name);
      } else found[name] = `${mtime?.getTime()} ${size} ${entry.isFile ? sha256(await Deno.readFile(full)) : "link"}`;
    }
  };
  await visit(folder, "");
  return found;
}

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The fields of a record that say what became of a study. */
export function fate(record: Json): string {
  const source = record.source_deleted_at ? " deleted" : record.source_deleting_at ? " deleting" : "";
  return `${record.backup_name} ${record.status}${source}`;
}

/** Name, outcome, stage and code of each item of a report. */
export function fates(report: Json): string[] {
  return report.items.map((item: Json) =>
    [item.name, item.outcome, item.error?.stage, item.error?.code].filter((word) => word).join(" ")
  );
}

/** A test against processes and an endpoint. The client's agent closes its kept connections in its own time. */
export function acceptance(name: string, fn: () => Promise<void>, skip?: string): void {
  Deno.test({
    name: skip === undefined ? name : `${name} [${skip}]`,
    ignore: skip !== undefined,
    fn,
    sanitizeResources: false,
    sanitizeOps: false,
  });
}

/** Whether a process is at work: neither gone nor waiting to be asked after by its parent. POSIX. */
export async function isAtWork(pid: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", `${pid}`] }).output();
  return /^[^Z]/.test(new TextDecoder().decode(stdout).trim());
}

export const needsRoot = Deno.build.os === "linux" && Deno.uid() === 0 ? undefined : "needs root on Linux";
export const needsPosix = Deno.build.os === "windows" ? "needs signals of POSIX" : undefined;
