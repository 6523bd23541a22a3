import assert from "node:assert/strict";
import { AtWork } from "../../cli/at_work.ts";
import { memoryLog } from "../../testing/doubles.ts";

Deno.test("AtWork.stopping says what is waited for, and for how long", async () => {
  let now = 1_000_000;
  const work = new AtWork(() => now);
  assert.match(work.stopping, /^Stopping: no step is at work/);
  const told: string[] = [];
  const sink = work.sink({ itemStarted: (name) => void told.push(name) });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const exec = work.exec(() => ended);
  const options = {
    argv: ["/bin/sleep", "300"],
    timeoutMs: 600_000,
    signal: new AbortController().signal,
    log: memoryLog(),
  };
  const hook = exec(options);
  now += 480_000;
  assert.equal(
    work.stopping,
    'Stopping: the step at work is finished first, that is the program "/bin/sleep 300", at most 2 min 00 s; ' +
      "interrupt again to end it now",
  );
  end();
  await hook;
  sink.itemStarted?.("study1");
  assert.match(work.stopping, /^Stopping: the step at work is finished first and the locks are released/);
  sink.stageStarted?.("study1", "s3");
  assert.match(work.stopping, /^Stopping: the step at work \(stage "s3" of "study1"\) is finished first and /);
  sink.itemFinished?.("study1", "done");
  assert.match(work.stopping, /no step is at work/);
  assert.deepEqual(told, ["study1"]);
  await assert.rejects(work.exec(() => Promise.reject(new TypeError("a bug")))(options), TypeError);
  assert.match(work.stopping, /no step is at work/);
});
