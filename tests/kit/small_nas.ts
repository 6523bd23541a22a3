/** A small file system of its own, for tests that fill it. */
import { join } from "@std/path";
import { tempDir } from "./temp.ts";

/** Why none can be mounted here. Root of a container may often not. */
export const needsMount = await mayMount() ? undefined : "mounting needs root on Linux, and the right to";

async function mayMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const args = ["-m", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/tmp"];
  return await new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

/** Mounts 8 MiB in memory. */
export async function smallNas(): Promise<AsyncDisposable & { path: string }> {
  const dir = await tempDir();
  const path = join(dir.path, "nas");
  await Deno.mkdir(path);
  await command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await command("umount", path);
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Runs a program. @throws {Error} with what it said when it fails */
export async function command(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
