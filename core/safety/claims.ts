/**
 * Claims (SAFETY S11): a backup's name belongs, at each place, to one incarnation of one holder. The claim lies at the
 * place, so that a second host meets it, and not in anybody's state folder.
 * @module
 */
import { PipelineError } from "../errors.ts";

/** Content of a claim. */
export interface NameClaim {
  incarnation: string;
  host: string;
  /** UUID of the source root the study came from; with the folder's name it says whether two claims are one holder's. */
  source_root: string;
  /** As the holder spells it: for people, but for the folder's name at its end. */
  source_path: string;
  claimed_at: string;
  /** At a bucket: id of the place. A second place that meets it is the same bucket by another name (SAFETY S2). */
  place?: string;
}

/** What to do about a claim found at a place. */
export type ClaimVerdict = "ours" | "take-over" | "foreign";

/**
 * Judges a claim. The same name below the same marked root cannot be two incarnations at once, so the later one may
 * take over, however the root is spelled now; anybody else's claim stands.
 */
export function judgeClaim(found: NameClaim, ours: NameClaim): ClaimVerdict {
  // A place that got another id writes its claim again.
  if (found.incarnation === ours.incarnation) return found.place === ours.place ? "ours" : "take-over";
  const sameFolder = folderName(found.source_path) === folderName(ours.source_path);
  return found.source_root === ours.source_root && sameFolder ? "take-over" : "foreign";
}

/** The last segment of a path of either system. */
function folderName(path: string): string | undefined {
  return path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1);
}

const NOT_JSON = "it is not a claim in JSON";

/** Reads a claim's text. @throws {PipelineError} `item/claim-unreadable` */
export function parseClaim(text: string, where: string): NameClaim {
  try {
    const value = JSON.parse(text) as Partial<NameClaim>;
    if (typeof value.incarnation === "string" && typeof value.source_root === "string") {
      return {
        incarnation: value.incarnation,
        host: String(value.host ?? "unknown"),
        source_root: value.source_root,
        source_path: String(value.source_path ?? "unknown"),
        claimed_at: String(value.claimed_at ?? "unknown"),
        ...(typeof value.place === "string" ? { place: value.place } : {}),
      };
    }
  } catch (cause) {
    throw unreadableClaim(where, NOT_JSON, cause);
  }
  throw unreadableClaim(where, NOT_JSON);
}

export function formatClaim(claim: NameClaim): string {
  return `${JSON.stringify(claim)}\n`;
}

/** The refusal for a name another holder has; `where` is the claim itself, a file or an object. */
export function claimedByOther(
  name: string,
  { place, where, found }: { place: string; where: string; found: NameClaim },
): PipelineError {
  return new PipelineError(
    "item/name-claimed",
    `Cannot back up "${name}": its name at ${place} is claimed by ${found.host} (${found.source_path}) since ${found.claimed_at}`,
    {
      hint:
        `Two instruments must not use one study name: rename this study. The claim is "${where}"; before you remove it, make sure that "${found.source_path}" on ${found.host} is really gone and that nobody will bring it back, since its name and its copies at ${place} are then this study's to take.`,
    },
  );
}

/** The refusal for a claim that another place of the same pipeline made: both are one bucket (SAFETY S2). */
export function claimedByOtherPlace(name: string, placeId: string, found: NameClaim): PipelineError {
  return new PipelineError(
    "place/not-distinct",
    `Cannot back up "${name}" to ${placeId}: its claim there was made as ${found.place}, so both are one place`,
    {
      hint:
        `Two endpoints can lead to one bucket. Give ${placeId} and ${found.place} buckets or prefixes apart. If their ids were exchanged, remove the claim and run again.`,
    },
  );
}

/** The error of something that stands in a claim's place and is none. */
export function unreadableClaim(where: string, found: string, cause?: unknown): PipelineError {
  return new PipelineError("item/claim-unreadable", `Cannot read the claim "${where}": ${found}`, {
    cause,
    hint: "Look at the file. If no other host is backing up this study, remove the file and run again.",
  });
}
