/**
 * Studies as a PhenoCycler Fusion leaves them, made up for the demo: two that may be archived, one with a wrong name,
 * one that is still being written; later two further ones. What is made is decided by pure plans; only `makeStudies`
 * touches the disk.
 *
 * Old modification times are set, but no system lets a program set a change time (ctime) back. A study made here looks
 * as if it had just arrived, so a pipeline that is to take it must run with `settle_minutes = 0`.
 * @module
 */
import { join } from "@std/path";
import { tiffBytes, tiffChunks, type TiffOptions } from "./tiff.ts";

const DAY_MS = 86_400_000;

/** What should become of a study: archived, refused by the naming standard, or left where it is. */
export type Expectation = "archived" | "refused" | "left-alone";

/** One entry of a study. `path` is relative to the study, `/`-separated. */
export type PlannedEntry =
  | { kind: "directory"; path: string }
  | { kind: "bytes"; path: string; bytes: number }
  | { kind: "text"; path: string; text: string }
  | { kind: "tiff"; path: string; tiff: TiffOptions };

export interface PlannedStudy {
  name: string;
  expect: Expectation;
  /** For people: what is special about it. */
  why: string;
  /** Rules of the naming standard that it breaks, in order. */
  breaks: readonly string[];
  /** Newest modification time, ms since 1970. */
  mtimeMs: number;
  entries: readonly PlannedEntry[];
}

export interface MadeStudy extends Omit<PlannedStudy, "entries"> {
  /** OS path of the study's folder. */
  path: string;
  files: number;
  /** Folders below the study. */
  directories: number;
  bytes: number;
}

export interface PlanOptions {
  /** Milliseconds since 1970; ages are counted back from here. */
  now: number;
  /** Multiplies the pixels of every image. Default 1: about 20 MiB in all. */
  scale?: number;
}

export interface MakeStudiesOptions extends PlanOptions {
  /** Default: `planStudies`. */
  plan?: (options: PlanOptions) => PlannedStudy[];
  signal?: AbortSignal;
}

const CHANNELS = ["DAPI", "CD3e", "PanCK"] as const;

/** A scan as the instrument writes it: the image, and the tiles it was stitched from under `.temp`. */
function scan(folder: string, options: { image: string; side: number; tiles: number; seed: number }): PlannedEntry[] {
  const entries: PlannedEntry[] = [{
    kind: "tiff",
    path: `${folder}/${options.image}.qptiff`,
    tiff: { width: options.side, height: options.side, channels: CHANNELS, levels: 3, seed: options.seed },
  }];
  for (let tile = 0; tile < options.tiles; tile++) {
    const name = String(tile).padStart(4, "0");
    entries.push({ kind: "bytes", path: `${folder}/.temp/tile_${name}.dat`, bytes: 2048 + (tile * 997) % 14_336 });
  }
  return entries;
}

/** An experiment's folder and its `.xpd` beside it. */
function experiment(name: string, scans: readonly PlannedEntry[]): PlannedEntry[] {
  const protocol = `<?xml version="1.0"?><ExperimentDefinition name="${name}" cycles="3"/>\n`;
  return [
    { kind: "text", path: `${name}.xpd`, text: protocol },
    ...scans.map((entry) => ({ ...entry, path: `${name}/${entry.path}` })),
  ];
}

function report(study: string): PlannedEntry {
  return { kind: "text", path: `${study}.fpr`, text: `{"study":"${study}","flowcell":"made up"}\n` };
}

/** Pixels of a side, by the scale. */
function sideOf(pixels: number, { scale = 1 }: PlanOptions): number {
  return Math.max(16, Math.round(pixels * Math.sqrt(scale)));
}

/** Returns the studies that are on the instrument to begin with. Pure. */
export function planStudies(options: PlanOptions): PlannedStudy[] {
  const side = (pixels: number) => sideOf(pixels, options);
  const tonsil = "20260115_lin_tonsil_panel1";
  const lung = "20260203_okafor_lung_pilot";
  const spleen = "20260230_lin_spleen_run2";
  const skin = "20260301_haddad_skin_timecourse";
  return [
    {
      name: tonsil,
      expect: "archived",
      why: "two experiments, one of them a rescan",
      breaks: [],
      mtimeMs: options.now - 60 * DAY_MS,
      entries: [
        report(tonsil),
        ...experiment(tonsil, scan("Scan1", { image: `${tonsil}_Scan1`, side: side(1024), tiles: 120, seed: 1 })),
        ...experiment(
          `${tonsil}_rescan`,
          scan("Scan1", { image: `${tonsil}_rescan_Scan1`, side: side(512), tiles: 24, seed: 2 }),
        ),
      ],
    },
    {
      name: lung,
      expect: "archived",
      why: "nested and empty folders, an empty file, names with spaces and beyond ASCII",
      breaks: [],
      mtimeMs: options.now - 45 * DAY_MS,
      entries: [
        report(lung),
        ...experiment(lung, [
          ...scan("Scan1", { image: `${lung}_Scan1`, side: side(768), tiles: 60, seed: 3 }),
          ...scan("Scan2", { image: `${lung} Scan2`, side: side(256), tiles: 8, seed: 4 }),
          { kind: "directory", path: "Scan2/export/empty" },
          { kind: "directory", path: "Scan2/export/later/also empty" },
          { kind: "bytes", path: "Scan2/export/0 bytes.csv", bytes: 0 },
          { kind: "bytes", path: "Scan2/export/régions d’intérêt/größe µm.csv", bytes: 4096 },
          { kind: "bytes", path: "Scan2/export/细胞 分割/マスク 01.dat", bytes: 65_536 },
          { kind: "bytes", path: "Scan2/export/a/b/c/d/e/f/deep [1] #2 %20 + & 'q'.dat", bytes: 12_345 },
        ]),
      ],
    },
    {
      name: spleen,
      expect: "refused",
      why: "30 February is no date, and somebody left their notes in the study",
      breaks: ["R1", "R5"],
      mtimeMs: options.now - 30 * DAY_MS,
      entries: [
        report(spleen),
        { kind: "text", path: "notes.txt", text: "ask Lin which slide this was\n" },
        ...experiment(spleen, scan("Scan1", { image: `${spleen}_Scan1`, side: side(128), tiles: 4, seed: 5 })),
      ],
    },
    {
      name: skin,
      expect: "left-alone",
      why: "the instrument is still writing it",
      breaks: [],
      mtimeMs: options.now,
      entries: [
        report(skin),
        ...experiment(skin, scan("Scan1", { image: `${skin}_Scan1`, side: side(128), tiles: 16, seed: 6 })),
      ],
    },
  ];
}

