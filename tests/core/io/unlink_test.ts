import assert from "node:assert/strict";
import { removeReadOnly, type UnlinkCalls } from "../../../core/io/unlink.ts";

const coded = (code: string) => Object.assign(new Error(code), { code });

function recording(mode: number | null, failing: { remove?: Error; chmod?: Error; mode?: Error } = {}) {
  const done: string[] = [];
  const calls: UnlinkCalls = {
    remove(path) {
      done.push(`remove ${path}`);
      if (failing.remove) throw failing.remove;
    },
    mode() {
      if (failing.mode) throw failing.mode;
      return mode;
    },
    chmod(path, mode) {
      done.push(`chmod ${path} ${mode.toString(8)}`);
      if (failing.chmod) throw failing.chmod;
    },
  };
  return { calls, done };
}

Deno.test("removeReadOnly() clears the attribute of a refused file and removes it", () => {
  const { calls, done } = recording(0o100444);
  removeReadOnly("a", coded("EPERM"), calls);
  assert.deepEqual(done, ["chmod a 644", "remove a"]);
});

Deno.test("removeReadOnly() puts the attribute back when the file still cannot be removed", () => {
  const { calls, done } = recording(0o100444, { remove: coded("EBUSY") });
  assert.throws(() => removeReadOnly("a", coded("EACCES"), calls), { code: "EBUSY" });
  assert.deepEqual(done, ["chmod a 644", "remove a", "chmod a 444"]);
});

Deno.test("removeReadOnly() touches nothing that was refused for another reason", () => {
  for (
    const [mode, code] of [[0o100644, "EPERM"], [null, "EPERM"], [0o100444, "EBUSY"], [0o100444, "ENOENT"]] as const
  ) {
    const { calls, done } = recording(mode);
    assert.throws(() => removeReadOnly("a", coded(code), calls), { code });
    assert.deepEqual(done, []);
  }
});

Deno.test("removeReadOnly() throws the first refusal when the file may not be looked at or changed", () => {
  for (const failing of [{ mode: coded("ENOENT") }, { chmod: coded("EACCES") }]) {
    const { calls } = recording(0o100444, failing);
    assert.throws(() => removeReadOnly("a", coded("EPERM"), calls), { code: "EPERM" });
  }
});
