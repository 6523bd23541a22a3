import assert from "node:assert/strict";
import { isGone, keepChild, killChildren } from "../../../core/io/children.ts";
import { isGroupAlive } from "../../../core/io/process_info.ts";

const posix = Deno.build.os !== "windows";

/** A child that hears no request to end, and something it started; up once it has said so. */
async function deaf(): Promise<Deno.ChildProcess> {
  const code = `Deno.addSignalListener("SIGTERM", () => {});
new Deno.Command("sleep", { args: ["1000"], stdout: "null" }).spawn(); console.log("up");`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", code],
    stdin: "null",
    stdout: "piped",
    detached: true,
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

Deno.test({
  name: "killChildren() ends every child that is kept, with what it started, and waits until they are gone",
  ignore: !posix,
  fn: async () => {
    const [one, two, own] = await Promise.all([deaf(), deaf(), deaf()]);
    try {
      keepChild(one);
      keepChild(two);
      keepChild(own)[Symbol.dispose]();
      await killChildren();
      assert.deepEqual([one, two, own].map(({ pid }) => isGroupAlive(pid)), [false, false, true]);
      assert.equal((await one.status).signal, "SIGKILL");
      assert.deepEqual([await isGone(two), await isGone(own, 20)], [true, false]);
    } finally {
      Deno.kill(-own.pid, "SIGKILL");
      await own.status;
    }
  },
});

Deno.test("killChildren() has nothing to wait for where there is none", async () => {
  await killChildren();
});
