/**
 * The marker of a place (SAFETY S1): `.labferry-place`, a UUID in its first line and what the place is for in a further
 * one (`role: source`). An unmounted NAS is an empty local folder; it has no marker and receives no backup.
 * @module
 */
import { join } from "@std/path";
import { PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { PLACE_MARKER_NAME, temporaryName } from "../io/names.ts";
import { publish } from "../io/publish.ts";
import { rootStat } from "../io/roots.ts";
import { readSmall } from "./os_lock.ts";

/** What a root was when it was looked at first. */
export interface PlaceIdentity {
  /** OS path. */
  root: string;
  /** UUID of the marker, lower case. */
  uuid: string;
  /** Device of the root folder; null where the system gives none. */
  dev: number | null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A marker is some 50 bytes; an editor may have added a little. */
const LARGEST = 1024;

/** What a root is for: studies are made there, backups are written there, or the ledger is. */
export type PlaceRole = "source" | "place" | "ledger";

/** What a marker says. */
export interface PlaceMark {
  /** Lower case. */
  uuid: string;
  /** A `PlaceRole`, or the word of a later version; undefined for a marker of an earlier one. */
  role?: string;
}

const ROLE_LINE = /^\s*role\s*:\s*(\S.*?)\s*$/im;

/**
 * Reads a root's marker. Undefined when there is none (also when the root itself is absent).
 * @throws {PipelineError} `place/marker-invalid` when something else is there under its name
 */
export async function readPlaceMarker(fs: FileSystem, root: string): Promise<string | undefined> {
  return (await readPlaceMark(fs, root))?.uuid;
}

/** As `readPlaceMarker`, with the role. Lines it does not know are left to whoever wrote them. */
export async function readPlaceMark(fs: FileSystem, root: string): Promise<PlaceMark | undefined> {
  const text = await markerText(fs, root);
  return text === undefined || text === "" ? undefined : parseMark(root, text);
}

function parseMark(root: string, text: string): PlaceMark {
  const uuid = linesOf(text)[0].trim().toLowerCase();
  if (!UUID.test(uuid)) throw invalid(root, "it does not hold a UUID");
  const role = ROLE_LINE.exec(text)?.[1].toLowerCase();
  return role === undefined ? { uuid } : { uuid, role };
}

function linesOf(text: string): string[] {
  return text.trim().split(/\r\n|\r|\n/);
}

/** Why `readPlaceMarker` found none, in words, and what to do. */
export async function missingMarker(fs: FileSystem, root: string): Promise<{ found: string; hint: string }> {
  if (await markerText(fs, root) === undefined) {
    return {
      found: `it has no ${PLACE_MARKER_NAME}`,
      hint: "If a disk or share belongs there, mount it. If this is the right folder, run: labferry install places",
    };
  }
  return {
    found: `its ${PLACE_MARKER_NAME} is empty, wanted a UUID`,
    hint:
      "A loss of power can leave it so. Make sure that this is the right folder, then run: labferry install places " +
      "(it writes a new one in its place)",
  };
}

/** Empty for a marker that was never finished. */
async function markerText(fs: FileSystem, root: string): Promise<string | undefined> {
  const path = join(root, PLACE_MARKER_NAME);
  try {
    const stat = await fs.lstat(path);
    if (stat === undefined) return undefined;
    if (stat.kind !== "file") throw invalid(root, `it is a ${stat.kind}`);
    if (stat.size > LARGEST) throw invalid(root, `it has ${stat.size} bytes`);
    await using handle = await fs.openRead(path);
    const text = await readSmall(handle, LARGEST);
    return /^\0*$/.test(text) ? "" : text;
  } catch (error) {
    throw ioError(error, { verb: "read the marker", path });
  }
}

function invalid(root: string, found: string): PipelineError {
  return new PipelineError(
    "place/marker-invalid",
    `Cannot use "${root}" as a place: its ${PLACE_MARKER_NAME} is damaged: ${found}`,
    {
      hint: "Make sure that this is the right folder, remove that file and run: labferry install places",
      stopsRun: 2,
    },
  );
}

/**
 * Marks a root as a place, or finds the marker it has. The UUID of a valid marker is never replaced, since evidence names
 * it; a marker without a role gets this one added. Whether a role that it has is the right one, the caller asks.
 * @throws {PipelineError} `place/marker-invalid`, or an `io/…` code
 */
export async function createPlaceMarker(
  fs: FileSystem,
  root: string,
  role?: PlaceRole,
): Promise<{ uuid: string; created: boolean }> {
  const path = join(root, PLACE_MARKER_NAME);
  const found = await readPlaceMark(fs, root);
  if (found !== undefined) {
    if (role !== undefined && found.role === undefined) await addRole(fs, root, { uuid: found.uuid, role });
    return { uuid: found.uuid, created: false };
  }
  const uuid = crypto.randomUUID();
  const temporary = join(root, temporaryName(uuid.replaceAll("-", "")));
  try {
    if (await markerText(fs, root) === "") await fs.removeFile(path); // one that a loss of power left empty
    await writeNew(fs, temporary, role === undefined ? `${uuid}\n` : `${uuid}\nrole: ${role}\n`);
    // Where a share can neither rename nor link without replacing: this is a person's one-time act, not a race of runs.
    const created = await publish(fs, temporary, path);
    if (!created) await fs.removeFile(temporary);
    await fs.syncDir(root);
    if (created) return { uuid, created };
  } catch (error) {
    throw ioError(error, { verb: "mark the place", path: root });
  }
  const other = await readPlaceMarker(fs, root);
  if (other === undefined) throw invalid(root, "it vanished while it was made");
  return { uuid: other, created: false };
}

async function writeNew(fs: FileSystem, path: string, text: string): Promise<void> {
  await using handle = await fs.createNew(path);
  await handle.write(new TextEncoder().encode(text));
  await handle.sync();
}

/** Puts the marker with its role in place of the one without, whole: after a crash one of the two stands there. */
async function addRole(fs: FileSystem, root: string, { uuid, role }: { uuid: string; role: PlaceRole }): Promise<void> {
  const path = join(root, PLACE_MARKER_NAME);
  const temporary = join(root, temporaryName(crypto.randomUUID().replaceAll("-", "")));
  try {
    const [, ...more] = linesOf(await markerText(fs, root) ?? "");
    const text = `${[uuid, `role: ${role}`, ...more].join("\n")}\n`;
    // Without room for it the memory of the journal has to do.
    if (new TextEncoder().encode(text).length > LARGEST) return;
    await writeNew(fs, temporary, text);
    const now = await readPlaceMark(fs, root);
    if (now?.uuid !== uuid || now.role !== undefined) {
      await fs.removeFile(temporary);
      if (now?.uuid === uuid && now.role === role) return;
      throw invalid(root, "it changed while its role was added");
    }
    await fs.rename(temporary, path);
    await fs.syncDir(root);
  } catch (error) {
    throw ioError(error, { verb: "add its role to the mark of", path: root });
  }
}

/**
 * Looks at a root for the first time in a run; the answer is what `confirmPlace` compares with later.
 * @throws {PipelineError} `place/not-marked`, `place/marker-invalid`: exit code 2
 */
export async function checkPlace(fs: FileSystem, root: string): Promise<PlaceIdentity> {
  const uuid = await readPlaceMarker(fs, root);
  const stat = await rootStat(fs, root).catch((error) => {
    throw ioError(error, { verb: "look at the place", path: root });
  });
  if (uuid === undefined || stat === undefined) {
    const { found, hint } = await missingMarker(fs, root);
    throw new PipelineError(
      "place/not-marked",
      `Cannot use "${root}" as a place: ${stat === undefined ? "nothing is there" : found}`,
      { hint, stopsRun: 2 },
    );
  }
  return { root, uuid, dev: stat.dev };
}

/**
 * Looks again, before each batch of writes and each destroy.
 * @throws {PipelineError} `place/changed` when another file system or marker is there now: exit code 1
 */
export async function confirmPlace(fs: FileSystem, remembered: PlaceIdentity): Promise<void> {
  const { root } = remembered;
  const changed = (found: string, cause?: unknown) =>
    new PipelineError("place/changed", `Cannot go on with "${root}": ${found}`, {
      cause,
      hint: "A disk or share was unmounted or exchanged during the run. Bring it back and run again.",
      stopsRun: 1,
    });
  let now: PlaceIdentity;
  try {
    now = await checkPlace(fs, root);
  } catch (cause) {
    if (cause instanceof PipelineError && cause.code === "place/not-marked") throw changed("its marker is gone", cause);
    if (cause instanceof PipelineError && cause.code === "place/marker-invalid") {
      throw changed("its marker is damaged", cause);
    }
    throw cause;
  }
  if (now.uuid !== remembered.uuid) throw changed(`its marker is ${now.uuid}, wanted ${remembered.uuid}`);
  if (now.dev !== remembered.dev) throw changed(`it is on device ${now.dev}, wanted ${remembered.dev}`);
}
