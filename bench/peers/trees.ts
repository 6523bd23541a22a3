/**
 * Trees to measure with: many bytes or many files, with contents that do not compress.
 * @module
 */
import { join } from "@std/path";
import { createCipheriv } from "node:crypto";

export interface TreeShape {
  files: number;
  /** Bytes of each file. */
  size: number;
}

/** Files of one folder; file systems and walks slow down on folders with very many entries. */
const FILES_PER_FOLDER = 1000;
const BLOCK = 1 << 20;

/** Returns the path of file `at`, relative to the tree, `/`-separated. */
export function treePath(shape: TreeShape, at: number): string {
  const name = `f${String(at).padStart(7, "0")}.dat`;
  return shape.files <= FILES_PER_FOLDER
    ? name
    : `d${String(Math.floor(at / FILES_PER_FOLDER)).padStart(4, "0")}/${name}`;
}

/**
 * Makes the tree below `root`, which is made too. Same shape, same bytes; no two files are alike. All files are
 * `ageMs` old, by their modification times.
 */
export async function makeTree(root: string, shape: TreeShape, ageMs: number): Promise<void> {
  await Deno.mkdir(root, { recursive: true });
  const time = new Date(Date.now() - ageMs);
  const zeros = new Uint8Array(BLOCK);
  for (let at = 0; at < shape.files; at++) {
    const path = treePath(shape, at);
    if (at % FILES_PER_FOLDER === 0 && path.includes("/")) await Deno.mkdir(join(root, path.split("/")[0]));
    const target = join(root, ...path.split("/"));
    const counter = new Uint8Array(16);
    new DataView(counter.buffer).setUint32(0, at + 1);
    const stream = createCipheriv("aes-128-ctr", new Uint8Array(16), counter);
    {
      using file = await Deno.open(target, { write: true, createNew: true });
      for (let left = shape.size; left > 0; left -= BLOCK) {
        const block = stream.update(zeros.subarray(0, Math.min(left, BLOCK)));
        for (let done = 0; done < block.length;) done += await file.write(block.subarray(done));
      }
    }
    stream.final();
    await Deno.utime(target, time, time);
  }
}

const UNITS: Record<string, number> = { "": 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Reads a shape such as `4x1GiB` or `20000x16KiB`. @throws {RangeError} if it is none */
export function parseShape(text: string): TreeShape {
  const match = /^(\d+)x(\d+)(B|KiB|MiB|GiB|)$/.exec(text);
  if (match === null) throw new RangeError(`Cannot read the shape "${text}", wanted for example 4x1GiB`);
  return { files: Number(match[1]), size: Number(match[2]) * UNITS[match[3]] };
}
