import assert from "node:assert/strict";
import { isGroupAlive, parseProc, systemProcesses } from "../../../core/io/process_info.ts";

const SYSTEM = "cpu  1 2 3\nbtime 1700000000\nprocesses 5\n";
const stat = (name: string, state: string, start: number) =>
  `42 (${name}) ${state} ${Array.from({ length: 18 }, (_, i) => i).join(" ")} ${start} 1 2 3\n`;

Deno.test("parseProc() reads the start of a process, whatever its name", () => {
  for (const name of ["deno", "a b", "x) R 1 (y", ")"]) {
    assert.deepEqual(parseProc(stat(name, "S", 250), SYSTEM), { alive: true, startedAtMs: 1_700_000_002_500 });
  }
});

Deno.test("parseProc() counts a zombie as dead and says nothing of what it does not know", () => {
  assert.deepEqual(parseProc(stat("deno", "Z", 250), SYSTEM), { alive: false });
  assert.equal(parseProc("", SYSTEM), undefined);
  assert.equal(parseProc(stat("deno", "S", 250), "cpu"), undefined);
});

Deno.test("systemProcesses.isAlive() knows this process and one that has ended", async () => {
  const own = await systemProcesses.isAlive(Deno.pid);
  assert.equal(own.alive, true);
  assert.ok(own.startedAtMs !== undefined && own.startedAtMs <= Date.now() + 1000);
  const child = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  await child.status;
  assert.deepEqual(await systemProcesses.isAlive(child.pid), { alive: false });
  assert.deepEqual(await systemProcesses.isAlive(0), { alive: false });
  assert.deepEqual(await systemProcesses.isAlive(-1), { alive: false });
});

Deno.test({
  name: "isGroupAlive() knows a group by any process in it, and no group that is empty",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const args = ["-c", "sleep 1000 > /dev/null 2>&1 & echo $$"];
    const child = new Deno.Command("sh", { args, detached: true, stdout: "piped" }).spawn();
    await child.output();
    assert.equal(isGroupAlive(child.pid), true, "its leader has ended, what that one started has not");
    Deno.kill(-child.pid, "SIGKILL");
    // A signal is delivered a moment after it was sent.
    for (let looks = 0; looks < 10_000 && isGroupAlive(child.pid); looks++) await Promise.resolve();
    assert.equal(isGroupAlive(child.pid), false);
  },
});
