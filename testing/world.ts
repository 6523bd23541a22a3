/**
 * The whole engine in memory: four roots on four devices, a bucket, a journal and a clock that tests move by hand.
 * @module
 */
import type { Plugin } from "../core/contract.ts";
import { defineStore } from "../core/contract.ts";
import { z } from "../core/options.ts";
import { openMemoryJournal } from "../core/journal/sqlite.ts";
import type { LocalJournal } from "../core/journal/sqlite.ts";
import type { ExternalStage } from "../core/external/external_stage.ts";
import { foldLedger } from "../core/ledger/fold.ts";
import type { LedgerRecord } from "../core/ledger/record.ts";
import { lintPipeline } from "../core/lint/safety.ts";
import { compilePipeline } from "../core/pipeline/compile.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import { loadConfig } from "../core/pipeline/config.ts";
import type { Diagnostic } from "../core/pipeline/diagnostic.ts";
import { createRegistry, type Registry } from "../core/registry.ts";
import { runPipeline } from "../core/run/engine.ts";
import type { RunReport } from "../core/run/report.ts";
import type { EngineServices, RunRequest } from "../core/run/services.ts";
import { PLACE_MARKER_NAME } from "../core/io/names.ts";
import { plugins } from "../plugins/mod.ts";
import { stages } from "../stages/mod.ts";
import { MemoryFileSystem } from "./memory_file_system.ts";
import { memoryStore } from "./memory_object_store.ts";
import type { MemoryStore, MemoryStoreOptions } from "./memory_object_store.ts";
import { instantClock, memoryLog } from "./doubles.ts";
import type { InstantClock, LoggedLine } from "./doubles.ts";
import type { Logger } from "../core/ports.ts";

/** Where the world keeps what. */
export const SOURCE_ROOT = "/instrument/studies";
/** The root of the NAS, marked as a place: `${paths.truenas_root}`. */
export const NAS_ROOT = "/nas/backups";
/** The root of the ledger: `${paths.manifest_root}`. */
export const MANIFEST_ROOT = "/manifests/ledger";
/** The engine's own folder. */
export const STATE_ROOT = "/state/labferry";

const DAY = 86_400_000;

/** The pipeline of the docs, with the naming standard left out so that studies may be called anything. */
export const BACKUP = `
name    = "backup"
summary = "Copy, prove, record, free"
[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }
[[stage]]
use = "lock"
[[stage]]
use  = "manifest-append"
with = { status = "in_progress" }
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
[[stage]]
use  = "s3-upload"
id   = "s3"
with = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}", part = "5 MiB" }
[[stage]]
use  = "manifest-append"
id   = "record"
with = { status = "complete" }
[[stage]]
use  = "delete"
with = { require = { places = 2 } }
[[on_item_failed]]
use  = "manifest-append"
with = { status = "failed" }
`;

/** How a world begins. */
export interface WorldOptions {
  /** How its bucket behaves. */
  store?: MemoryStoreOptions;
  /** Lines added to the config. */
  config?: string;
  /** Further plugins. One that has the kind and the name of a shipped one stands in its place. */
  plugins?: readonly Plugin[];
  /** Further roots, each on a device of its own and marked as a place: absolute POSIX paths. */
  places?: readonly string[];
  /**
   * Stages as if loaded from files.
   * @internal
   */
  external?: readonly ExternalStage[];
  /**
   * The whole config as text, for these roots, in place of the world's own and `config`.
   * @internal
   */
  configText?: (roots: WorldRoots) => string;
  /** The environment, for templates. */
  env?: Readonly<Record<string, string>>;
  /** Leaves the places without their markers. */
  unmarked?: boolean;
  /** Size (bytes) of the NAS. */
  nasBytes?: number;
}

/** Where the config says that everything is. */
export interface WorldRoots {
  /** Of the instrument. */
  sourceRoot: string;
  /** Of the NAS. */
  nasRoot: string;
  /** Of the ledger. */
  manifestRoot: string;
}

