/** Claims of names at a folder place: `<root>/.labferry/claims/<name>.json` (SAFETY S11). @module */
import type { FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { temporaryName } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { makeFolders } from "../io/transfer.ts";
import { claimedByOther, formatClaim, judgeClaim, parseClaim } from "../safety/claims.ts";
import type { NameClaim } from "../safety/claims.ts";
import { stepId } from "./batches.ts";

const CLAIMS = ".labferry/claims";

/**
 * Claims a name at a folder place, exclusively: a hard link publishes the claim, so that of two hosts one loses.
 * @throws {PipelineError} `item/name-claimed` when another holder has the name
 */
export async function claimFolder(
  fs: FileSystem,
  root: string,
  { place, name, claim }: { place: string; name: string; claim: NameClaim },
): Promise<void> {
  const path = itemPath(root, `${CLAIMS}/${name}.json`);
  for (;;) {
    const found = await readClaim(fs, path);
    if (found) {
      const verdict = judgeClaim(found, claim);
      if (verdict === "ours") return;
      if (verdict === "foreign") throw claimedByOther(name, place, found);
    }
    await makeFolders(fs, { root, relative: CLAIMS }, { durability: "flushed" });
    if (await publish(fs, { path, root, claim, replace: found !== undefined })) return;
  }
}

async function readClaim(fs: FileSystem, path: string): Promise<NameClaim | undefined> {
  try {
    return parseClaim(await fs.readText(path), path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw ioError(error, { verb: "read the claim", path });
  }
}

/** False when somebody else published a claim in between. */
async function publish(
  fs: FileSystem,
  { path, root, claim, replace }: { path: string; root: string; claim: NameClaim; replace: boolean },
): Promise<boolean> {
  const folder = itemPath(root, CLAIMS);
  const temporary = itemPath(folder, temporaryName(stepId(claim.incarnation, path, [])));
  await fs.removeFile(temporary).catch((error) => {
    if (!isAbsent(error)) throw ioError(error, { verb: "remove", path: temporary });
  });
  {
    await using file = await fs.createNew(temporary);
    await file.write(new TextEncoder().encode(formatClaim(claim)));
    await file.sync();
  }
  // A claim of the same holder gives way whole; a first claim must meet nothing.
  if (replace) await fs.rename(temporary, path);
  else {
    const won = await fs.link(temporary, path).then(() => true, (error) => {
      if ((error as { code?: string }).code === "EEXIST" || error instanceof Deno.errors.AlreadyExists) return false;
      throw ioError(error, { verb: "claim", path });
    });
    await fs.removeFile(temporary);
    if (!won) return false;
  }
  await fs.syncDir(folder);
  return true;
}
