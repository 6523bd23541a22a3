import assert from "node:assert/strict";
import { lintMachine, type MachineOptions } from "../../../core/lint/machine.ts";
import { loadConfig } from "../../../core/pipeline/config.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { compileText } from "../../kit/fake_stages.ts";

const CONFIG =
  "[paths]\nsource_root = '/s'\ntruenas_root = '/n'\nmanifest_root = '/m'\n[s3]\nbucket = 'b'\nprefix = 'p'\n[hooks]\nbackup = ['/opt/mount', 'nas']\n";

function backup() {
  const { loaded: config } = loadConfig({ path: "/etc/c.toml", system: "posix", text: CONFIG });
  const { pipeline } = compileText(EMBEDDED_PRESETS.backup, { config, file: "backup.toml" });
  assert.ok(pipeline);
  return pipeline;
}

function machine(given: { folders?: string[]; denied?: string; why?: string }): MachineOptions {
  const { folders = ["/", "/state"] } = given;
  const stat = { kind: "directory" } as NonNullable<Awaited<ReturnType<MachineOptions["fs"]["lstat"]>>>;
  return {
    fs: {
      lstat: (path) => Promise.resolve(folders.includes(path) ? stat : undefined),
      whyNotWritable: (path) => Promise.resolve(path === given.denied ? "this account may not write there" : undefined),
    },
    stateDir: "/state",
    whyNotRunnable: () => Promise.resolve(given.why === undefined ? undefined : { why: given.why, hint: "mend it" }),
  };
}

Deno.test("lintMachine() finds a hook's program that is not there, where the config names it", async () => {
  assert.deepEqual(await lintMachine(backup(), machine({})), []);
  const [found, ...more] = await lintMachine(backup(), machine({ why: "there is no such program" }));
  assert.deepEqual(more, []);
  assert.deepEqual([found.code, found.severity, found.sourceLine], [
    "env/no-program",
    "error",
    "backup = ['/opt/mount', 'nas']",
  ]);
  assert.match(found.message, /^Cannot run "\/opt\/mount": there is no such program/);
});

Deno.test("lintMachine() finds a state folder that cannot be written to, or made", async () => {
  const [standing] = await lintMachine(backup(), machine({ denied: "/state" }));
  assert.equal(standing.code, "env/no-state");
  assert.match(standing.message, /"\/state": this account may not write there$/);
  const [absent] = await lintMachine(backup(), machine({ folders: ["/"], denied: "/" }));
  assert.match(absent.message, /"\/state": it would be made in "\/", and this account may not write there$/);
  assert.match(absent.hint ?? "", /LABFERRY_STATE_DIR/);
});
