/**
 * The marker of a place (SAFETY S1): `.labferry-place`, a UUID. An unmounted NAS is an empty local folder; it has no
 * marker and receives no backup.
 * @module
 */
import { KIND_WORDS } from "../io/file_system.ts";
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

/**
 * Reads a root's marker. Undefined when there is none (also when the root itself is absent).
 * @throws {PipelineError} `place/marker-invalid` when something else is there under its name
 */
export async function readPlaceMarker(fs: FileSystem, root: string): Promise<string | undefined> {
  const text = await markerText(fs, root);
  return text === undefined || text === "" ? undefined : uuidOf(root, text);
}

/** Further lines are left to whoever wrote them. */
function uuidOf(root: string, text: string): string {
  const uuid = text.trim().split(/\r\n|\r|\n/)[0].trim().toLowerCase();
  if (!UUID.test(uuid)) throw invalid(root, "it does not hold a UUID");
  return uuid;
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
    if (stat.kind !== "file") throw invalid(root, `it is ${KIND_WORDS[stat.kind]}`);
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
 * Marks a root as a place, or finds the marker it has. A valid marker is never replaced, since evidence names it.
 * @throws {PipelineError} `place/marker-invalid`, or an `io/…` code
 */
export async function createPlaceMarker(
  fs: FileSystem,
  root: string,
): Promise<{ uuid: string; created: boolean }> {
  const path = join(root, PLACE_MARKER_NAME);
  const found = await readPlaceMarker(fs, root);
  if (found !== undefined) return { uuid: found, created: false };
  const uuid = crypto.randomUUID();
  const temporary = join(root, temporaryName(uuid.replaceAll("-", "")));
  try {
    if (await markerText(fs, root) === "") await fs.removeFile(path); // one that a loss of power left empty
    await writeNew(fs, temporary, `${uuid}\n`);
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
