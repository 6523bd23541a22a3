/** Which labferry this is. @module */
import deno from "../deno.json" with { type: "json" };

export const VERSION: string = deno.version;

let commit: string | undefined;

/** Called once, by the entry of a compiled program. */
export function setCommit(built: string): void {
  commit = built;
}

/** `labferry 0.1.0 (3beadbf41c2a)`; from source without a commit, which the checkout tells. */
export function versionWords(): string {
  return commit === undefined ? `labferry ${VERSION}` : `labferry ${VERSION} (${commit})`;
}
