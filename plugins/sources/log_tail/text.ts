/**
 * Text of a log as its bytes stand: a *view* has one character for each unit of the encoding (a byte of UTF-8, two of
 * UTF-16), so that searching a view is searching bytes, and only what is found is decoded. Pure.
 * @module
 */
import { Buffer } from "node:buffer";

export interface LogEncoding {
  readonly name: "utf-8" | "utf-16le" | "utf-16be";
  /** Bytes of one character of a view. */
  readonly unit: 1 | 2;
  /** Bytes of the mark at the beginning of the file. */
  readonly bom: number;
  /** A view of the whole units. The bytes may be changed by it. */
  view(bytes: Uint8Array): string;
  /** A text as it looks within a view. */
  needle(text: string): string;
  /** The text of a part of a view, without holding on to the whole. */
  decode(part: string): string;
  /** Whether a part of a view is its own text. */
  isPlain(part: string): boolean;
}

const UTF_16 = {
  unit: 2 as const,
  bom: 2,
  needle: (text: string) => text,
  decode: (part: string) => Buffer.from(part, "utf16le").toString("utf16le"),
  isPlain: () => true,
};

const asBuffer = (bytes: Uint8Array, unit: number) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength - bytes.byteLength % unit);

export const UTF_8: LogEncoding = {
  name: "utf-8",
  unit: 1,
  bom: 0,
  view: (bytes) => asBuffer(bytes, 1).toString("latin1"),
  needle: (text) => Buffer.from(text, "utf8").toString("latin1"),
  decode: (part) => Buffer.from(part, "latin1").toString("utf8"),
  // deno-lint-ignore no-control-regex
  isPlain: (part) => !/[^\x00-\x7f]/.test(part),
};

const UTF_8_MARKED: LogEncoding = { ...UTF_8, bom: 3 };

const UTF_16_LE: LogEncoding = {
  ...UTF_16,
  name: "utf-16le",
  view: (bytes) => asBuffer(bytes, 2).toString("utf16le"),
};

const UTF_16_BE: LogEncoding = {
  ...UTF_16,
  name: "utf-16be",
  view: (bytes) => asBuffer(bytes, 2).swap16().toString("utf16le"),
};

/** How many bytes `encodingOf` wants to see. */
export const BOM_BYTES = 3;

/** The encoding that the first bytes of a file say; UTF-8 without a mark. */
export function encodingOf(head: Uint8Array): LogEncoding {
  if (head[0] === 0xff && head[1] === 0xfe) return UTF_16_LE;
  if (head[0] === 0xfe && head[1] === 0xff) return UTF_16_BE;
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? UTF_8_MARKED : UTF_8;
}
