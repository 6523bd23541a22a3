/**
 * Jobs of file threads and their answers in a form that crosses threads cheaply: numbers in one array and texts in one
 * string, instead of an object for every file, which costs as much as the work on a small file itself.
 * @module
 */
import type { FileStat, Medium, SmallFailure, SmallJob, SmallJobResult, SmallResult } from "./file_system.ts";

/** A `SmallJob`, flat: what is one for all files in `job`, their texts joined by NUL (no path holds it), their sizes. */
export interface PackedJob {
  job: SmallJob;
  texts: string;
  sizes: Float64Array;
}

const NOTHING = new Float64Array(0);

/** Returns the flat form; `unpackJob` gives back an equal job. */
export function packJob(job: SmallJob): PackedJob {
  switch (job.kind) {
    case "stat":
      return { job: { ...job, names: [] }, texts: job.names.join("\0"), sizes: NOTHING };
    case "hash":
      return {
        job: { ...job, files: [] },
        texts: job.files.map((file) => file.path).join("\0"),
        sizes: Float64Array.from(job.files, (file) => file.size),
      };
    case "write":
    case "publish": {
      const texts: string[] = [];
      for (const file of job.files) {
        texts.push(file.from, file.to, file.temporary);
        if (job.kind === "publish") texts.push((file as { sha256: string }).sha256);
      }
      const sizes = Float64Array.from(job.files, (file: { size: number }) => file.size);
      return { job: { ...job, files: [] }, texts: texts.join("\0"), sizes };
    }
    case "sync-files":
      return { job: { ...job, paths: [] }, texts: job.paths.join("\0"), sizes: NOTHING };
    case "sync-folders":
      return { job, texts: "", sizes: NOTHING };
  }
}

/** Returns the job that was packed. */
export function unpackJob({ job, texts, sizes }: PackedJob): SmallJob {
  const list = texts === "" ? [] : texts.split("\0");
  const copy = (at: number, width: number) => ({
    from: list[at * width],
    to: list[at * width + 1],
    temporary: list[at * width + 2],
    size: sizes[at],
  });
  switch (job.kind) {
    case "stat":
      return { ...job, names: list };
    case "hash":
      return { ...job, files: list.map((path, at) => ({ path, size: sizes[at] })) };
    case "write":
      return { ...job, files: Array.from(sizes, (_, at) => copy(at, 3)) };
    case "publish":
      return { ...job, files: Array.from(sizes, (_, at) => ({ ...copy(at, 4), sha256: list[at * 4 + 3] })) };
    case "sync-files":
      return { ...job, paths: list };
    case "sync-folders":
      return job;
  }
}

/** A `SmallJobResult`, flat. `failures` are by position; what stands at their positions elsewhere means nothing. */
export interface PackedAnswer {
  list: keyof SmallJobResult | "none";
  stats: Float64Array;
  hashes: string;
  marks: Uint8Array;
  failures: [at: number, failure: SmallFailure][];
}

const KINDS: readonly FileStat["kind"][] = ["file", "directory", "symlink", "other"];
const MEDIA: readonly Medium[] = ["cached", "direct", "dropped-cache"];
/** Numbers of one stat. */
const WIDTH = 7;
const NO_STAT = -1;
/** Digits of one hash. */
const DIGITS = 64;
/** In `marks`: the bytes stood there already; above it, the medium. */
const EXISTED = 1;

const orNaN = (value: number | null) => value ?? NaN;
const orNull = (value: number) => Number.isNaN(value) ? null : value;

function putStat(into: Float64Array, at: number, stat: FileStat | undefined): void {
  const start = at * WIDTH;
  if (stat === undefined) {
    into[start] = NO_STAT;
    return;
  }
  into[start] = KINDS.indexOf(stat.kind);
  into[start + 1] = orNaN(stat.dev);
  into[start + 2] = orNaN(stat.ino);
  into[start + 3] = stat.size;
  into[start + 4] = orNaN(stat.mtimeMs);
  into[start + 5] = orNaN(stat.ctimeMs);
  into[start + 6] = orNaN(stat.birthtimeMs);
}

function getStat(from: Float64Array, at: number): FileStat | undefined {
  const start = at * WIDTH;
  if (from[start] === NO_STAT) return undefined;
  return {
    kind: KINDS[from[start]],
    dev: orNull(from[start + 1]),
    ino: orNull(from[start + 2]),
    size: from[start + 3],
    mtimeMs: orNull(from[start + 4]),
    ctimeMs: orNull(from[start + 5]),
    birthtimeMs: orNull(from[start + 6]),
  };
}

/** Returns the flat form; `unpackAnswer` gives back an equal result. */
export function packAnswer(result: SmallJobResult): PackedAnswer {
  const { stats, files, published } = result;
  const packed = (list: PackedAnswer["list"], count: number, statsEach: number): PackedAnswer => ({
    list,
    stats: new Float64Array(count * statsEach * WIDTH),
    hashes: "",
    marks: new Uint8Array(list === "stats" ? 0 : count),
    failures: [],
  });
  if (stats !== undefined) {
    const answer = packed("stats", stats.length, 1);
    for (const [at, stat] of stats.entries()) putStat(answer.stats, at, stat);
    return answer;
  }
  if (files !== undefined) {
    const answer = packed("files", files.length, 2);
    for (const [at, file] of files.entries()) {
      if (!file.ok) {
        answer.failures.push([at, file]);
        answer.hashes += "".padEnd(DIGITS);
        continue;
      }
      putStat(answer.stats, 2 * at, file.after);
      putStat(answer.stats, 2 * at + 1, file.target);
      answer.hashes += file.sha256;
      answer.marks[at] = (file.existed ? EXISTED : 0) + 2 * MEDIA.indexOf(file.medium);
    }
    return answer;
  }
  const answer = packed(published === undefined ? "none" : "published", published?.length ?? 0, 1);
  for (const [at, file] of published?.entries() ?? []) {
    if (!file.ok) {
      answer.failures.push([at, file]);
      continue;
    }
    putStat(answer.stats, at, file.target);
    answer.marks[at] = file.existed ? EXISTED : 0;
  }
  return answer;
}

/** Returns the result that was packed. */
export function unpackAnswer(answer: PackedAnswer): SmallJobResult {
  const { list, stats, hashes, marks } = answer;
  if (list === "none") return {};
  if (list === "stats") return { stats: Array.from({ length: stats.length / WIDTH }, (_, at) => getStat(stats, at)) };
  const failures = new Map(answer.failures);
  const results = <R>(read: (at: number) => R): (R | SmallFailure)[] =>
    Array.from(marks, (_, at) => failures.get(at) ?? read(at));
  if (list === "published") {
    return {
      published: results((at) => ({
        ok: true,
        target: getStat(stats, at) as FileStat,
        existed: (marks[at] & EXISTED) !== 0,
      })),
    };
  }
  return {
    files: results((at): SmallResult => {
      const target = getStat(stats, 2 * at + 1);
      const read = {
        ok: true,
        sha256: hashes.slice(at * DIGITS, (at + 1) * DIGITS),
        after: getStat(stats, 2 * at) as FileStat,
        medium: MEDIA[marks[at] >> 1],
      } as const;
      return target === undefined ? read : { ...read, target, existed: (marks[at] & EXISTED) !== 0 };
    }),
  };
}
