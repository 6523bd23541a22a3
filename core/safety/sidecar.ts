/**
 * The checksum sidecar `_checksums.sha256`: the format of GNU coreutils, so that `sha256sum -c` proves a copy without
 * labferry. Lines are sorted by the bytes of the paths; paths have `/` separators and are relative to the study.
 * @module
 */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";
import type { FileHandle, FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { compareBytes } from "../io/paths.ts";

/** One line: the lower-case hex SHA-256 of a file. */
export interface SidecarEntry {
  path: string;
  sha256: string;
}

/** What was written or read. */
export interface SidecarSummary {
  /** Lower-case hex SHA-256 of the sidecar itself. */
  sha256: string;
  files: number;
  bytes: number;
}

const BLOCK = 64 * 2 ** 10;
/** Longest line that is taken for one; a path has at most 32 Ki characters. */
const LONGEST_LINE = 256 * 2 ** 10;
/** What to do about a list that labferry did not write so. */
const CHANGED =
  "Somebody changed the list, or the storage damaged it. Nothing is counted on it; compare it with the other copy.";
const HASH = /^[0-9a-f]{64}$/;

const ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };
const UNESCAPES: Record<string, string> = { "\\": "\\", n: "\n", r: "\r" };

/**
 * One line without its newline. As coreutils do, a line whose name holds a backslash, newline or carriage return begins
 * with a backslash and has these escaped.
 * @throws {PipelineError} `sidecar/entry` for a name or hash that no line can hold faithfully
 */
export function formatSidecarLine(sha256: string, path: string): string {
  const why = entryProblem(path, sha256);
  if (why !== undefined) {
    throw new PipelineError("sidecar/entry", `Cannot write "${path}" into a checksum sidecar: ${why}`, {
      hint: "Rename the file at the source; a list of checksums cannot hold this name.",
    });
  }
  // The name "-" alone means standard input to `sha256sum -c`.
  const name = path === "-" ? "./-" : path;
  const escaped = name.replace(/[\\\n\r]/g, (character) => ESCAPES[character]);
  return `${escaped === name ? "" : "\\"}${sha256}  ${escaped}`;
}

function entryProblem(path: string, sha256: string): string | undefined {
  if (!HASH.test(sha256)) return `its hash is "${sha256}", wanted 64 lower-case hex digits`;
  if (!path.isWellFormed()) return "its name is not valid text";
  if (path.includes("\0")) return "its name holds a NUL character";
  if (path === "" || path.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) {
    return "it is not a relative path of plain segments";
  }
  return undefined;
}

/**
 * Reads one line without its newline; also the `*` of binary mode.
 * @throws {SyntaxError} when it is no line of a sidecar
 */
export function parseSidecarLine(line: string): SidecarEntry {
  const match = /^(\\?)([0-9a-f]{64}) [ *]([^]+)$/.exec(line);
  if (match === null) throw new SyntaxError("wanted 64 lower-case hex digits, two spaces and a name");
  const [, escaped, sha256, name] = match;
  const path = escaped === "" ? name : name.replace(/\\([^]?)/g, (_whole, character: string) => {
    const plain = UNESCAPES[character];
    if (plain === undefined) throw new SyntaxError(`the name holds the unknown escape "\\${character}"`);
    return plain;
  });
  const entry = { path: path === "./-" ? "-" : path, sha256 };
  const why = entryProblem(entry.path, sha256);
  if (why !== undefined) throw new SyntaxError(why);
  return entry;
}

/** Encodes entries as blocks of a sidecar, checking that they are sorted and that there are any. */
export async function* encodeSidecar(
  entries: AsyncIterable<SidecarEntry>,
  options: { name: string; onEnd?: (summary: SidecarSummary) => void },
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const hash = createHash("sha256");
  let last: string | undefined;
  let [files, bytes, text] = [0, 0, ""];
  const flush = () => {
    const block = encoder.encode(text);
    text = "";
    bytes += block.length;
    hash.update(block);
    return block;
  };
  for await (const entry of entries) {
    expectOrder(last, entry.path, options.name);
    last = entry.path;
    files++;
    text += `${formatSidecarLine(entry.sha256, entry.path)}\n`;
    if (text.length >= BLOCK) yield flush();
  }
  if (files === 0) throw empty(options.name);
  if (text !== "") yield flush();
  options.onEnd?.({ sha256: hash.digest("hex"), files, bytes });
}

/** Two lines for one file, or lines out of order, mean that the list is not the evidence. */
function expectOrder(last: string | undefined, path: string, name: string): void {
  if (last === undefined || compareBytes(last, path) < 0) return;
  const found = last === path ? `"${path}" stands twice` : `"${path}" stands after "${last}"`;
  throw new PipelineError("sidecar/order", `Cannot use the checksum sidecar "${name}": ${found}, wanted byte order`, {
    hint: CHANGED,
  });
}

function empty(name: string): PipelineError {
  return new PipelineError("sidecar/empty", `Cannot use the checksum sidecar "${name}": it lists no file`, {
    hint: "An empty list proves nothing. Seal the study again.",
  });
}

