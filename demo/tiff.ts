/**
 * Made-up microscope images: baseline TIFF 6.0, little-endian, 16-bit grey, one image file directory (IFD) per channel
 * and pyramid level, in the order a QPTIFF has them. Written as a stream; every offset is known before the first byte.
 * @module
 */

export interface TiffOptions {
  /** Pixels of the largest level; each further level halves both, rounded up. */
  width: number;
  height: number;
  channels: readonly string[];
  levels: number;
  /** Same seed, same bytes. */
  seed: number;
  /** Micrometres a pixel of the largest level. Default: 0.5. */
  pixelSize?: number;
}

interface Page {
  channel: string;
  level: number;
  width: number;
  height: number;
  seed: number;
}

const HEADER_BYTES = 8;
const ROWS_PER_STRIP = 64;
const BYTES_PER_PIXEL = 2;
const SOFTWARE = "labferry demo";

/** Field types of TIFF 6.0, section 2, and their sizes in bytes. */
const ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5;
const TYPE_BYTES: Record<number, number> = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [RATIONAL]: 8 };

/** One directory entry; a RATIONAL takes two values, an ASCII text its bytes with the closing NUL. */
interface Field {
  tag: number;
  type: number;
  values: readonly number[];
}

function pagesOf(options: TiffOptions): Page[] {
  const pages: Page[] = [];
  for (let level = 0; level < options.levels; level++) {
    options.channels.forEach((channel, at) => {
      pages.push({
        channel,
        level,
        width: Math.max(1, Math.ceil(options.width / 2 ** level)),
        height: Math.max(1, Math.ceil(options.height / 2 ** level)),
        seed: options.seed + at,
      });
    });
  }
  return pages;
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value), 0];
}

function description(page: Page): string {
  const kind = page.level === 0 ? "FullResolution" : "ReducedResolution";
  return `<?xml version="1.0" encoding="utf-8"?><PerkinElmer-QPI-ImageDescription><ImageType>${kind}</ImageType>` +
    `<Name>${page.channel}</Name><InstrumentType>made up</InstrumentType></PerkinElmer-QPI-ImageDescription>`;
}

/** Byte offsets of the strips of a page whose pixels begin at `start`. */
function strips(page: Page, start: number): { offsets: number[]; counts: number[] } {
  const offsets: number[] = [];
  const counts: number[] = [];
  for (let row = 0; row < page.height; row += ROWS_PER_STRIP) {
    const rows = Math.min(ROWS_PER_STRIP, page.height - row);
    offsets.push(start + row * page.width * BYTES_PER_PIXEL);
    counts.push(rows * page.width * BYTES_PER_PIXEL);
  }
  return { offsets, counts };
}

function fieldsOf(page: Page, pixelStart: number, pixelSize: number): Field[] {
  const { offsets, counts } = strips(page, pixelStart);
  // Pixels a centimetre, as a fraction of whole numbers.
  const resolution = [Math.round(10_000_000 / (pixelSize * 2 ** page.level)), 1000];
  return [
    { tag: 254, type: LONG, values: [page.level === 0 ? 0 : 1] },
    { tag: 256, type: LONG, values: [page.width] },
    { tag: 257, type: LONG, values: [page.height] },
    { tag: 258, type: SHORT, values: [16] },
    { tag: 259, type: SHORT, values: [1] },
    { tag: 262, type: SHORT, values: [1] },
    { tag: 270, type: ASCII, values: text(description(page)) },
    { tag: 273, type: LONG, values: offsets },
    { tag: 277, type: SHORT, values: [1] },
    { tag: 278, type: LONG, values: [ROWS_PER_STRIP] },
    { tag: 279, type: LONG, values: counts },
    { tag: 282, type: RATIONAL, values: resolution },
    { tag: 283, type: RATIONAL, values: resolution },
    { tag: 284, type: SHORT, values: [1] },
    { tag: 296, type: SHORT, values: [3] },
    { tag: 305, type: ASCII, values: text(SOFTWARE) },
    { tag: 339, type: SHORT, values: [1] },
  ];
}

function countOf(field: Field): number {
  return field.type === RATIONAL ? field.values.length / 2 : field.values.length;
}

function bytesOf(field: Field): number {
  return countOf(field) * TYPE_BYTES[field.type];
}