/** How the engine is run in it. */
export interface RunOptions {
  /** Text of the pipeline. Default: `BACKUP`. */
  pipeline?: string;
  /** Path of the pipeline, for messages. Default: `test.toml`. */
  file?: string;
  /** Only plan. */
  dryRun?: boolean;
  /** Name of the one item. */
  only?: string;
  /** Repeat work: of all stages, or of one. */
  force?: true | string;
  /** Ask the run to stop, as Ctrl+C does. */
  stop?: AbortSignal;
  /**
   * Told of progress.
   * @internal
   */
  progress?: RunRequest["progress"];
  /**
   * Told of each event that ended.
   * @internal
   */
  onItem?: RunRequest["onItem"];
  /**
   * Whether events are queued; asked again and again.
   * @internal
   */
  queueEvents?: RunRequest["queueEvents"];
  /** Name of the host. Default: `instrument-1`. */
  host?: string;
  /** Runs although lint refuses: to show that the engine refuses too. */
  unlinted?: boolean;
  /** Root of the instrument; a second host has another. */
  sourceRoot?: string;
  /** Where the config says that the other two are. */
  nasRoot?: string;
  /** Where the config says that the ledger is. */
  manifestRoot?: string;
  /** Stop now. */
  abort?: AbortSignal;
  /**
   * How long the run waits for what may never answer.
   * @internal
   */
  deadlines?: RunRequest["deadlines"];
  /**
   * Puts something between the engine and what it is given.
   * @internal
   */
  wrap?: (services: EngineServices) => EngineServices;
}

/**
 * The engine in memory, with all shipped plugins.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { NAS_ROOT, World } from "labferry/testing";
 *
 * await using world = await World.open();
 * world.study("study1", { "a.txt": "alpha" });
 * const { exit_code } = await world.run();
 * assert.equal(exit_code, 0);
 * assert.equal(world.files(NAS_ROOT)["study1/a.txt"], "alpha");
 * assert.equal((await world.ledger()).get("study1")?.status, "complete");
 * ```
 */
export class World implements AsyncDisposable {
  /** The disks. */
  readonly fs: MemoryFileSystem;
  /** The bucket `archive`. */
  readonly store: MemoryStore;
  /** The clock; tests set `time`. */
  readonly clock: InstantClock;
  /** The log; `lines` keeps it. */
  readonly log: Logger & { lines: LoggedLine[] } = memoryLog();
  /**
   * What the engine remembers.
   * @internal
   */
  journal: LocalJournal;
  readonly #options: WorldOptions;
  /** What a `hook` stage does here instead of starting a program. */
  onExec: (argv: readonly string[]) => void | Promise<void> = () => {};

  private constructor(options: WorldOptions, journal: LocalJournal) {
    this.#options = options;
    this.journal = journal;
    this.clock = instantClock();
    this.fs = new MemoryFileSystem({
      now: () => this.clock.now(),
      mounts: {
        "/instrument": {},
        "/nas": options.nasBytes === undefined ? {} : { capacity: options.nasBytes },
        "/manifests": {},
        "/state": {},
        ...Object.fromEntries((options.places ?? []).map((root) => [root, {}])),
      },
    });
    this.store = memoryStore({ now: () => this.clock.now(), bucket: "archive", ...options.store });
    const marker = (n: number) => `00000000-0000-4000-8000-00000000000${n}\n`;
    const roots = [SOURCE_ROOT, NAS_ROOT, MANIFEST_ROOT, ...options.places ?? []];
    for (const [index, root] of roots.entries()) {
      this.fs.seed({ [`${root}/${options.unmarked ? "empty" : PLACE_MARKER_NAME}`]: marker(index + 1) });
    }
    this.fs.seed({ [`${STATE_ROOT}/logs`]: "" });
  }

  /** Makes a world. */
  static async open(options: WorldOptions = {}): Promise<World> {
    return new World(options, await openMemoryJournal());
  }

  /** Puts a study on the instrument, as old as `days` (30 by default). */
  study(name: string, files: Record<string, string | Uint8Array>, days = 30): void {
    const seed: Record<string, string | Uint8Array> = {};
    for (const [path, content] of Object.entries(files)) seed[`${SOURCE_ROOT}/${name}/${path}`] = content;
    this.fs.seed(seed, { at: this.clock.now() - days * DAY });
  }