/** Returns what the instrument writes later: two studies, some 12 MiB in all. Pure. */
export function planAcquisitions(options: PlanOptions): PlannedStudy[] {
  const further = (name: string, { days, seed }: { days: number; seed: number }): PlannedStudy => ({
    name,
    expect: "archived",
    why: `written ${days} days ago`,
    breaks: [],
    mtimeMs: options.now - days * DAY_MS,
    entries: [
      report(name),
      ...experiment(name, scan("Scan1", { image: `${name}_Scan1`, side: sideOf(900, options), tiles: 16, seed })),
    ],
  });
  return [
    further("20260318_mbeki_colon_cohort2", { days: 25, seed: 7 }),
    further("20260322_lin_kidney_panel3", { days: 20, seed: 8 }),
  ];
}

/** Bytes that look like nothing in particular and are the same every time. */
function* filler(bytes: number, seed: number): Generator<Uint8Array<ArrayBuffer>> {
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let left = bytes; left > 0;) {
    const block = new Uint32Array(Math.ceil(Math.min(left, 65_536) / 4));
    for (let at = 0; at < block.length; at++) {
      state ^= state << 13, state ^= state >>> 17, state ^= state << 5;
      block[at] = state;
    }
    const chunk = new Uint8Array(block.buffer).subarray(0, Math.min(left, 65_536));
    yield chunk;
    left -= chunk.length;
  }
}

function chunksOf(entry: Exclude<PlannedEntry, { kind: "directory" }>): Iterable<Uint8Array<ArrayBuffer>> {
  if (entry.kind === "tiff") return tiffChunks(entry.tiff);
  if (entry.kind === "text") return [new TextEncoder().encode(entry.text)];
  return filler(entry.bytes, entry.path.length + entry.bytes);
}

/** Size of an entry in bytes; 0 for a folder. */
export function entryBytes(entry: PlannedEntry): number {
  if (entry.kind === "tiff") return tiffBytes(entry.tiff);
  if (entry.kind === "text") return new TextEncoder().encode(entry.text).length;
  return entry.kind === "bytes" ? entry.bytes : 0;
}

function parentsOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

async function writeEntry(path: string, chunks: Iterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const chunk of chunks) {
    signal?.throwIfAborted();
    for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
  }
}

async function makeStudy(root: string, study: PlannedStudy, signal?: AbortSignal): Promise<MadeStudy> {
  const { entries, ...rest } = study;
  const path = join(root, study.name);
  const folders = new Set(entries.flatMap((entry) => [
    ...parentsOf(entry.path),
    ...(entry.kind === "directory" ? [entry.path] : []),
  ]));
  await Deno.mkdir(path);
  // Parents come before their children in the set, for a path's parents are listed from the top.
  for (const folder of folders) await Deno.mkdir(join(path, ...folder.split("/")));
  const made: MadeStudy = { ...rest, path, files: 0, directories: folders.size, bytes: 0 };
  for (const [at, entry] of entries.entries()) {
    if (entry.kind === "directory") continue;
    const target = join(path, ...entry.path.split("/"));
    await writeEntry(target, chunksOf(entry), signal);
    // The instrument writes one file after the other; the last one carries the study's time.
    await setMtime(target, study.mtimeMs - (entries.length - 1 - at) * 1000);
    made.files++;
    made.bytes += entryBytes(entry);
  }
  // Children first: an entry made in a folder would move the folder's time.
  for (const folder of [...folders].reverse()) await setMtime(join(path, ...folder.split("/")), study.mtimeMs);
  await setMtime(path, study.mtimeMs);
  return made;
}

function setMtime(path: string, mtimeMs: number): Promise<void> {
  const time = new Date(mtimeMs);
  return Deno.utime(path, time, time);
}

/**
 * Makes the studies as folders below `root`, an existing OS path, and returns what was made and what is expected of
 * each. Same options, same bytes and times.
 * @throws the system's error, for example if a study is there already
 */
export async function makeStudies(root: string, options: MakeStudiesOptions): Promise<MadeStudy[]> {
  const made: MadeStudy[] = [];
  for (const study of (options.plan ?? planStudies)(options)) made.push(await makeStudy(root, study, options.signal));
  return made;
}
