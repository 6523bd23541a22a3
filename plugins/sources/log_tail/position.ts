/** How far a log was read, as the journal keeps it. @module */
import { createHash } from "node:crypto";
import type { Json } from "../../../core/contract.ts";
import type { FollowedFile } from "../../../core/ports.ts";

/** A place in a log. */
export interface Position {
  /** Identity of the file; empty while there was none yet, so that whatever comes is read from its beginning. */
  readonly file: string;
  /** What the file began with, up to the place: another content under the same identity is another file. */
  readonly head: { readonly bytes: number; readonly sha256: string };
  /** Bytes that are dealt with. */
  readonly offset: number;
  /** For each rule of the context, the nearest line before the place. */
  readonly context: readonly string[];
}

/** How much of a file's beginning tells it from another, in bytes. */
const HEAD_BYTES = 256;

const NO_HEAD = { bytes: 0, sha256: "" };

/** The beginning of a file; of an empty identity: of whatever file comes. */
export function beginningOf(file: string, context: readonly string[] = []): Position {
  return { file, head: NO_HEAD, offset: 0, context };
}

/** The same position further on. */
export async function movedTo(
  position: Position,
  { file, offset, context }: { file: FollowedFile; offset: number; context: readonly string[] },
): Promise<Position> {
  const bytes = Math.min(offset, HEAD_BYTES);
  const { head } = position;
  if (bytes === head.bytes && position.file === file.identity) return { ...position, offset, context };
  return { file: file.identity, head: { bytes, sha256: await headOf(file, bytes) }, offset, context };
}

/** Whether what was read up to the position still stands in the file. */
export async function stillStands({ head, offset }: Position, file: FollowedFile): Promise<boolean> {
  if (await file.size() < offset) return false;
  return head.bytes === 0 || await headOf(file, head.bytes) === head.sha256;
}

async function headOf(file: FollowedFile, bytes: number): Promise<string> {
  const buffer = new Uint8Array(bytes);
  const got = await file.read(0, buffer);
  return createHash("sha256").update(buffer.subarray(0, got)).digest("hex");
}

export function positionToJson(position: Position): Json {
  return { ...position, head: { ...position.head }, context: [...position.context] };
}

/** Undefined when the value is none of ours. */
export function positionFromJson(value: Json | undefined): Position | undefined {
  const found = value as Partial<Position> | null | undefined;
  if (typeof found !== "object" || found === null || Array.isArray(found)) return undefined;
  const { file, head, offset, context } = found;
  if (typeof file !== "string" || typeof offset !== "number" || !Array.isArray(context)) return undefined;
  if (typeof head?.bytes !== "number" || typeof head.sha256 !== "string") return undefined;
  return { file, head, offset, context };
}
