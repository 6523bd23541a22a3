/**
 * What a marked root is for (SAFETY S1). Paths of a config can be exchanged; a marker that was a place's yesterday must
 * not pass for the source, from which studies are removed. The marker says its role, and the journal remembers the role
 * in which it saw a UUID first: either one suffices to refuse.
 * @module
 */
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { PLACE_MARKER_NAME } from "../io/names.ts";
import type { CursorStore } from "../journal/journal.ts";
import { type PlaceRole, readPlaceMark } from "./place_marker.ts";

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

/** The role that a root's marker, or the memory of its UUID, has it in, where that is another one. */
export async function roleConflict(
  services: { fs: FileSystem; cursors?: CursorStore },
  root: RootRole,
): Promise<RoleConflict | undefined> {
  const { fs, cursors } = services;
  const mark = await markOf(fs, root.path);
  if (mark === undefined) return undefined;
  const known = cursors && await remembered(cursors, mark.uuid);
  const says = mark.role !== undefined && mark.role !== root.role ? mark.role : undefined;
  if (says === undefined && (known === undefined || known.role === root.role)) return undefined;
  const found = says === undefined
    ? `its mark ${mark.uuid} is known`
    : `its ${PLACE_MARKER_NAME} says that it is a ${wordsOf(says)}`;
  const before = known === undefined
    ? ""
    : `${says === undefined ? "" : ", and earlier runs knew it"} as the ${
      wordsOf(known.role)
    } ${known.id} "${known.path}"`;
  return {
    message: `Cannot use "${root.path}" as ${root.id}, a ${wordsOf(root.role)}: ${found}${before}`,
    hint:
      "If two paths of the config were exchanged, or the wrong disk or share is mounted, put that right. Only if this " +
      `folder is to serve another purpose for good and nothing in it is needed any more: remove its ${PLACE_MARKER_NAME} ` +
      "and run: labferry install places --replaced",
  };
}

/** Undefined also for a marker that cannot be made out: whoever opens that root refuses it. */
async function markOf(fs: FileSystem, path: string) {
  try {
    return await readPlaceMark(fs, path);
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
    const mark = await markOf(fs, path);
    if (mark === undefined) continue;
    const known = await remembered(cursors, mark.uuid);
    if (known !== undefined && (known.role !== role || known.path === path)) continue;
    await cursors.set(cursorOf(mark.uuid), { role, id, path });
  }
}
