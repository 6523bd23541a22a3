/**
 * A stage put to work in a world in memory: what stands before it, what it is given, and the pipeline made of that.
 * @module
 */
import { stringify } from "@std/toml/stringify";
import type { AnyStage, Item, Json, Plugin } from "../core/contract.ts";
import { listSource } from "./event_plugins.ts";
import { asLoaded, assertSound } from "./sound_stage.ts";
import { BACKUP, World } from "./world.ts";

/** What a stage is put to work on. Everything may be left out. */
export interface StageSetting {
  /** What stands under `with`, in TOML's own terms (`"8 MiB"`, not bytes); `${…}` as in a pipeline file. */
  options?: { [key: string]: Json };
  /** TOML of the stages before it, for example `[[stage]]\nuse = "lock"\n`. Default: none. */
  upstream?: string;
  /** Files of the study by path: text, or bytes. Default: `STUDY_FILES`. Not for stages of events. */
  files?: Record<string, string | Uint8Array>;
  /** The events it is given, one after the other. Default: one named `event-1`. Only for stages of events. */
  events?: readonly Item[];
  /** What else lies on the disks, by absolute POSIX path: lists, tables, other people's files. */
  disk?: Record<string, string | Uint8Array>;
  /** Lines added to the config, for example `[notify]\nenabled = true\n`. */
  config?: string;
  /** Roots of further places, absolute POSIX paths; each is marked and on a device of its own. */
  places?: readonly string[];
  /** Plugins besides the shipped ones: stages it stands behind, doubles. */
  plugins?: readonly Plugin[];
  /** Stands for the programs that are started: throws to fail, writes into `world.fs` what the program would. */
  exec?: (argv: readonly string[], world: World) => void | Promise<void>;
  /** Size of the NAS, bytes. */
  nasBytes?: number;
  /**
   * How long (ms) a run with `runStage`, or one check of `conformance`, may take by the system's clock before it fails.
   * Default: 30,000.
   */
  deadlineMs?: number;
}

/** The study of the kit; the naming standard passes it. */
export const STUDY = "20260115_lin_tonsil_panel1";

/** Its files: text in several folders, a name beyond ASCII, and an empty file. */
export const STUDY_FILES: Readonly<Record<string, string>> = {
  [`${STUDY}.xpd`]: "alpha",
  [`${STUDY}/Scan1/image.qptiff`]: "beta",
  [`${STUDY}/Scan1/.temp/tile ü`]: "gamma",
  [`${STUDY}/Scan1/empty`]: "",
};

/** The id of the stage under test in the pipelines of the kit. */
export const SUBJECT = "subject";

const LARGE = 2 ** 20;

const SOURCES = {
  tree: `use = "idle-folders"\nwith = { root = "\${paths.source_root}", idle = "1d" }\n`,
  // Backups are yielded while less than this share of the NAS is free.
  backup: `use = "capacity"\nwith = { place_root = "\${paths.truenas_root}", below = 90 }\n`,
  event: `use = "list"\n`,
};

function sourceOf({ takes }: AnyStage): keyof typeof SOURCES {
  return takes === "event" || takes === "backup" ? takes : "tree";
}

/** The head of the pipeline, without any stage. */
export function headOf(plugin: AnyStage): string {
  return `name = "test"\nsummary = "one stage"\n[source]\n${SOURCES[sourceOf(plugin)]}`;
}

/** The pipeline: a source of what the stage takes, the stages before it, the stage itself with the id `SUBJECT`. */
export function pipelineOf(plugin: AnyStage, { options = {}, upstream = "" }: StageSetting): string {
  const table = { use: plugin.name, id: SUBJECT, ...Object.keys(options).length === 0 ? {} : { with: options } };
  return `${headOf(plugin)}${upstream}\n${stringify({ stage: [table] })}`;
}

/** A world with what the stage is to work on; a stage of backups finds one that is complete. */
export async function openSetting(plugin: AnyStage, setting: StageSetting): Promise<World> {
  assertSound(plugin);
  const source = sourceOf(plugin);
  const loaded = asLoaded(plugin);
  const { events = [{ id: "event-1", name: "event-1", kind: "event" as const, data: {} }] } = setting;
  await using stack = new AsyncDisposableStack();
  const world = stack.use(
    await World.open({
      config: setting.config,
      places: setting.places,
      nasBytes: setting.nasBytes ?? (source === "backup" ? 4 * LARGE : undefined),
      external: loaded && [loaded],
      plugins: [
        ...loaded ? [] : [plugin],
        ...setting.plugins ?? [],
        // Items are amended on their way, and a second run must find them as they were.
        ...source === "event" ? [listSource(() => structuredClone(events) as Item[]).plugin] : [],
      ],
    }),
  );
  world.onExec = (argv) => setting.exec?.(argv, world);
  if (setting.disk) world.fs.seed(setting.disk);
  if (source !== "event") {
    const files = setting.files ?? STUDY_FILES;
    world.study(STUDY, source === "backup" ? { ...files, "large.bin": new Uint8Array(LARGE) } : files);
  }
  if (source === "backup") {
    const { exit_code, error, items } = await world.run({ pipeline: BACKUP });
    if (exit_code !== 0) throw new Error(`the backup could not be made: ${(error ?? items[0]?.error)?.message}`);
  }
  stack.move();
  return world;
}
