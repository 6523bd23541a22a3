/** Alternate streams of a study fail it before a byte is copied (SAFETY S14): no place could hold them. @module */
import { type Finding, PipelineError } from "../errors.ts";
import type { FileSystem } from "../io/file_system.ts";
import { ioError } from "../io/io_errors.ts";
import { LOCK_NAME } from "../io/names.ts";
import { itemPath } from "../io/paths.ts";
import { walkNames } from "../io/walk.ts";

/** Entries that are looked at before other work gets a turn. */
const ENTRIES_A_TURN = 256;
/** Named in full in the message; all are findings. */
const SHOWN = 10;

/** Looks at every file and folder of an item, the item's own folder included. @throws {PipelineError} `item/streams` */
export async function assertNoStreams(
  fs: FileSystem,
  item: { name: string; root: string },
  signal: AbortSignal,
): Promise<void> {
  if (fs.namedStreams === undefined) return;
  const findings: Finding[] = [];
  const look = async (path: string) => {
    const at = path === "." ? item.root : itemPath(item.root, path);
    const names = await fs.namedStreams?.(at).catch((error) => {
      throw ioError(error, { verb: "look for alternate streams of", path: at });
    });
    for (const name of names ?? []) {
      findings.push({
        rule: "names/stream",
        severity: "error",
        path,
        message: `it has the alternate stream ${JSON.stringify(name)}, which no copy would hold`,
      });
    }
  };
  await look(".");
  let looked = 0;
  for await (const { path, kind } of walkNames(fs, item.root, { signal, leaveOut: (path) => path === LOCK_NAME })) {
    // Links fail the item by themselves.
    if (kind === "file" || kind === "directory") await look(path);
    // The system's call is synchronous: without this neither a signal nor the progress would ever get a turn.
    if (++looked % ENTRIES_A_TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  if (findings.length > 0) throw streamsError(item, findings);
}

function streamsError(item: { name: string; root: string }, findings: readonly Finding[]): PipelineError {
  const shown = findings.slice(0, SHOWN).map(({ path, message }) => `${JSON.stringify(path)}: ${message}`);
  const more = findings.length > shown.length ? [`and ${findings.length - shown.length} more`] : [];
  const count = findings.length === 1 ? "1 alternate stream" : `${findings.length} alternate streams`;
  const folder = `'${item.root.replaceAll("'", "''")}'`;
  return new PipelineError(
    "item/streams",
    `Cannot back up "${item.name}": it holds ${count} of Windows (${[...shown, ...more].join("; ")})`,
    {
      findings,
      hint:
        "Nothing of this item has been written. Zone.Identifier only says that a file was downloaded; remove it in " +
        `PowerShell: Get-ChildItem -LiteralPath ${folder} -Recurse -File | Unblock-File. Save any other stream as a file ` +
        "of its own (Get-Content -Stream), then remove it (Remove-Item -Stream). `dir /R` lists them.",
    },
  );
}
