/** Texts as people save them: UTF-8, or UTF-16 with a byte order mark, which PowerShell's `>` writes. Pure. @module */

/** The text of these bytes, without the byte order mark of UTF-16. What is no UTF-8 comes out as U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = utf16Of(bytes);
  if (encoding !== undefined) return new TextDecoder(encoding).decode(bytes);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/**
 * The text of bytes that have to be UTF-8. Each byte that is none comes out as a lone surrogate, which no text holds:
 * whoever reads it can tell where (`brokenAt`), and no two names become one on the way, as with U+FFFD.
 */
export function decodeMarked(bytes: Uint8Array): string {
  try {
    return strict(bytes);
  } catch {
    let text = "";
    for (let at = 0; at < bytes.length;) {
      const { length, part } = characterAt(bytes, at);
      text += part;
      at += length;
    }
    return text;
  }
}

/** `decodeMarked`, or the text of UTF-16 with a byte order mark, for files that may be either. */
export function decodeMarkedList(bytes: Uint8Array): string {
  return utf16Of(bytes) === undefined ? decodeMarked(bytes) : decodeText(bytes);
}

/** Where the first byte stands that was no UTF-8; undefined in a text that was. */
export function brokenAt(text: string): number | undefined {
  const at = text.search(/\p{Surrogate}/u);
  return at === -1 ? undefined : at;
}

function utf16Of([first, second]: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  return first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

function strict(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function characterAt(bytes: Uint8Array, at: number): { length: number; part: string } {
  // A character of UTF-8 has four bytes at most.
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      return { length, part: strict(bytes.subarray(at, at + length)) };
    } catch {
      // It may need the next byte too.
    }
  }
  return { length: 1, part: String.fromCharCode(0xdc00 + bytes[at]) };
}
