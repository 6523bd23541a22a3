/** How far a log was read, as the journal keeps it. @module */
import { createHash } from "node:crypto";
import type { Json } from "../../../core/contract.ts";
import type { FollowedFile } from "../../../core/ports.ts";
import type { NearLine } from "./records.ts";

/** A place in a log. */
export interface Position {
  /** Identity of the file; empty while there was none yet, so that whatever comes is read from its beginning. */
  readonly file: string;
  /** What the file began with, up to the place: another content under the same identity is another file. */
  readonly head: Part;
  /** What stood right before the place: a log that was begun anew may have the same head, such as a banner. */
  readonly tail: Part;
  /** Bytes that are dealt with. */
  readonly offset: number;
  /** The nearest lines before the place, one for each rule of the context, as they stand in the log. */
  readonly context: readonly NearLine[];
}

/** Some bytes of a file. */
export interface Part {
  readonly bytes: number;
  readonly sha256: string;
}

/** How much of a file tells it from another, in bytes. */
const PART_BYTES = 256;

const NOTHING: Part = { bytes: 0, sha256: "" };

/** The beginning of a file; of an empty identity: of whatever file comes. */
export function beginningOf(file: string, context: readonly NearLine[] = []): Position {
  return { file, head: NOTHING, tail: NOTHING, offset: 0, context };
}

/** The same position further on. */
export async function movedTo(
  position: Position,
  { file, offset, context }: { file: FollowedFile; offset: number; context: readonly NearLine[] },
): Promise<Position> {
  const bytes = Math.min(offset, PART_BYTES);
  const isKnown = bytes === position.head.bytes && position.file === file.identity;
  const head = isKnown ? position.head : await partOf(file, { from: 0, bytes });
  return { file: file.identity, head, tail: await partOf(file, { from: offset - bytes, bytes }), offset, context };
}

/** Whether what was read up to the position still stands in the file. */
export async function stillStands({ head, tail, offset }: Position, file: FollowedFile): Promise<boolean> {
  if (await file.size() < offset) return false;
  for (const [part, from] of [[head, 0], [tail, offset - tail.bytes]] as const) {
    if (part.bytes > 0 && (await partOf(file, { from, bytes: part.bytes })).sha256 !== part.sha256) return false;
  }
  return true;
}

async function partOf(file: FollowedFile, { from, bytes }: { from: number; bytes: number }): Promise<Part> {
  const buffer = new Uint8Array(bytes);
  const got = await file.read(from, buffer);
  return { bytes, sha256: createHash("sha256").update(buffer.subarray(0, got)).digest("hex") };
}

export function positionToJson(position: Position): Json {
  const context = position.context.map((near) => ({ ...near }));
  return { ...position, head: { ...position.head }, tail: { ...position.tail }, context };
}

/** Undefined when the value is none of ours. One of an earlier version has no tail, and its context in another form. */
export function positionFromJson(value: Json | undefined): Position | undefined {
  const found = value as Partial<Position> | null | undefined;
  if (typeof found !== "object" || found === null || Array.isArray(found)) return undefined;
  const { file, head, offset, context } = found;
  if (typeof file !== "string" || typeof offset !== "number" || !Array.isArray(context)) return undefined;
  if (!isPart(head)) return undefined;
  const tail = isPart(found.tail) ? found.tail : NOTHING;
  return { file, head, tail, offset, context: context.flatMap(nearLineFrom) };
}

function isPart(part: Partial<Part> | undefined): part is Part {
  return typeof part?.bytes === "number" && typeof part.sha256 === "string";
}

function nearLineFrom(value: unknown, index: number): NearLine[] {
  if (typeof value === "string") return value === "" ? [] : [{ rule: index, line: value }];
  const { rule, line } = (value ?? {}) as Partial<NearLine>;
  return typeof rule === "number" && typeof line === "string" ? [{ rule, line }] : [];
}