/** Values of more than four bytes stand after the directory, at even offsets. */
function directoryBytes(fields: readonly Field[]): number {
  const outside = fields.map(bytesOf).filter((bytes) => bytes > 4).map((bytes) => bytes + bytes % 2);
  return 2 + fields.length * 12 + 4 + outside.reduce((sum, bytes) => sum + bytes, 0);
}

function putValues(view: DataView, at: number, field: Field): void {
  const bytes = field.type === RATIONAL ? 4 : TYPE_BYTES[field.type];
  field.values.forEach((value, index) => {
    if (bytes === 1) view.setUint8(at + index, value);
    else if (bytes === 2) view.setUint16(at + index * 2, value, true);
    else view.setUint32(at + index * 4, value, true);
  });
}

function encodeDirectory(fields: readonly Field[], start: number, next: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(directoryBytes(fields));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fields.length, true);
  let outside = 2 + fields.length * 12 + 4;
  fields.forEach((field, index) => {
    const at = 2 + index * 12;
    view.setUint16(at, field.tag, true);
    view.setUint16(at + 2, field.type, true);
    view.setUint32(at + 4, countOf(field), true);
    if (bytesOf(field) <= 4) return putValues(view, at + 8, field);
    view.setUint32(at + 8, start + outside, true);
    putValues(view, outside, field);
    outside += bytesOf(field) + bytesOf(field) % 2;
  });
  view.setUint32(2 + fields.length * 12, next, true);
  return bytes;
}

/** Rows `from` to `to` of a page: soft round cells on a sloped background, with noise that does not compress away. */
function pixels(page: Page, from: number, to: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array((to - from) * page.width * BYTES_PER_PIXEL);
  const view = new DataView(bytes.buffer);
  const scale = 2 ** page.level;
  let noise = (page.seed * 2654435761 + from * 40503 + page.level + 1) >>> 0 || 1;
  for (let row = from, at = 0; row < to; row++) {
    const y = row * scale;
    const wave = Math.sin(y / 23 + page.seed);
    for (let column = 0; column < page.width; column++, at += BYTES_PER_PIXEL) {
      const x = column * scale;
      noise ^= noise << 13, noise ^= noise >>> 17, noise ^= noise << 5;
      const cell = Math.max(0, Math.sin(x / 19 + page.seed) * wave) * 24_000;
      view.setUint16(at, 800 + (x + y) % 2048 + cell + (noise & 0x3ff), true);
    }
  }
  return bytes;
}

/** Size in bytes of the file that `tiffChunks` yields. */
export function tiffBytes(options: TiffOptions): number {
  return pagesOf(options).reduce((sum, page) => sum + pageBytes(page, options.pixelSize ?? 0.5), HEADER_BYTES);
}

function pixelBytes(page: Page): number {
  return page.width * page.height * BYTES_PER_PIXEL;
}

function pageBytes(page: Page, pixelSize: number): number {
  return directoryBytes(fieldsOf(page, 0, pixelSize)) + pixelBytes(page);
}

/**
 * Yields a TIFF file piece by piece; no piece is larger than 64 rows of pixels.
 * @throws {RangeError} if the file would pass 4 GiB, the limit of TIFF's 32-bit offsets
 */
export function* tiffChunks(options: TiffOptions): Generator<Uint8Array<ArrayBuffer>> {
  const pixelSize = options.pixelSize ?? 0.5;
  if (tiffBytes(options) >= 2 ** 32) throw new RangeError("A TIFF file must be smaller than 4 GiB");
  const pages = pagesOf(options);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint16(0, 0x4949, false);
  header.setUint16(2, 42, true);
  header.setUint32(4, HEADER_BYTES, true);
  yield new Uint8Array(header.buffer);
  let start = HEADER_BYTES;
  for (const [index, page] of pages.entries()) {
    const end = start + pageBytes(page, pixelSize);
    const fields = fieldsOf(page, end - pixelBytes(page), pixelSize);
    yield encodeDirectory(fields, start, index + 1 < pages.length ? end : 0);
    for (let row = 0; row < page.height; row += ROWS_PER_STRIP) {
      yield pixels(page, row, Math.min(page.height, row + ROWS_PER_STRIP));
    }
    start = end;
  }
}
