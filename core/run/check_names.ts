/** The names of a study, checked before anything of it is written. @module */
import type { Finding } from "../errors.ts";
import { PipelineError } from "../errors.ts";
import { LOCK_NAME, NameChecker, namesError, SIDECAR_NAME } from "../io/names.ts";
import type { NameTarget } from "../io/names.ts";
import { hostSystem } from "../io/paths.ts";
import { walkNames } from "../io/walk.ts";
import type { Place } from "../places/place.ts";
import { ownSidecar } from "../safety/own_sidecar.ts";
import { assertNoStreams } from "./check_streams.ts";
import type { ItemSession } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

/**
 * What cannot be archived fails the item before a byte is copied (SAFETY S14): its names are checked for every place of
 * the pipeline, whichever is written first.
 */
export async function checkNames(run: RunState, session: ItemSession, signal: AbortSignal): Promise<void> {
  const { fs } = run.services;
  const { item } = session;
  await assertNoStreams(fs, item, signal);
  const own = await ownSidecar(fs, { ...session.scope, signal }) !== undefined;
  const ours = (path: string) => own && path === SIDECAR_NAME;
  const checkers = run.places.map((place) => new NameChecker(targetOf(place, item.name), { ours }));
  const findings = new Map<string, Finding>();
  let files = 0;
  // Only our lock may lie in a source; what looks like a temporary of ours would never be archived.
  const leaveOut = (path: string) => path === LOCK_NAME;
  for await (const entry of walkNames(fs, item.root, { signal, leaveOut })) {
    if (entry.kind === "file" && !ours(entry.path)) files++;
    // What two places refuse in the same words is told once.
    for (const checker of checkers) for (const one of checker.check(entry)) findings.set(JSON.stringify(one), one);
  }
  if (findings.size > 0) throw namesError(item.name, [...findings.values()]);
  if (files === 0) {
    throw new PipelineError("item/empty", `Cannot back up "${item.name}": it holds no file`, {
      hint: "An empty study is never archived. Remove the folder by hand if it is not needed.",
    });
  }
}

function targetOf(place: Place, item: string): NameTarget {
  return { system: place.kind === "objects" ? "s3" : hostSystem, root: place.uri(item) };
}
