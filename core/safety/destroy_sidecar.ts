/**
 * The list of checksums in a copy that is to go (SAFETY S5, S18, S20). No evidence names it: it is proved by its own
 * hash, which the ledger holds.
 * @module
 */
import type { FileSystem } from "../io/file_system.ts";
import { itemPath } from "../io/paths.ts";
import { hashFile } from "../io/transfer.ts";
import type { Removable } from "./destroy_proofs.ts";
import { identityOf } from "./incarnation.ts";

/** The list as it was just read, or in words what it is instead of the one that is wanted. */
export async function proveVictimSidecar(
  fs: FileSystem,
  wanted: { root: string; sidecar: string; sha256: string | null; signal: AbortSignal },
): Promise<Removable | "gone" | "no file" | "not the list of checksums that the ledger names"> {
  const { root, sidecar, sha256, signal } = wanted;
  const path = itemPath(root, sidecar);
  const stat = await fs.lstat(path);
  if (stat === undefined) return "gone";
  if (stat.kind !== "file") return "no file";
  const read = await hashFile(fs, path, { signal });
  if (read.sha256 !== sha256) return "not the list of checksums that the ledger names";
  return { path: sidecar, identity: identityOf(read.after) };
}
