import assert from "node:assert/strict";
import { compileArgs, EMBEDDED_WORKERS, entryText, executableName, TARGETS, targetsOf } from "../../tools/compile.ts";

Deno.test("targetsOf() knows this machine, one target, several and all five", () => {
  assert.deepEqual(targetsOf(undefined), []);
  assert.deepEqual(targetsOf("aarch64-apple-darwin,x86_64-pc-windows-msvc"), [
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
  ]);
  assert.deepEqual(targetsOf("all"), [...TARGETS]);
  assert.equal(TARGETS.length, 5);
  assert.throws(() => targetsOf("riscv64"), /Unknown target "riscv64", wanted one of x86_64-pc-windows-msvc/);
});

Deno.test("compileArgs() gives the compiled program all permissions and a frozen lock file", () => {
  const args = compileArgs("dist/labferry.exe", "dist/entry.ts", "x86_64-pc-windows-msvc");
  assert.deepEqual(args.slice(-3), ["--output", "dist/labferry.exe", "dist/entry.ts"]);
  assert.equal(args[args.indexOf("--target") + 1], "x86_64-pc-windows-msvc");
  for (const file of EMBEDDED_WORKERS) assert.equal(args[args.indexOf(file) - 1], "--include");
  for (const flag of ["-A", "--frozen"]) assert.ok(args.includes(flag), flag);
  assert.ok(!compileArgs("dist/labferry", "dist/entry.ts").includes("--target"));
});

Deno.test("executableName() ends in .exe for Windows only", () => {
  for (const target of TARGETS) assert.equal(executableName(target).endsWith(".exe"), target.includes("windows"));
});

Deno.test("entryText() tells the program its commit, where there is one", () => {
  assert.match(entryText("3beadbf41c2a+"), /^setCommit\("3beadbf41c2a\+"\);\nstart\(main\);$/m);
  assert.doesNotMatch(entryText(undefined), /setCommit\(/);
});
