/**
 * Alternate streams of Windows: bytes under a name of their own within a file or folder, which no copy of the file's own
 * bytes holds (SAFETY S14).
 * @module
 */
import {
  ERROR_HANDLE_EOF,
  ERROR_INVALID_FUNCTION,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_SUPPORTED,
  parseStreamName,
  REFUSED,
  STREAM_BYTES,
  widePath,
  type WindowsCalls,
  windowsError,
} from "./windows_calls.ts";

/**
 * There is none: the end of the list, or a file system without streams. Without a number (0) the reason could not be
 * read; where there are streams the call succeeds, and what denies it denies the copy too.
 */
const NONE: ReadonlySet<number> = new Set([
  0,
  ERROR_HANDLE_EOF,
  ERROR_INVALID_FUNCTION,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_SUPPORTED,
]);

/** A file's own bytes. */
const OWN = "::$DATA";

/**
 * Names of the alternate streams of a file or folder (`Zone.Identifier`). None where the calls could not be loaded.
 * @throws the system's error when it does not tell
 */
export function namedStreams(path: string, calls: WindowsCalls | undefined): string[] {
  if (calls === undefined) return [];
  const wide = widePath(path);
  if (wide === undefined) throw windowsError(ERROR_INVALID_PARAMETER, `looking for streams of "${path}"`);
  const into = new Uint8Array(new ArrayBuffer(STREAM_BYTES));
  const find = calls.firstStream(wide, into);
  const end = () => {
    const number = calls.lastError();
    if (!NONE.has(number)) throw windowsError(number, `looking for streams of "${path}"`);
  };
  const names: string[] = [];
  if (find === REFUSED) end();
  else {
    try {
      do {
        const name = parseStreamName(into);
        if (name !== OWN) names.push(name.replace(/^:/, "").replace(/:\$DATA$/, ""));
      } while (calls.nextStream(find, into));
      end();
    } finally {
      calls.closeFind(find);
    }
  }
  return names;
}
