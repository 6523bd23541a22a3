/**
 * The compiled program, in an empty folder on a machine without Deno, without this checkout, and with no network but
 * its own loopback, as far as this system lets that be arranged.
 */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import { COMMANDS } from "../../cli/table.ts";
import { VERSION } from "../../cli/version.ts";
import { EMBEDDED_CASES } from "../../core/pipeline/embedded_cases.ts";
import { presetNames } from "../../core/pipeline/presets.ts";
import { commitOf } from "../../tools/compile.ts";
import { tempDir } from "../kit/temp.ts";

const EXECUTABLE = Deno.env.get("LABFERRY_TEST_EXECUTABLE");
const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** Puts the program where neither the network nor the checkout is, if this account may. */
const APART = `set -e
ip link set lo up 2>/dev/null || ifconfig lo up
mount -t tmpfs none "$1"
shift
exec "$@"`;

const mayBeApart = await (async () => {
  try {
    const args = ["-nm", "sh", "-c", APART, "sh", ROOT, "true"];
    const { success } = await new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
})();

function executableTest(name: string, fn: (program: Program) => Promise<void>): void {
  Deno.test({
    name: EXECUTABLE === undefined ? `${name} [no executable was built: tools/testing/executable.ts says why]` : name,
    ignore: EXECUTABLE === undefined,
    async fn() {
      await using home = await tempDir();
      // Elsewhere, and by itself: nothing lies beside it.
      const path = join(home.path, "labferry");
      await Deno.copyFile(EXECUTABLE!, path);
      await using work = await tempDir();
      await fn({
        folder: work.path,
        async run(...args) {
          const [command, ...before] = mayBeApart ? ["unshare", "-nm", "sh", "-c", APART, "sh", ROOT, path] : [path];
          const { code, stdout, stderr } = await new Deno.Command(command, {
            args: [...before, ...args],
            cwd: work.path,
            clearEnv: true,
            env: { HOME: home.path, PATH: "/usr/sbin:/usr/bin:/sbin:/bin", NO_COLOR: "1" },
            stdin: "null",
          }).output();
          const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
          return { code, stdout: text(stdout), stderr: text(stderr) };
        },
      });
    },
  });
}

interface Program {
  /** An empty folder, in which it is started. */
  folder: string;
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

executableTest("the executable tells its version and its commit", async ({ run }) => {
  const { code, stdout } = await run("--version");
  assert.equal(code, 0);
  // Tests may have left a file in the checkout since it was built.
  const commit = (await commitOf(ROOT))?.replace("+", "");
  assert.equal(stdout.replace("+)", ")"), `labferry ${VERSION}${commit === undefined ? "" : ` (${commit})`}\n`);
});

executableTest("the executable runs the whole demo: journal, S3, mail, eviction, monitor", async ({ run, folder }) => {
  const { code, stdout, stderr } = await run("demo");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /The demo went as it should/);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
});

executableTest("the executable has its presets, templates and pages inside", async ({ run, folder }) => {
  const init = await run("install", "init", "--config-dir", join(folder, "config"));
  assert.equal(init.code, 0, init.stderr);
  assert.match(await Deno.readTextFile(join(folder, "config", "config.toml")), /^# source_root = /m);
  for (const name of presetNames()) {
    const { code, stdout, stderr } = await run("show", name);
    assert.equal(code, 0, `${name}: ${stderr}`);
    assert.match(stdout, new RegExp(`^name +?= "${name}"`, "m"));
  }
  const list = await run("list", "stages");
  assert.equal(list.code, 0, list.stderr);
  assert.match(list.stdout, /^copy /m);
});

executableTest("the executable runs the cases of its presets, and leaves nothing behind", async ({ run, folder }) => {
  const { code, stdout, stderr } = await run("test");
  assert.deepEqual([code, stderr], [0, ""], stdout);
  const count = Object.keys(EMBEDDED_CASES).length;
  assert.ok(stdout.endsWith(`\n${count} cases: ${count} ok\n`), stdout);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
});

executableTest("every command of the executable loads", async ({ run }) => {
  const words = COMMANDS.flatMap(({ name, subcommands }) =>
    subcommands === undefined ? [[name]] : subcommands.map((sub) => [name, sub.name])
  );
  for (const command of words) {
    const { code, stdout } = await run(...command, "--help");
    assert.equal(code, 0, command.join(" "));
    assert.match(stdout, new RegExp(`Usage: labferry ${command.join(" ")}`));
  }
});
