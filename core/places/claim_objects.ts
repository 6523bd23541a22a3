/** Claims of names at a bucket: `<prefix>_claims/<name>.json` (SAFETY S11). @module */
import { sha256Base64 } from "../objects/checksum.ts";
import { normalPrefix, objectUri } from "../objects/keys.ts";
import { ObjectStoreError } from "../objects/object_store.ts";
import { inWords, request } from "../objects/session.ts";
import type { ObjectSession } from "../objects/session.ts";
import { claimedByOther, claimedByOtherPlace, formatClaim, judgeClaim, parseClaim } from "../safety/claims.ts";
import type { ClaimVerdict, NameClaim } from "../safety/claims.ts";

/** A claim is a few hundred bytes; more is not a claim of ours. */
const MAX_CLAIM_BYTES = 64 * 1024;

/** A name, the place it is claimed at, and the claim we would make. */
export interface OurClaim {
  place: string;
  name: string;
  claim: NameClaim;
  /** The other buckets of the pipeline: a claim that one of them made shows that both are one place. */
  others: readonly string[];
}

/**
 * Claims a name below a prefix. `If-None-Match` decides between two hosts where the store holds it; elsewhere the
 * claim is read back after it was put, and the last writer has it.
 * @throws {PipelineError} `item/name-claimed`
 */
export async function claimPrefix(session: ObjectSession, prefix: string, ours: OurClaim): Promise<void> {
  const key = claimKey(prefix, ours.name);
  await inWords(session, { verb: "claim", key }, async () => {
    const { verdict } = await judge(session, key, ours);
    if (verdict === "ours") return;
    await putClaim(session, key, { claim: ours.claim, ifAbsent: verdict === "free" });
    const { verdict: after, found } = await judge(session, key, ours);
    if (after === "ours") return;
    if (found) throw claimedByOther(ours.name, { place: ours.place, where: objectUri(session.store.uri, key), found });
    throw new ObjectStoreError("unreachable", "the store took the claim and does not show it");
  });
}

/** Looks at the claim below a prefix. @throws {PipelineError} `item/name-claimed` when another holder has the name */
export function judgePrefix(session: ObjectSession, prefix: string, ours: OurClaim): Promise<ClaimVerdict | "free"> {
  const key = claimKey(prefix, ours.name);
  return inWords(session, { verb: "look at the claim", key }, async () => (await judge(session, key, ours)).verdict);
}

/** The claim of a name as it stands below a prefix. */
export function claimAtPrefix(session: ObjectSession, prefix: string, name: string): Promise<NameClaim | undefined> {
  const key = claimKey(prefix, name);
  return inWords(session, { verb: "look at the claim", key }, () => readClaim(session, key));
}

/** Where the claim of a name is. */
export function claimKey(prefix: string, name: string): string {
  return `${normalPrefix(prefix)}_claims/${name}.json`;
}

async function judge(
  session: ObjectSession,
  key: string,
  ours: OurClaim,
): Promise<{ verdict: ClaimVerdict | "free"; found?: NameClaim }> {
  const found = await readClaim(session, key);
  if (!found) return { verdict: "free" };
  const verdict = judgeClaim(found, ours.claim);
  if (verdict === "foreign") {
    throw claimedByOther(ours.name, { place: ours.place, where: objectUri(session.store.uri, key), found });
  }
  if (ours.others.includes(found.place ?? "")) throw claimedByOtherPlace(ours.name, ours.place, found);
  return { verdict, found };
}

async function readClaim(session: ObjectSession, key: string): Promise<NameClaim | undefined> {
  const { store, signal } = session;
  const info = await request(session, `look at "${key}"`, () => store.head(key, signal));
  if (!info) return undefined;
  const where = objectUri(store.uri, key);
  if (info.size === 0 || info.size > MAX_CLAIM_BYTES) return parseClaim("", where);
  const bytes = await request(session, `read "${key}"`, () => store.get(key, { start: 0, end: info.size }, signal));
  return parseClaim(new TextDecoder().decode(bytes), where);
}

async function putClaim(
  session: ObjectSession,
  key: string,
  { claim, ifAbsent }: { claim: NameClaim; ifAbsent: boolean },
): Promise<void> {
  const { store, signal } = session;
  const body = new TextEncoder().encode(formatClaim(claim));
  const sha256 = await sha256Base64(body);
  try {
    await request(session, `claim "${key}"`, () => store.put(key, body, { metadata: {}, sha256, ifAbsent }, signal));
  } catch (error) {
    // Somebody else was first; the next look says who.
    if (!(error instanceof ObjectStoreError && error.kind === "precondition")) throw error;
  }
}
