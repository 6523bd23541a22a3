import assert from "node:assert/strict";
import { join } from "@std/path";
import { loadConfig } from "../../../core/pipeline/config.ts";
import { type CommandOptions, type Ended, NAS_BYTES, openLab } from "../../../demo/tour/lab.ts";
import { tempDir } from "../../kit/temp.ts";

async function open(folder: string, answer: Ended) {
  const said: string[] = [];
  const run: { argv: readonly string[]; options?: CommandOptions }[] = [];
  let keysAreSet = false;
  const lab = await openLab({
    folder,
    now: Date.UTC(2026, 0, 2),
    say: (text) => void said.push(text),
    labferry(argv, options) {
      run.push({ argv, options });
      return Promise.resolve(answer);
    },
    useKeys() {
      keysAreSet = true;
      return { [Symbol.dispose]: () => void (keysAreSet = false) };
    },
    signal: new AbortController().signal,
  });
  return { lab, said, run, keysAreSet: () => keysAreSet };
}

Deno.test("openLab() writes a config that is right, and takes keys and servers away at the end", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "config.toml");
  let endpoint: string;
  {
    const { lab: opened, keysAreSet } = await open(dir.path, { code: 0 });
    await using lab = opened;
    assert.equal(keysAreSet(), true);
    const { loaded, diagnostics } = loadConfig({ path, text: await Deno.readTextFile(path) });
    assert.deepEqual(diagnostics, []);
    assert.equal(loaded?.config.paths.truenas_root, lab.folders.truenas);
    assert.equal(loaded?.config.monitor.log_path, lab.log);
    assert.equal(loaded?.config.notify.smtp.port, lab.mail.port);
    assert.deepEqual(await lab.fs.space(lab.folders.truenas), { free: NAS_BYTES, total: NAS_BYTES });
    endpoint = lab.s3.endpoint;
    const answer = await fetch(endpoint);
    await answer.body?.cancel();
    assert.equal(answer.status, 403);
  }
  await assert.rejects(fetch(endpoint));
});

Deno.test("Lab.run() says the command, gives it the made-up NAS, and names one that gave no report", async () => {
  await using dir = await tempDir();
  const { lab: opened, said, run } = await open(dir.path, { code: 2 });
  await using lab = opened;
  lab.chapter("First");
  lab.chapter("Second");
  await assert.rejects(lab.run(["backup", "run"], { pace: 3 }), {
    code: "demo/no-report",
    message: /labferry backup run ended with 2/,
  });
  assert.deepEqual(said, ["\n1. First\n--------\n", "\n2. Second\n---------\n", "$ labferry backup run\n"]);
  const [{ argv, options }] = run;
  assert.deepEqual([argv, options?.pace], [["backup", "run"], 3]);
  await using disk = options?.openDisk?.();
  assert.equal((await disk?.space(lab.folders.truenas))?.total, NAS_BYTES);
});
