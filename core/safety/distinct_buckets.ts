/**
 * Are two places in buckets really two (SAFETY S2)? An endpoint has many spellings (an address, a host name, another
 * port of one gateway) and nothing in a store's answers tells them apart, so the name of the bucket decides.
 * @module
 */
import type { Json, PlaceDeclaration } from "../contract.ts";
import { normalPrefix } from "../objects/keys.ts";

export type ObjectPlaceDeclaration = Extract<PlaceDeclaration, { kind: "objects" }>;

/**
 * How `b` lies to `a` when both may be one place: the same bucket name, with prefixes of which one begins the other.
 * Undefined when they are apart, or when the operator says that they are: two endpoints, and a `domain` of its own
 * declared for each. (The claims at the places then tell whether that is so.)
 */
export function relateBuckets(
  a: ObjectPlaceDeclaration,
  b: ObjectPlaceDeclaration,
): "same" | "inside" | "contains" | undefined {
  if (bucketOf(a) !== bucketOf(b)) return undefined;
  const [inner, outer] = [normalPrefix(b.prefix), normalPrefix(a.prefix)];
  const inA = inner.startsWith(outer), inB = outer.startsWith(inner);
  if ((!inA && !inB) || declaredApart(a, b)) return undefined;
  return inA && inB ? "same" : inA ? "inside" : "contains";
}

/** A store plugin that knows no bucket names what it opens by its options as a whole. */
function bucketOf({ store, options }: ObjectPlaceDeclaration): string {
  return typeof options.bucket === "string" ? options.bucket : JSON.stringify([store, options]);
}

function declaredApart(a: ObjectPlaceDeclaration, b: ObjectPlaceDeclaration): boolean {
  const endpointsDiffer = endpointOf(a.options.endpoint) !== endpointOf(b.options.endpoint);
  return endpointsDiffer && a.domain !== undefined && b.domain !== undefined && a.domain !== b.domain;
}

function endpointOf(endpoint: Json | undefined): string {
  return typeof endpoint === "string" ? endpoint.replace(/\/+$/, "").toLowerCase() : "";
}
