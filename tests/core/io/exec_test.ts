import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { runProcess } from "../../../core/io/exec.ts";
import { tempDir } from "../../kit/temp.ts";

function collector() {
  const [logged, shown]: [string[], string[]] = [[], []];
  return {
    logged,
    shown,
    run: (signal = new AbortController().signal) => ({
      signal,
      log: { info: (message: string) => void logged.push(message) },
      stderr: (line: string) => void shown.push(line),
      graceMs: 200,
    }),
  };
}

const script = (code: string) => [Deno.execPath(), "eval", code];
const coded = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PipelineError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

Deno.test("runProcess() copies output line by line to the log and to stderr, from both streams", async () => {
  const out = collector();
  await runProcess({
    argv: script(
      `console.log("one\\ntwo"); console.error("three"); Deno.stdout.writeSync(new TextEncoder().encode("end"))`,
    ),
  }, out.run());
  assert.deepEqual([...out.shown].sort(), ["end", "one", "three", "two"]);
  assert.deepEqual(out.logged, out.shown);
});

Deno.test("runProcess() takes argv as it is, without a shell, with cwd and environment", async () => {
  await using dir = await tempDir();
  const out = collector();
  const argv = [...script(`console.log(Deno.args[0]); console.log(Deno.cwd()); console.log(Deno.env.get("LAB"))`)];
  await runProcess({ argv: [...argv, "$HOME; a b"], cwd: dir.path, env: { LAB: "7" } }, out.run());
  assert.deepEqual(out.shown, ["$HOME; a b", dir.path, "7"]);
});

Deno.test("runProcess() cuts a line without an end into parts, losing nothing", async () => {
  const out = collector();
  await runProcess({ argv: script(`Deno.stdout.writeSync(new Uint8Array(50_000).fill(97))`) }, out.run());
  assert.equal(out.shown.join(""), "a".repeat(50_000));
  assert.ok(out.shown.every((line) => line.length <= 16_384));
});

Deno.test("runProcess() cuts no secret in two, wherever in a long line it stands", async () => {
  const secret = "S3cr3tMailPw99";
  const hide = (text: string) => text.replaceAll(secret, "***").replace(/(password=)\S+/g, "$1***");
  for (const [before, told] of [[".".repeat(16_384 - 7), secret], ["a ".repeat(8_190), `password=${"x".repeat(40)}`]]) {
    const out = collector();
    const argv = script(`
      const line = new TextEncoder().encode(Deno.args[0].repeat(Number(Deno.args[1])) + Deno.args[2] + " end" + ".".repeat(90_000));
      for (let at = 0; at < line.length;) at += Deno.stdout.writeSync(line.subarray(at));
    `);
    await runProcess({ argv: [...argv, before.slice(0, 2), String(before.length / 2), told] }, { ...out.run(), hide });
    const whole = `${before.slice(0, 2).repeat(before.length / 2)}${told} end${".".repeat(90_000)}`;
    assert.equal(out.shown.join(""), whole);
    assert.equal(out.shown.map(hide).join(""), hide(whole));
    assert.ok(out.shown.length > 2 && out.shown.every((line) => line.length <= 16_384));
  }
});

Deno.test("runProcess() names the program and its exit code when it fails", async () => {
  const failed = runProcess({ argv: script("Deno.exit(7)") }, collector().run());
  await assert.rejects(
    failed,
    coded(
      "hook/failed",
      /^Cannot run ".*deno.* eval Deno\.exit\(7\)": it ran and ended with exit code 7, wanted exit code 0$/,
    ),
  );
});

Deno.test({
  name: "runProcess() says that a file is there and not executable",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using dir = await tempDir();
    const file = `${dir.path}/mount.sh`;
    await Deno.writeTextFile(file, "#!/bin/sh\n", { mode: 0o644 });
    const failed = runProcess({ argv: [file] }, collector().run());
    await assert.rejects(failed, coded("hook/not-executable", /mount\.sh": it is there, but it is not executable/));
  },
});

Deno.test("runProcess() says that a program is not there", async () => {
  const failed = runProcess({ argv: ["/no/such/program"] }, collector().run());
  await assert.rejects(failed, coded("hook/not-found", /Cannot run "\/no\/such\/program"/));
});

Deno.test("runProcess() kills what does not end in time, and what it started", async () => {
  const out = collector();
  // The grandchild ignores the request and holds the pipes; only the end of the whole group lets go.
  const grandchild =
    `Deno.addSignalListener("SIGTERM", () => {}); console.log("pid " + Deno.pid); setInterval(() => {}, 1000);`;
  const child = `new Deno.Command(Deno.execPath(), { args: ["eval", ${
    JSON.stringify(grandchild)
  }] }).spawn(); setInterval(() => {}, 1000);`;
  let [endTime, cancelled] = [() => {}, false];
  const after = (ms: number, act: () => void) => {
    assert.equal(ms, 1_500);
    endTime = act;
    return () => void (cancelled = true);
  };
  const run = out.run();
  // The time is over once the grandchild is up, however long a busy machine takes for that.
  const stderr = (line: string) => {
    run.stderr(line);
    endTime();
  };
  await assert.rejects(
    runProcess({ argv: script(child), timeoutMs: 1_500 }, { ...run, after, stderr }),
    coded("hook/timeout", /not finished after 1500 ms/),
  );
  assert.equal(cancelled, true);
  const pid = Number(out.shown[0]?.slice(4));
  if (Deno.build.os === "linux" && pid > 0) {
    // A killed process closes its pipes a moment before the system calls it dead.
    const state = () => Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "gone");
    let last = await state();
    for (let looks = 0; looks < 100_000 && !/\) [ZX]|^gone/.test(last); looks++) last = await state();
    assert.match(last, /\) [ZX]|^gone/);
  }
});

Deno.test("runProcess() ends the child at the signal and gives its reason", async () => {
  const stop = new AbortController();
  const out = collector();
  const run = out.run(stop.signal);
  const reason = new Error("asked to stop");
  const stderr = () => stop.abort(reason);
  const argv = script(`console.log("up"); setInterval(() => {}, 1000)`);
  await assert.rejects(runProcess({ argv }, { ...run, stderr }), reason);
  await assert.rejects(runProcess({ argv }, { ...run, signal: AbortSignal.abort(reason) }), reason);
});

Deno.test({
  name:
    "runProcess() kills a child that does not hear the signal within the grace of an abort, also behind its time limit",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const argv = script(`Deno.addSignalListener("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)`);
    for (const isLate of [false, true]) {
      const stop = new AbortController();
      const reason = new Error("asked to stop");
      const run = { ...collector().run(stop.signal), graceMs: 1e9, abortGraceMs: 1 };
      let endTime = () => {};
      const after = (_ms: number, act: () => void) => {
        endTime = act;
        return () => {};
      };
      const stderr = () => {
        if (isLate) endTime();
        stop.abort(reason);
      };
      await assert.rejects(runProcess({ argv, timeoutMs: 1 }, { ...run, after, stderr }), reason);
    }
  },
});