  /**
   * Compiles and lints a pipeline.
   * @internal
   */
  compile(
    text: string = BACKUP,
    { sourceRoot = SOURCE_ROOT, nasRoot = NAS_ROOT, manifestRoot = MANIFEST_ROOT, file = "test.toml" }:
      & Partial<WorldRoots>
      & Pick<RunOptions, "file"> = {},
  ): { pipeline?: CompiledPipeline; diagnostics: Diagnostic[] } {
    const config = loadConfig({
      path: "/state/config.toml",
      text: this.#options.configText?.({ sourceRoot, nasRoot, manifestRoot }) ??
        `[paths]\nsource_root = "${sourceRoot}"\ntruenas_root = "${nasRoot}"\nmanifest_root = "${manifestRoot}"\n` +
          `[s3]\nbucket = "archive"\nprefix = "fusion"\nendpoint = "http://127.0.0.1:1"\n${this.#options.config ?? ""}`,
      system: "posix",
    });
    if (!config.loaded) throw new Error(config.diagnostics.map((found) => found.message).join("; "));
    const { pipeline, diagnostics } = compilePipeline({
      text,
      file,
      config: config.loaded,
      registry: this.registry(),
      env: this.#options.env ?? {},
    });
    return { pipeline, diagnostics: pipeline ? [...diagnostics, ...lintPipeline(pipeline)] : diagnostics };
  }

  /**
   * The plugins of this world.
   * @internal
   */
  registry(): Registry {
    const store = defineStore({
      kind: "store",
      name: "s3",
      summary: "The world's bucket.",
      options: z.looseObject({}),
      example: "",
      open: () => Promise.resolve(this.store),
    });
    const { external, plugins: given = [] } = this.#options;
    const isReplaced = ({ kind, name }: Plugin) => given.some((other) => other.kind === kind && other.name === name);
    const shipped = [...stages, ...plugins.filter((plugin) => plugin.kind !== "store"), store];
    return createRegistry([...shipped.filter((plugin) => !isReplaced(plugin)), ...given], { external });
  }

  /** Runs a pipeline. @throws {Error} if lint refuses it */
  async run(options: RunOptions = {}): Promise<RunReport> {
    const { pipeline, diagnostics } = this.compile(options.pipeline, options);
    const errors = diagnostics.filter((found) => found.severity === "error");
    if (!pipeline || (errors.length > 0 && !options.unlinted)) {
      throw new Error(`lint refuses: ${errors.map((found) => `${found.code} ${found.message}`).join("; ")}`);
    }
    const services: EngineServices = {
      fs: this.fs,
      clock: this.clock,
      log: this.log,
      journal: options.dryRun ? await openMemoryJournal() : this.journal,
      registry: this.registry(),
      host: options.host ?? "instrument-1",
      processes: { isAlive: () => Promise.resolve({ alive: false }) },
      exec: async ({ argv }) => await this.onExec(argv),
    };
    return await runPipeline({
      compiled: pipeline,
      config: pipeline.config.view,
      stateDir: STATE_ROOT,
      dryRun: options.dryRun ?? false,
      only: options.only,
      force: options.force,
      stop: options.stop ?? new AbortController().signal,
      abort: options.abort ?? new AbortController().signal,
      progress: options.progress,
      onItem: options.onItem,
      queueEvents: options.queueEvents,
      deadlines: options.deadlines,
    }, options.wrap?.(services) ?? services);
  }

  /** The ledger as readers fold it. */
  async ledger(): Promise<Map<string, LedgerRecord>> {
    return (await foldLedger(this.fs, MANIFEST_ROOT)).records;
  }

  /** Loses the journal, as when the state folder is gone. */
  async loseJournal(): Promise<void> {
    await this.journal[Symbol.asyncDispose]();
    this.journal = await openMemoryJournal();
  }

  /** Files below a root by relative path, without the engine's own. */
  files(root: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [path, content] of Object.entries(this.fs.tree(root))) {
      const relative = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
      if (!relative.split("/").some((part) => part.startsWith(".labferry") || part === ".cleanup.lock")) {
        found[relative] = content;
      }
    }
    return found;
  }

  /** Objects below the prefix by relative key, without the ledger's mirror, claims and probes. */
  objects(): Record<string, Uint8Array> {
    const found: Record<string, Uint8Array> = {};
    for (const [key, object] of this.store.objects) {
      const relative = key.slice("fusion/".length);
      if (!relative.startsWith("_")) found[relative] = object.bytes;
    }
    return found;
  }

  /** Closes the journal; the disks may still be looked at. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.journal[Symbol.asyncDispose]();
  }
}
