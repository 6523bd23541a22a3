/**
 * What a marked root is for (SAFETY S1). Paths of a config can be exchanged; a marker that was a place's yesterday must
 * not pass for the source, from which studies are removed. The journal remembers the role in which it saw a UUID first.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { PLACE_MARKER_NAME } from "../io/names.ts";
import type { CursorStore } from "../journal/journal.ts";
import { readPlaceMarker } from "./place_marker.ts";

/** What a root is for: studies are made there, backups are written there, or the ledger is. */
export type PlaceRole = "source" | "place" | "ledger";

/** A root, and what the config uses it for. */
export interface RootRole {
  id: string;
  path: string;
  role: PlaceRole;
}

/** Two roles of one root, in words. */
export interface RoleConflict {
  message: string;
  hint: string;
}

interface Remembered {
  role: string;
  id: string;
  path: string;
}

const cursorOf = (uuid: string) => `place-role:${uuid}`;

const WORDS: Record<string, string> = {
  source: "source (studies are made there, and removed once they are archived)",
  place: "place (backups are written there)",
  ledger: "ledger (the manifests are written there)",
};

const wordsOf = (role: string) => WORDS[role] ?? role;

async function remembered(cursors: CursorStore, uuid: string): Promise<Remembered | undefined> {
  const value = await cursors.get(cursorOf(uuid));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { role, id, path } = value;
  return typeof role === "string" ? { role, id: String(id), path: String(path) } : undefined;
}

/** The role in which a root's UUID is remembered, where that is another one. */
export async function roleConflict(
  services: { fs: FileSystem; cursors?: CursorStore },
  root: RootRole,
): Promise<RoleConflict | undefined> {
  const { fs, cursors } = services;
  const uuid = await uuidAt(fs, root.path);
  if (uuid === undefined) return undefined;
  const known = cursors && await remembered(cursors, uuid);
  if (known === undefined || known.role === root.role) return undefined;
  return {
    message: `Cannot use "${root.path}" as ${root.id}, a ${wordsOf(root.role)}: its mark ${uuid} is known as the ` +
      `${wordsOf(known.role)} ${known.id} "${known.path}"`,
    hint:
      "If two paths of the config were exchanged, or the wrong disk or share is mounted, put that right. Only if this " +
      `folder is to serve another purpose for good and nothing in it is needed any more: remove its ${PLACE_MARKER_NAME} ` +
      "and run: labferry install places --replaced",
  };
}

/** Undefined also for a marker that cannot be made out: whoever opens that root refuses it. */
async function uuidAt(fs: FileSystem, path: string): Promise<string | undefined> {
  try {
    return await readPlaceMarker(fs, path);
  } catch (error) {
    if (error instanceof PipelineError && error.code === "place/marker-invalid") return undefined;
    throw error;
  }
}

/** Throws `place/other-role` (exit 2), which names every root that is known in another role. */
export async function assertRoles(
  services: { fs: FileSystem; cursors: CursorStore },
  roots: readonly RootRole[],
): Promise<void> {
  const found: RoleConflict[] = [];
  for (const root of roots) {
    const conflict = await roleConflict(services, root);
    if (conflict) found.push(conflict);
  }
  if (found.length === 0) return;
  const message = found.map(({ message }, i) => i === 0 ? message : message.replace(/^C/, "c")).join("; ");
  throw new PipelineError("place/other-role", message, { stopsRun: 2, hint: found[0].hint });
}

/** Remembers what the roots are for; the role a UUID was first seen in stays. */
export async function rememberRoles(
  { fs, cursors }: { fs: FileSystem; cursors: CursorStore },
  roots: readonly RootRole[],
): Promise<void> {
  for (const { id, path, role } of roots) {
    const uuid = await uuidAt(fs, path);
    if (uuid === undefined) continue;
    const known = await remembered(cursors, uuid);
    if (known !== undefined && (known.role !== role || known.path === path)) continue;
    await cursors.set(cursorOf(uuid), { role, id, path });
  }
}
