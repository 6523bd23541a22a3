import assert from "node:assert/strict";
import { join } from "@std/path";
import { commandLine, programFiles, whyNotRunnable } from "../../../core/io/programs.ts";
import { tempDir } from "../../kit/temp.ts";

Deno.test("commandLine() shows where a word with blanks begins and ends", () => {
  assert.equal(commandLine(["/bin/sh", "-c", "exit 7", ""]), "/bin/sh -c 'exit 7' ''");
});

Deno.test({
  name: "whyNotRunnable() finds a program by its path and on PATH, and tells absent from not executable",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using dir = await tempDir();
    const search = { env: { PATH: `/nowhere:${dir.path}` }, cwd: dir.path };
    await Deno.writeTextFile(join(dir.path, "good"), "", { mode: 0o755 });
    await Deno.writeTextFile(join(dir.path, "bad"), "", { mode: 0o644 });
    await Deno.mkdir(join(dir.path, "folder"));
    for (const name of ["good", "./good", join(dir.path, "good")]) {
      assert.equal(await whyNotRunnable(name, search), undefined, name);
    }
    for (const name of ["bad", join(dir.path, "bad")]) {
      assert.match((await whyNotRunnable(name, search))?.why ?? "", /not executable/, name);
    }
    assert.equal((await whyNotRunnable("gone", search))?.why, "there is no such program on PATH");
    for (const name of ["./gone", "./folder"]) {
      assert.equal((await whyNotRunnable(name, search))?.why, "there is no such program", name);
    }
  },
});

Deno.test("programFiles() looks where each system does, with the endings of Windows", () => {
  const windows = {
    env: { Path: "C:\\Tools;;D:\\bin", PATHEXT: ".EXE;.CMD" },
    cwd: "C:\\lab",
    system: "windows" as const,
  };
  assert.deepEqual(programFiles("mount", windows), [
    "C:\\Tools\\mount",
    "C:\\Tools\\mount.EXE",
    "C:\\Tools\\mount.CMD",
    "D:\\bin\\mount",
    "D:\\bin\\mount.EXE",
    "D:\\bin\\mount.CMD",
  ]);
  assert.deepEqual(programFiles("tools/mount.cmd", windows)[0], "C:\\lab\\tools\\mount.cmd");
  const posix = { env: { PATH: "/usr/bin:/bin" }, cwd: "/lab", system: "posix" as const };
  assert.deepEqual(programFiles("mount", posix), ["/usr/bin/mount", "/bin/mount"]);
  assert.deepEqual(programFiles("./mount", posix), ["/lab/mount"]);
});
