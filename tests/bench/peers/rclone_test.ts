import assert from "node:assert/strict";
import { rcloneCommands } from "../../../bench/peers/rclone.ts";

Deno.test("rcloneCommands() copies, checks and hashes the copy, without a user's configuration", () => {
  const commands = rcloneCommands({ program: "rclone", from: "/a", to: "/b", sums: "/s" });
  assert.deepEqual(commands.map((argv) => argv[1]), ["copy", "check", "hashsum"]);
  for (const argv of commands) assert.equal(argv[argv.indexOf("--config") + 1], "");
  assert.deepEqual(commands[0].slice(-2), ["/a", "/b"]);
  assert.deepEqual(commands[2].slice(-3), ["--output-file", "/s", "/b"].slice(-3));
});
