import assert from "node:assert/strict";
import { tiffBytes, tiffChunks, type TiffOptions } from "../../demo/tiff.ts";

const OPTIONS: TiffOptions = { width: 200, height: 150, channels: ["DAPI", "CD3e"], levels: 3, seed: 7 };

function bytesOf(options: TiffOptions): Uint8Array<ArrayBuffer> {
  const chunks = [...tiffChunks(options)];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) bytes.set(chunk, at), at += chunk.length;
  return bytes;
}

type Directory = Map<number, number[] | string>;

/** Reads the directories by the letter of TIFF 6.0, section 2. */
function read(bytes: Uint8Array<ArrayBuffer>): Directory[] {
  const view = new DataView(bytes.buffer);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 2)), "II");
  assert.equal(view.getUint16(2, true), 42);
  const directories: Directory[] = [];
  for (let at = view.getUint32(4, true); at !== 0;) {
    assert.equal(at % 2, 0, "a directory begins at an even offset");
    const directory: Directory = new Map();
    const count = view.getUint16(at, true);
    let before = 0;
    for (let index = 0; index < count; index++) {
      const entry = at + 2 + index * 12;
      const [tag, type] = [view.getUint16(entry, true), view.getUint16(entry + 2, true)];
      assert.ok(tag > before, "entries ascend by tag");
      before = tag;
      const values = view.getUint32(entry + 4, true);
      const size = { 2: 1, 3: 2, 4: 4, 5: 8 }[type]!;
      const from = values * size <= 4 ? entry + 8 : view.getUint32(entry + 8, true);
      assert.ok(from + values * size <= bytes.length);
      if (type === 2) {
        assert.equal(bytes[from + values - 1], 0, "a text ends with NUL");
        directory.set(tag, new TextDecoder().decode(bytes.subarray(from, from + values - 1)));
      } else {
        directory.set(
          tag,
          Array.from(
            { length: values },
            (_, at) =>
              type === 3
                ? view.getUint16(from + at * 2, true)
                : type === 4
                ? view.getUint32(from + at * 4, true)
                : view.getUint32(from + at * 8, true) / view.getUint32(from + at * 8 + 4, true),
          ),
        );
      }
    }
    directories.push(directory);
    at = view.getUint32(at + 2 + count * 12, true);
  }
  return directories;
}

Deno.test("tiffChunks() yields a TIFF whose directories cover every byte of every level and channel", () => {
  const bytes = bytesOf(OPTIONS);
  const directories = read(bytes);
  assert.deepEqual(
    directories.map((directory) => [directory.get(256), directory.get(257)].flat()),
    [[200, 150], [200, 150], [100, 75], [100, 75], [50, 38], [50, 38]],
  );
  assert.deepEqual(directories.map((directory) => directory.get(254)), [[0], [0], [1], [1], [1], [1]]);
  for (const directory of directories) {
    const [offsets, counts] = [directory.get(273) as number[], directory.get(279) as number[]];
    const [width, height] = [directory.get(256), directory.get(257)].flat() as number[];
    assert.equal(counts.reduce((sum, count) => sum + count, 0), width * height * 2);
    assert.equal(offsets.length, Math.ceil(height / 64));
    offsets.forEach((offset, at) => {
      assert.ok(offset + counts[at] <= bytes.length);
      if (at > 0) assert.equal(offset, offsets[at - 1] + counts[at - 1]);
    });
  }
  assert.match(directories[1].get(270) as string, /<Name>CD3e<\/Name>/);
  assert.deepEqual(directories[2].get(282), [10_000]);
});

Deno.test("tiffBytes() says the size before a byte is made", () => {
  for (const options of [OPTIONS, { ...OPTIONS, width: 1, height: 1, levels: 1 }, { ...OPTIONS, pixelSize: 0.325 }]) {
    assert.equal(bytesOf(options).length, tiffBytes(options));
    read(bytesOf(options));
  }
});

Deno.test("tiffChunks() makes the same bytes for one seed and others for another", () => {
  assert.deepEqual(bytesOf(OPTIONS), bytesOf(OPTIONS));
  assert.notDeepEqual(bytesOf(OPTIONS), bytesOf({ ...OPTIONS, seed: 8 }));
});

Deno.test("tiffChunks() refuses what 32-bit offsets cannot hold", () => {
  const huge = { ...OPTIONS, width: 50_000, height: 50_000 };
  assert.throws(() => tiffChunks(huge).next(), RangeError);
});
