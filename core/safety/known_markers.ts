/**
 * Markers that earlier runs saw (SAFETY S1): a root whose marker is another one than before is another disk or share
 * under the same path. The journal remembers them; a journal that was lost knows nothing and objects to nothing.
 * @module
 */
import { PipelineError } from "../errors.ts";
import { hostSystem, pathKey } from "../io/paths.ts";
import type { PathSystem } from "../io/paths.ts";
import type { CursorStore } from "../journal/journal.ts";

const cursorOf = (path: string) => `place-marker:${path}`;

/**
 * UUID of the marker that was seen under this path before, however it was spelled; undefined when the journal knows
 * none. Links are not followed: one that leads elsewhere now must not pass for a path nobody knows.
 */
export async function knownMarker(
  cursors: CursorStore,
  path: string,
  system: PathSystem = hostSystem,
): Promise<string | undefined> {
  // Earlier versions noted it under the words of the config.
  const known = await cursors.get(cursorOf(pathKey(path, system))) ?? await cursors.get(cursorOf(path));
  return typeof known === "string" ? known : undefined;
}

/** Remembers the marker under this path, in place of any other. */
export function rememberMarker(
  cursors: CursorStore,
  path: string,
  { uuid, system = hostSystem }: { uuid: string; system?: PathSystem },
): Promise<void> {
  return cursors.set(cursorOf(pathKey(path, system)), uuid);
}

/** Throws `place/other-marker` (exit 2) when another marker was seen under this path before. */
export async function assertKnownMarker(
  cursors: CursorStore,
  { id, path, uuid }: { id: string; path: string; uuid: string | undefined },
): Promise<void> {
  const known = await knownMarker(cursors, path);
  if (known === undefined || known === uuid) return;
  const found = uuid === undefined ? "it has no valid .labferry-place" : `its marker is ${uuid}`;
  throw new PipelineError(
    "place/other-marker",
    `Cannot use ${id} "${path}": ${found}, and earlier runs knew this place by ${known}`,
    {
      stopsRun: 2,
      hint: "Another disk or share lies there, or the right one is not mounted. Mount the right one. Only if it was " +
        "replaced on purpose, run: labferry install places --replaced",
    },
  );
}
