/** Claims of names at a folder place: `<root>/.labferry/claims/<name>.json` (SAFETY S11). @module */
import { KIND_WORDS } from "../io/file_system.ts";
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ioError, isAbsent } from "../io/io_errors.ts";
import { temporaryName } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { publish } from "../io/publish.ts";
import { makeFolders } from "../io/transfer.ts";
import { claimedByOther, formatClaim, judgeClaim, parseClaim, unreadableClaim } from "../safety/claims.ts";
import type { ClaimVerdict, NameClaim } from "../safety/claims.ts";
import { stepId } from "./batches.ts";

const CLAIMS = ".labferry/claims";
/** How often a claim is tried that was taken and is gone when it is looked at. */
const ATTEMPTS = 5;

/** A name, the place it is claimed at, and the claim we would make. */
export interface OurClaim {
  place: string;
  name: string;
  claim: NameClaim;
}

/**
 * Claims a name at a folder place, exclusively: the claim is published under a name that must be free, so that of two
 * hosts one loses.
 * @throws {PipelineError} `item/name-claimed` when another holder has the name
 */
export async function claimFolder(fs: FileSystem, root: string, ours: OurClaim): Promise<void> {
  const path = claimPath(root, ours.name);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const verdict = await judgeFolder(fs, root, ours);
    if (verdict === "ours") return;
    await makeFolders(fs, { root, relative: CLAIMS }, { durability: "flushed" });
    if (await put(fs, { path, root, claim: ours.claim, replace: verdict === "take-over" })) return;
  }
  throw new PipelineError(
    "item/claim-busy",
    `Cannot claim "${path}": it comes and goes, wanted it to stand or be free`,
    {
      retry: "transient",
      hint: "Another host may be claiming the same name. Find out which hosts back up to this place, then run again.",
    },
  );
}

/** Looks at the claim of a name. @throws {PipelineError} `item/name-claimed` when another holder has it */
export async function judgeFolder(fs: FileSystem, root: string, ours: OurClaim): Promise<ClaimVerdict | "free"> {
  const where = claimPath(root, ours.name);
  const found = await readClaim(fs, where);
  if (!found) return "free";
  const verdict = judgeClaim(found, ours.claim);
  if (verdict === "foreign") throw claimedByOther(ours.name, { place: ours.place, where, found });
  return verdict;
}

/** The claim of a name as it stands at a folder place. */
export function claimAtFolder(fs: FileSystem, root: string, name: string): Promise<NameClaim | undefined> {
  return readClaim(fs, claimPath(root, name));
}

/** Where the claim of a name is. */
export function claimPath(root: string, name: string): string {
  return itemPath(root, `${CLAIMS}/${name}.json`);
}

async function readClaim(fs: FileSystem, path: string): Promise<NameClaim | undefined> {
  try {
    const stat = await fs.lstat(path);
    if (stat === undefined) return undefined;
    // A link would be followed; one that leads nowhere reads as no claim and yet takes the name.
    if (stat.kind !== "file") throw unreadableClaim(path, `it is ${KIND_WORDS[stat.kind]}`);
    return parseClaim(await fs.readText(path), path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw ioError(error, { verb: "read the claim", path });
  }
}

/** False when somebody else published a claim in between. */
async function put(
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
  try {
    // A claim of the same holder gives way whole; a first claim must meet nothing. Where a share can neither rename nor
    // link without replacing, the run's lock at its root keeps other hosts out meanwhile.
    const won = replace ? await fs.rename(temporary, path).then(() => true) : await publish(fs, temporary, path);
    await (won ? fs.syncDir(folder) : fs.removeFile(temporary));
    return won;
  } catch (error) {
    throw ioError(error, { verb: "claim", path });
  }
}
