/** Stages from outside in the compiled program, over the base runtime that this machine can have. */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { tryStages } from "../../tools/compiled_stages.ts";
import { EMBEDDED_WORKERS } from "../../tools/compile.ts";
import { tempDir } from "../kit/temp.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const TOOL = join(ROOT, "..", "shared", "tools", "compile-check");

function cacheFolder(): string {
  const { COMPILE_CHECK_CACHE, XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return COMPILE_CHECK_CACHE ?? join(XDG_CACHE_HOME ?? join(HOME ?? "", ".cache"), "compile-check");
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // what cannot be seen cannot be used either
  }
}

/** Without its cache the tool would download for minutes. */
const canCompile = isThere(TOOL) && isThere(join(cacheFolder(), "base", "package", "bin", "rfc"));

Deno.test({
  name: `the compiled program takes stages from outside${canCompile ? "" : " [needs compile-check, used once]"}`,
  ignore: !canCompile,
  async fn() {
    await using dir = await tempDir();
    const executable = join(dir.path, "labferry");
    const include = EMBEDDED_WORKERS.flatMap((file) => ["--include", file]);
    const { code, stderr } = await new Deno.Command(TOOL, {
      args: [executable, "-A", ...include, "cli.ts"],
      cwd: ROOT,
      stdin: "null",
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const folder = join(dir.path, "lab");
    await Deno.mkdir(folder);
    // The base is Deno 2.6.10, which takes no TypeScript from outside.
    const tried = await tryStages({ argv: [executable], typescript: false }, folder);
    assert.deepEqual(tried.filter(({ holds }) => !holds), []);
    assert.ok(tried.length > 5);
  },
});
