/** The checksum sidecar of an item: its text from the evidence, and the file at a folder place. @module */
import { createHash } from "node:crypto";
import { PipelineError } from "../errors.ts";
import type { ChangeIdentity } from "../evidence.ts";
import type { Durability, FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { SIDECAR_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import type { Clock } from "../ports.ts";
import { identityOf, identitySuffices, sameIdentity } from "../safety/incarnation.ts";
import { formatSidecarLine, hashSidecar, readSidecar, writeSidecar } from "../safety/sidecar.ts";
import type { ItemScope, Seal, SidecarLine } from "./place.ts";
import { asideName, assertNotRecorded, isRestated } from "./standing_sidecar.ts";

/** Lines of the sidecar an item should have at a place; every file must be proved there. */
export async function* provedLines(scope: ItemScope, place: string): AsyncIterable<SidecarLine> {
  for await (const { path, sha256, level } of scope.evidence.list(scope.item.id, place)) {
    if (level !== "proved") {
      throw new PipelineError(
        "seal/not-proved",
        `Cannot seal "${scope.item.name}" at ${place}: "${path}" is not proved there`,
        {
          hint: "A stage that proves the place (verify, or s3-upload's own) must stand before the sidecar.",
        },
      );
    }
    yield { path, sha256 };
  }
}

/**
 * Size and hash of the sidecar the evidence makes; undefined when not every file is proved, or there is none. With
 * `placeUuid` every row must be of the place that is marked so, and not of one that stood there before.
 */
export async function expectedSeal(
  scope: Pick<ItemScope, "item" | "evidence">,
  place: string,
  options: { placeUuid?: string } = {},
): Promise<(Seal & { bytes: number }) | undefined> {
  const hash = createHash("sha256");
  let files = 0, bytes = 0;
  for await (const { path, sha256, level, placeUuid } of scope.evidence.list(scope.item.id, place)) {
    if (level !== "proved") return undefined;
    if (options.placeUuid !== undefined && options.placeUuid !== placeUuid) return undefined;
    const line = `${formatSidecarLine(sha256, path)}\n`;
    hash.update(line);
    bytes += new TextEncoder().encode(line).length;
    files++;
  }
  return files === 0 ? undefined : { sha256: hash.digest("hex"), files, bytes };
}

/**
 * Writes the sidecar into the item's folder. One of an earlier, incomplete attempt gives way; one that says anything the
 * new one does not is moved aside, and one that is recorded stays.
 */
export async function sealFolder(
  fs: FileSystem,
  scope: ItemScope,
  where: { place: string; folder: string; temporary: string; durability: Durability },
): Promise<Seal> {
  const path = itemPath(where.folder, SIDECAR_NAME);
  await fs.removeFile(where.temporary).catch((error) => {
    if (!isAbsent(error)) throw ioError(error, { verb: "remove", path: where.temporary });
  });
  const made = await writeSidecar(fs, where.temporary, provedLines(scope, where.place));
  const standing = await fs.lstat(path);
  const found = standing ? await hashSidecar(fs, path) : undefined;
  if (found === made.sha256) await fs.removeFile(where.temporary);
  else {
    if (found !== undefined) await giveWay(fs, scope, { place: where.place, path, found });
    await fs.rename(where.temporary, path);
  }
  await fs.syncDir(where.folder);
  scope.onBytes(made.bytes);
  return { sha256: made.sha256, files: made.files };
}

async function giveWay(
  fs: FileSystem,
  scope: ItemScope,
  { place, path, found }: { place: string; path: string; found: string },
): Promise<void> {
  assertNotRecorded(scope, found, path);
  if (await isRestated(scope, place, readSidecar(fs, path, { signal: scope.signal }))) return;
  const aside = asideName(path, found);
  scope.log.warn(`"${path}" lists other files than this backup; it is kept as "${aside}"`);
  const moved = await fs.renameNew(path, aside);
  if (moved === true) return;
  if (moved === undefined && await fs.lstat(aside) === undefined) await fs.rename(path, aside);
  else {
    throw new PipelineError("seal/conflict", `Cannot replace the sidecar "${path}": "${aside}" is there already`, {
      hint: "Both list files of an earlier backup under this name. Move them away by hand, then run again.",
    });
  }
}

/** The seal of a folder, if its sidecar is exactly what the evidence makes. */
export async function sealOfFolder(
  fs: FileSystem,
  scope: ItemScope,
  where: { place: string; folder: string },
): Promise<Seal | undefined> {
  const path = itemPath(where.folder, SIDECAR_NAME);
  const stat = await fs.lstat(path);
  if (stat?.kind !== "file") return undefined;
  const expected = await expectedSeal(scope, where.place);
  if (!expected || expected.bytes !== stat.size) return undefined;
  return await hashSidecar(fs, path) === expected.sha256
    ? { sha256: expected.sha256, files: expected.files }
    : undefined;
}

/** Lines of a sidecar file with this hash; nothing when there is no such file. */
export async function* readSidecarFile(
  fs: FileSystem,
  path: string,
  { expectedSha256, signal }: { expectedSha256: string; signal: AbortSignal },
): AsyncIterable<SidecarLine> {
  const stat = await fs.lstat(path);
  if (stat?.kind !== "file" || await hashSidecar(fs, path) !== expectedSha256) return;
  yield* readSidecar(fs, path, { expectedSha256, signal });
}

/** Whether a sidecar file has a hash. It is read once, and again whenever its change identity does not suffice (S6). */
export class SidecarFileLook {
  #seen: { path: string; sha256: string; identity: ChangeIdentity; at: string } | undefined;

  async holds(
    { fs, clock }: { fs: FileSystem; clock: Clock },
    path: string,
    { sha256, signal }: { sha256: string; signal: AbortSignal },
  ): Promise<boolean> {
    const stat = await fs.lstat(path);
    if (stat?.kind !== "file") return false;
    const seen = this.#seen;
    const same = seen?.path === path && sameIdentity(seen.identity, stat) && identitySuffices(seen);
    if (same) return seen.sha256 === sha256;
    const at = new Date(clock.now()).toISOString();
    const read = await hashFile(fs, path, { signal });
    this.#seen = { path, sha256: read.sha256, identity: identityOf(read.after), at };
    return read.sha256 === sha256;
  }
}
