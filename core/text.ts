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
    // It is looked at byte by byte: a text of another code page may have no other.
    const parts: string[] = [];
    let from = 0;
    for (let at = 0; at < bytes.length;) {
      const length = lengthOfCharacter(bytes, at);
      if (length === 0) {
        if (at > from) parts.push(strict(bytes.subarray(from, at)));
        parts.push(String.fromCharCode(0xdc00 + bytes[at]));
        from = at + 1;
      }
      at += Math.max(1, length);
    }
    return parts.join("") + strict(bytes.subarray(from));
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

/** Bytes of the character that begins here, by the table of RFC 3629; 0 where none does. */
function lengthOfCharacter(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  // Neither written longer than it must be, nor half of a pair of UTF-16, nor beyond Unicode.
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (bytes[at + 1] < least || bytes[at + 1] > most) return 0;
  for (let next = 2; next < length; next++) if ((bytes[at + next] & 0xc0) !== 0x80) return 0;
  return length;
}
