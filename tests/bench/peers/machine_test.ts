import assert from "node:assert/strict";
import { describeMachine, mountKind } from "../../../bench/peers/machine.ts";
import { tempDir } from "../../kit/temp.ts";

Deno.test("mountKind() finds the deepest mount, the last of several on one point, and escaped names", () => {
  const mounts = "overlay / overlay rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sda /tmp ext4 rw 0 0\n" +
    "nas /mnt/my\\040nas cifs rw 0 0\nx /tmpfoo xfs rw 0 0\n";
  assert.equal(mountKind(mounts, "/tmp/a/b"), "ext4");
  assert.equal(mountKind(mounts, "/tmp"), "ext4");
  assert.equal(mountKind(mounts, "/tmpfo"), "overlay");
  assert.equal(mountKind(mounts, "/mnt/my nas/x"), "cifs");
  assert.equal(mountKind("", "/x"), "unknown");
});

Deno.test("describeMachine() says what the figures were measured on", async () => {
  await using dir = await tempDir();
  const machine = await describeMachine(dir.path);
  assert.ok(machine.cores >= 1 && machine.memoryBytes > 2 ** 28);
  assert.equal(machine.deno, Deno.version.deno);
  assert.notEqual(machine.fileSystem, "");
});
