/** Finds programs that `tools/test_servers` installs. @module */
import { join } from "@std/path";

/** The path of a program: that of `tools/test_servers` first, then those of PATH; undefined where there is none. */
export async function serverProgram(name: string): Promise<string | undefined> {
  const cache = Deno.env.get("LABFERRY_TEST_CACHE") ??
    join(Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "", ".cache"), "labferry-test-servers");
  const folders = [join(cache, "bin"), ...(Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "")];
  for (const path of folders.map((folder) => join(folder, name))) {
    const stat = await Deno.stat(path).catch(() => undefined);
    if (stat?.isFile) return path;
  }
}

/** Why a server cannot be started; undefined when it can. */
export async function serverMissing(name: string): Promise<string | undefined> {
  return await serverProgram(name) === undefined ? `${name} is not installed, see tools/test_servers` : undefined;
}
