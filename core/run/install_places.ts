/** Marks the places of pipelines (SAFETY S1): the one way a marker comes to be. @module */
import { ulid } from "@std/ulid";
import { PipelineError } from "../errors.ts";
import { pathKey } from "../io/paths.ts";
import { findNesting, rootStat } from "../io/roots.ts";
import { assertKnownMarker, rememberMarker } from "../safety/known_markers.ts";
import { createPlaceMarker, readPlaceMarker } from "../safety/place_marker.ts";
import { makeReserve } from "../safety/reserve.ts";
import { assertRoles, type PlaceRole, rememberRoles, type RootRole } from "../safety/place_roles.ts";
import { runBefore, runContext } from "./before.ts";
import { assertMarkersDistinct, markedRoots, namedRoots } from "./open_places.ts";
import { withChildGrace } from "./pinned_exec.ts";
import type { EngineServices, RunRequest } from "./services.ts";

/** A root and its marker. `created` is false when it was marked before. */
export interface InstalledPlace {
  id: string;
  path: string;
  role: PlaceRole;
  uuid: string;
  created: boolean;
}

export type InstallRequest = Pick<RunRequest, "compiled" | "config" | "stateDir" | "abort">;

/**
 * Runs the `[[before]]` hooks of the pipelines, so that what they mount is there, then marks source, folder places and
 * manifests. Folders must exist: a folder made here could be the mount point of a share that is away.
 * A root that earlier runs knew by another marker is refused unless it was `replaced` on purpose; one that has another
 * role is refused in any case.
 * @throws {PipelineError} `place/missing`, `place/not-distinct`, `place/same-marker`, `place/other-marker`,
 * `place/other-role` (exit 2), before any marker is made
 */
export async function installPlaces(
  requests: readonly InstallRequest[],
  services: EngineServices,
  options: { replaced?: boolean } = {},
): Promise<InstalledPlace[]> {
  const roots = new Map<string, RootRole>();
  for (const request of requests) {
    const before = { ...request, dryRun: false };
    await runBefore(before, withChildGrace(services, before), runContext(before, services, ulid(services.clock.now())));
    for (const root of markedRoots(request)) {
      const other = roots.get(pathKey(root.path));
      if (other !== undefined && other.role !== root.role) throw twoRoles(root, other);
      roots.set(pathKey(root.path), root);
    }
    await assertReady(request, services);
  }
  const { fs, journal } = services;
  if (!options.replaced) {
    for (const { path, id } of roots.values()) {
      await assertKnownMarker(journal.cursors, { id, path, uuid: await readPlaceMarker(fs, path) });
    }
  }
  const known = { fs, cursors: journal.cursors };
  await assertRoles(known, [...roots.values()]);
  const installed: InstalledPlace[] = [];
  for (const root of roots.values()) {
    const marked = await createPlaceMarker(fs, root.path);
    await rememberMarker(journal.cursors, root.path, { uuid: marked.uuid });
    // Another pipeline may reach the same folder by another path, and have marked it a moment ago.
    await assertRoles(known, [root]);
    await rememberRoles(known, [root]);
    // For the day it is full: a cleanup has to write before it can make room. The instrument gets nothing.
    if (root.role !== "source") {
      await makeReserve(fs, root.path).catch((error) => {
        services.log.warn(`No space could be set aside at "${root.path}": ${error.message}`);
      });
    }
    installed.push({ ...root, ...marked });
  }
  return installed;
}

function twoRoles(root: RootRole, other: RootRole): PipelineError {
  return new PipelineError(
    "place/other-role",
    `Cannot mark "${root.path}" as ${root.id} (${root.role}): another pipeline uses "${other.path}" as ${other.id} (${other.role})`,
    { stopsRun: 2, hint: "Source, places and manifests must be folders apart. Mend the paths in the config." },
  );
}

async function assertReady(request: InstallRequest, { fs }: EngineServices): Promise<void> {
  for (const { id, path } of namedRoots(request)) {
    if (id === "state" || (await rootStat(fs, path))?.kind === "directory") continue;
    throw new PipelineError("place/missing", `Cannot mark ${id} "${path}": no folder is there`, {
      stopsRun: 2,
      hint: "Mount the share or make the folder first; it is not made here, since it could be an unmounted share.",
    });
  }
  const [nesting] = await findNesting(fs, namedRoots(request));
  if (!nesting) return await assertMarkersDistinct({ fs }, markedRoots(request));
  throw new PipelineError(
    "place/not-distinct",
    `Cannot mark ${nesting.outer.id} "${nesting.outer.path}": it ${
      nesting.same ? "is" : "contains"
    } ${nesting.inner.id} "${nesting.inner.path}"`,
    { stopsRun: 2, hint: "Source, places, manifests and state must be folders apart. Mend the paths in the config." },
  );
}