/**
 * Writes a sidecar as a new file, flushed. The caller chooses a temporary name and publishes it (SAFETY S7). After a
 * failure the file is removed again.
 * @throws {PipelineError} `sidecar/empty`, `sidecar/order`, `sidecar/entry`, or an `io/…` code
 */
export async function writeSidecar(
  fs: FileSystem,
  path: string,
  entries: AsyncIterable<SidecarEntry>,
): Promise<SidecarSummary> {
  let summary: SidecarSummary | undefined;
  let made = false;
  try {
    await using handle = await fs.createNew(path);
    made = true;
    for await (const block of encodeSidecar(entries, { name: path, onEnd: (end) => summary = end })) {
      await handle.write(block);
    }
    await handle.sync();
  } catch (error) {
    if (made) await fs.removeFile(path).catch(() => {}); // the first error is the one to tell
    throw ioError(error, { verb: "write the checksum sidecar", path });
  }
  if (summary === undefined) throw empty(path);
  return summary;
}

/** How a sidecar is read. */
export interface SidecarReading {
  /** Fail at the end when the sidecar's own SHA-256 is another. */
  expectedSha256?: string;
  signal?: AbortSignal;
  onEnd?: (summary: SidecarSummary) => void;
}

/** Streams the lines of a sidecar file. @throws {PipelineError} as `parseSidecar`, or an `io/…` code */
export async function* readSidecar(
  fs: FileSystem,
  path: string,
  options: SidecarReading = {},
): AsyncGenerator<SidecarEntry> {
  let handle: FileHandle;
  try {
    handle = await fs.openRead(path);
  } catch (error) {
    throw ioError(error, { verb: "read the checksum sidecar", path });
  }
  await using _closing = handle;
  yield* parseSidecar(blocksOf(handle, path), { ...options, name: path });
}

async function* blocksOf(handle: FileHandle, path: string): AsyncGenerator<Uint8Array> {
  for (;;) {
    const block = new Uint8Array(BLOCK);
    const got = await handle.read(block).catch((error) => {
      throw ioError(error, { verb: "read the checksum sidecar", path });
    });
    if (got === 0) return;
    yield block.subarray(0, got);
  }
}

/**
 * Streams the lines of a sidecar that arrives in blocks, from a file or a store. With `expectedSha256` the lines are
 * proved only once the stream has ended without an error: act on them after that.
 * @throws {PipelineError} `sidecar/malformed`, `sidecar/order`, `sidecar/empty`, `sidecar/changed`
 */
export async function* parseSidecar(
  blocks: AsyncIterable<Uint8Array>,
  options: SidecarReading & { name: string },
): AsyncGenerator<SidecarEntry> {
  const hash = createHash("sha256");
  let last: string | undefined;
  let [files, bytes] = [0, 0];
  const counted = (async function* () {
    for await (const block of blocks) {
      options.signal?.throwIfAborted();
      hash.update(block);
      bytes += block.length;
      yield block;
    }
  })();
  for await (const line of linesOf(counted, options.name)) {
    files++;
    let entry: SidecarEntry;
    try {
      entry = parseSidecarLine(line);
    } catch (cause) {
      throw malformed(options.name, files, cause);
    }
    expectOrder(last, entry.path, options.name);
    last = entry.path;
    yield entry;
  }
  if (files === 0) throw empty(options.name);
  const sha256 = hash.digest("hex");
  if (options.expectedSha256 !== undefined && sha256 !== options.expectedSha256) {
    throw new PipelineError(
      "sidecar/changed",
      `Cannot use the checksum sidecar "${options.name}": its SHA-256 is ${sha256}, wanted ${options.expectedSha256}`,
      { hint: "The list was changed after the backup was recorded. Look at who changed it before you trust the copy." },
    );
  }
  options.onEnd?.({ sha256, files, bytes });
}

function malformed(name: string, line: number, cause: unknown): PipelineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PipelineError("sidecar/malformed", `Cannot use the checksum sidecar "${name}": line ${line}: ${reason}`, {
    cause,
    hint: CHANGED,
  });
}

/** Lines without their newlines; a last line without one was cut off. */
async function* linesOf(blocks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  let line = 1;
  const decode = (block?: Uint8Array) => {
    try {
      return block === undefined ? decoder.decode() : decoder.decode(block, { stream: true });
    } catch (cause) {
      throw malformed(name, line, cause);
    }
  };
  for await (const block of blocks) {
    const parts = (rest + decode(block)).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      yield part;
      line++;
    }
    if (rest.length > LONGEST_LINE) throw malformed(name, line, new SyntaxError("it is too long for a name"));
  }
  rest += decode();
  if (rest !== "") throw malformed(name, line, new SyntaxError("the file ends in the middle of it"));
}

/** Lower-case hex SHA-256 of a sidecar file. */
export async function hashSidecar(fs: FileSystem, path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await using handle = await fs.openRead(path);
    for await (const block of blocksOf(handle, path)) hash.update(block);
  } catch (error) {
    throw ioError(error, { verb: "read the checksum sidecar", path });
  }
  return hash.digest("hex");
}
