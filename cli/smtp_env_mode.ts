/** Who may read the file of credentials. @module */

/** A warning where others than the owner may read the file; undefined where they may not, or the system has no modes. */
export async function whyTooOpen(path: string): Promise<string | undefined> {
  const { mode } = await Deno.lstat(path).catch(() => ({ mode: null }));
  if (mode === null || Deno.build.os === "windows" || (mode & 0o077) === 0) return undefined;
  return `"${path}" can be read by others than its owner (mode ${(mode & 0o777).toString(8)}): run chmod 600 on it`;
}
