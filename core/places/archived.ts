/**
 * What stands for a backup whose copy at one place is to go: its list of checksums as another place keeps it, compared
 * with the ledger and with the folder that is to go. Proved is nothing here yet (SAFETY S5, S18).
 * @module
 */
import type { SourceFile } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { ChangeIdentity, Evidence } from "../evidence.ts";
import type { FileSystem } from "../io/file_system.ts";
import { LOCK_NAME, SIDECAR_NAME } from "../io/names.ts";
import { compareBytes, itemPath } from "../io/paths.ts";
import { walkTree } from "../io/walk.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { FileBatch } from "../ports.ts";
import { Sample } from "../safety/listing.ts";
import type { Stamp } from "./hashed.ts";
import type { ItemScope, Place, SidecarLine } from "./place.ts";

/** Hashes of files that a list of checksums named, by the objects that stand for them. */
export type KnownLines = WeakMap<SourceFile, SidecarLine>;

export interface ArchivedOptions {
  fs: FileSystem;
  /** The place that is to keep the backup. */
  place: Place;
  record: LedgerRecord;
  /** Filled while the files are yielded. */
  known: KnownLines;
}

/**
 * Steps over the files of a backup, once it is seen that `place` holds the list of checksums that the ledger names, and
 * that the item's folder holds exactly its names. Where a destroy is under way, files may be gone from the folder.
 * @throws {PipelineError} `backup/nothing-there`, `backup/other-place`, `backup/no-sidecar`, `backup/folder-differs`,
 * `backup/ledger-differs`
 */
export async function* archivedBatches(scope: ItemScope, options: ArchivedOptions): AsyncIterable<FileBatch> {
  const { place, record } = options;
  const { item } = scope;
  const uri = place.uri(item.name);
  if (!Object.values(record.places).some((known) => known.uri === uri)) {
    const named = Object.values(record.places).map((known) => known.uri).join(", ");
    throw refusal(scope, "backup/other-place", `the ledger does not name "${uri}" for it, but ${named || "no place"}`);
  }
  if (!await place.holdsAny?.(scope)) {
    throw refusal(scope, "backup/nothing-there", `nothing lies at "${uri}"`);
  }
  await assertSameFolder(scope, options);
  yield* place.batches(scope, filesOf(scope, options));
}

/** The folder holds the files of the list and no others, and as many bytes; what is in them nobody has looked at. */
async function assertSameFolder(scope: ItemScope, options: ArchivedOptions): Promise<void> {
  const { fs, place, record } = options;
  const { item, signal } = scope;
  const extra = new Sample(), missing = new Sample();
  let files = 0, bytes = 0;
  const lines = place.readSidecar(item.name, record.sidecar_sha256 ?? "", signal)[Symbol.asyncIterator]();
  const nextLine = async () => {
    const next = await lines.next();
    if (!next.done) files++;
    return next;
  };
  let next = await nextLine();
  // Whatever is left over would keep the folder from going at the very end, temporaries too.
  const leaveOut = (path: string) => path === LOCK_NAME;
  for await (const { path, kind, size } of walkTree(fs, item.root, { signal, leaveOut })) {
    if (kind === "directory" || (path === SIDECAR_NAME && kind === "file")) continue;
    while (!next.done && compareBytes(next.value.path, path) < 0) {
      missing.add(next.value.path);
      next = await nextLine();
    }
    bytes += size;
    if (next.done || next.value.path !== path || kind !== "file") extra.add(path);
    else next = await nextLine();
  }
  for (; !next.done; next = await nextLine()) missing.add(next.value.path);
  if (files === 0) {
    throw refusal(
      scope,
      "backup/no-sidecar",
      `"${
        place.uri(item.name, SIDECAR_NAME)
      }" is not the list of checksums that the ledger names (SHA-256 ${record.sidecar_sha256})`,
    );
  }
  if (files !== record.file_count) {
    throw refusal(
      scope,
      "backup/ledger-differs",
      `its list of checksums has ${files} files, the ledger ${record.file_count}`,
    );
  }
  const begun = record.truenas_evicting_at !== null;
  const found = [
    extra.words(extra.count === 1 ? "file that is not of the backup" : "files that are not of the backup"),
    begun ? undefined : missing.words(missing.count === 1 ? "file missing" : "files missing"),
  ].filter((words) => words !== undefined);
  if (found.length > 0) throw refusal(scope, "backup/folder-differs", `"${item.root}" has ${found.join("; ")}`);
  if (missing.count === 0 && bytes !== record.total_bytes) {
    throw refusal(
      scope,
      "backup/folder-differs",
      `the files in "${item.root}" have ${bytes} bytes, the ledger ${record.total_bytes}`,
    );
  }
}

async function* filesOf(scope: ItemScope, { fs, place, record, known }: ArchivedOptions): AsyncIterable<SourceFile> {
  const { item, signal } = scope;
  for await (const line of place.readSidecar(item.name, record.sidecar_sha256 ?? "", signal)) {
    const stat = await fs.lstat(itemPath(item.root, line.path));
    const file: SourceFile = { path: line.path, size: stat?.size ?? 0, mtimeMs: stat?.mtimeMs ?? null };
    known.set(file, line);
    yield file;
  }
}

function refusal({ item }: ItemScope, code: string, found: string): PipelineError {
  return new PipelineError(code, `Cannot free a copy of "${item.name}": ${found}`, {
    hint: "The copy stays. Look at what differs; the next run asks again.",
  });
}

/** Evidence of a file in the folder that is to go; without an identity it is gone already. */
export function archivedEvidence(
  scope: ItemScope,
  file: SidecarLine & { size: number; identity?: ChangeIdentity },
  { sourceUuid, at }: Stamp,
): Evidence {
  return {
    path: file.path,
    size: file.size,
    sha256: file.sha256,
    place: SOURCE_PLACE,
    placeUuid: sourceUuid,
    uri: itemPath(scope.item.root, file.path),
    level: "proved",
    guarantee: "cached-read",
    at,
    ...(file.identity ? { identity: file.identity } : {}),
  };
}
