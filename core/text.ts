/** Texts as people save them: UTF-8, or UTF-16 with a byte order mark, which PowerShell's `>` writes. Pure. @module */

/** The text of these bytes, without the byte order mark of UTF-16. What is no UTF-8 comes out as U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "";
  if (encoding !== "") return new TextDecoder(encoding).decode(bytes);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
