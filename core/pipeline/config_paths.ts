/**
 * Paths as people write them in TOML, made absolute against the folder of the config file.
 * @module
 */
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import type { PathSystem } from "../io/paths.ts";

export type ResolvedPath = { ok: true; path: string } | { ok: false; reason: string; hint: string };

/**
 * Makes `text` an absolute path of `system`; a relative one is taken from `folder`. Refused, since each would mean
 * another folder than the one meant: `~`, a path of the other system, `C:name`, `\name`, control characters.
 */
export function resolvePath(text: string, base: { folder: string; system: PathSystem }): ResolvedPath {
  const { folder, system } = base;
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001F\u007F]/.test(text)) {
    return {
      ok: false,
      reason: "it holds a control character",
      hint: "a backslash within double quotes begins an escape; write the path with single quotes",
    };
  }
  if (/^~(?:$|[\\/])|^~[A-Za-z]/.test(text)) {
    return { ok: false, reason: `"~" is not expanded`, hint: "write the whole path" };
  }
  if (text.trim() !== text) return { ok: false, reason: "it begins or ends with a blank", hint: "remove the blank" };
  if (system === "posix") {
    if (/^(?:[A-Za-z]:[\\/]|\\\\)/.test(text)) {
      return {
        ok: false,
        reason: "it is a Windows path, and this is not Windows",
        hint: "use a path of this system, or check the file on the computer it is for",
      };
    }
    return { ok: true, path: posix.resolve(folder, text) };
  }
  if (/^[A-Za-z]:(?![\\/])/.test(text)) {
    return {
      ok: false,
      reason: "without a separator after the colon it depends on the current folder of that drive",
      hint: `write '${text.slice(0, 2)}\\${text.slice(2)}'`,
    };
  }
  if (/^[\\/](?![\\/])/.test(text)) {
    return {
      ok: false,
      reason: "without a drive or a server it depends on the current drive",
      hint: String.raw`write 'C:\…' with the drive, or '\\server\share\…' with two backslashes in single quotes`,
    };
  }
  return { ok: true, path: windows.resolve(folder, text) };
}
