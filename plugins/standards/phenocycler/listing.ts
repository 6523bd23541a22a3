/** What a listing of a study says, sorted out for the rules. @module */
import type { ListedEntry } from "../../../core/contract.ts";

/** What stands at the level of the study and has no place there. */
export interface Stranger {
  name: string;
  kind: ListedEntry["kind"];
}

/** One `Scan<N>` folder. */
export interface Scan {
  name: string;
  hasImage: boolean;
  hasTemp: boolean;
  /** Entries that look like what is wanted and are not: `x.QPTIFF`, a folder `x.qptiff`, a file `.temp`. */
  nearMisses: string[];
}

/** An experiment folder: the study's name, alone or with a suffix. */
export interface Experiment {
  name: string;
  scans: Scan[];
  /** Folders such as `scan1` or `Scan_1`. */
  misnamedScans: string[];
}

/** A study, indexed. All lists are sorted by code units. */
export interface StudyIndex {
  study: string;
  isEmpty: boolean;
  experiments: Experiment[];
  /** Folders that are meant to be experiments but do not carry the study's name. */
  lookalikes: string[];
  /** All folders at the level of the study. */
  folders: Set<string>;
  /** Names of `.xpd` files. */
  designs: string[];
  /** Names of `.fpr` files. */
  reports: string[];
  strangers: Stranger[];
  /** Symbolic links and special files below the level of the study. */
  deepLinks: ListedEntry[];
}

/** Whether a folder's name is meant as `Scan<N>`, rightly spelled or not. */
export function isScanLike(name: string): boolean {
  return /^scan[ _-]?\d+$/i.test(name);
}

/** Sorts a listing out. Contradictory entries (one path, two kinds) are all kept: a rule is met when one of them does. */
export function indexStudy(study: string, entries: readonly ListedEntry[]): StudyIndex {
  const sorted = [...entries].sort((a, b) => compare(a.path, b.path) || compare(a.kind, b.kind));
  const top: ListedEntry[] = [];
  const below = new Map<string, ListedEntry[]>();
  const deepLinks: ListedEntry[] = [];
  let previous: ListedEntry | undefined;
  for (const entry of sorted) {
    if (previous !== undefined && previous.path === entry.path && previous.kind === entry.kind) continue;
    previous = entry;
    const slash = entry.path.indexOf("/");
    if (slash < 0) {
      top.push(entry);
      continue;
    }
    if (entry.kind === "symlink" || entry.kind === "other") deepLinks.push(entry);
    const name = entry.path.slice(0, slash);
    const list = below.get(name);
    if (list === undefined) below.set(name, [entry]);
    else list.push(entry);
  }
  const index: StudyIndex = {
    study,
    isEmpty: top.length === 0,
    experiments: [],
    lookalikes: [],
    folders: new Set(top.filter((entry) => entry.kind === "directory").map((entry) => entry.path)),
    designs: [],
    reports: [],
    strangers: [],
    deepLinks,
  };
  for (const entry of top) sortOut(index, entry, below.get(entry.path) ?? []);
  return index;
}

function sortOut(index: StudyIndex, entry: ListedEntry, inside: readonly ListedEntry[]): void {
  const name = entry.path;
  if (entry.kind === "file" && name.endsWith(".xpd")) index.designs.push(name);
  else if (entry.kind === "file" && name.endsWith(".fpr")) index.reports.push(name);
  else if (entry.kind !== "directory") index.strangers.push({ name, kind: entry.kind });
  else if (name === index.study || name.startsWith(`${index.study}_`)) {
    index.experiments.push(indexExperiment(name, inside));
  } else if (isLookalike(index.study, name, inside)) index.lookalikes.push(name);
  else index.strangers.push({ name, kind: entry.kind });
}

/** A folder that begins as a study does, or holds scans, is a misnamed experiment rather than a stranger. */
function isLookalike(study: string, name: string, inside: readonly ListedEntry[]): boolean {
  if (/\.(xpd|fpr)$/i.test(name)) return false;
  if (/^\d{8}_/.test(name)) return true;
  if (study !== "" && name.toLowerCase().startsWith(study.toLowerCase())) return true;
  return inside.some((entry) => {
    const segments = entry.path.split("/");
    return segments.length === 2 && entry.kind === "directory" && isScanLike(segments[1]);
  });
}

function indexExperiment(name: string, inside: readonly ListedEntry[]): Experiment {
  const scans = new Map<string, Scan>();
  const misnamedScans: string[] = [];
  for (const entry of inside) {
    const segments = entry.path.split("/");
    if (segments.length !== 2 || entry.kind !== "directory" || !isScanLike(segments[1])) continue;
    if (!/^Scan\d+$/.test(segments[1])) misnamedScans.push(segments[1]);
    else scans.set(segments[1], { name: segments[1], hasImage: false, hasTemp: false, nearMisses: [] });
  }
  for (const entry of inside) {
    const segments = entry.path.split("/");
    const scan = segments.length === 3 ? scans.get(segments[1]) : undefined;
    if (scan !== undefined) lookInto(scan, segments[2], entry.kind);
  }
  return { name, scans: [...scans.values()], misnamedScans };
}

function lookInto(scan: Scan, name: string, kind: ListedEntry["kind"]): void {
  const wanted = kind === "directory" ? "folder" : kind === "file" ? "file" : "link";
  if (name === ".temp" && wanted === "folder") scan.hasTemp = true;
  else if (name.length > ".qptiff".length && name.endsWith(".qptiff") && wanted === "file") scan.hasImage = true;
  else if (/^\.temp$|\.qptiff$/i.test(name)) scan.nearMisses.push(`"${name}" is a ${wanted}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
