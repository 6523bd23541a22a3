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

Deno.test({
  name: "whyNotRunnable() says so where it cannot tell whether a program is there, and goes on looking",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using dir = await tempDir();
    // A link that leads to itself is no file for any account, the one that may read all included.
    await Deno.symlink("round", join(dir.path, "round"));
    await Deno.mkdir(join(dir.path, "bin"));
    await Deno.writeTextFile(join(dir.path, "bin", "good"), "", { mode: 0o755 });
    const search = { env: { PATH: `${dir.path}/round:${dir.path}/bin` }, cwd: dir.path };
    const far = await whyNotRunnable("gone", search);
    assert.match(far?.why ?? "", /nobody can tell whether it is there: ".*round\/gone" cannot be looked at \(ELOOP\)$/);
    assert.doesNotMatch(far?.hint ?? "", /chmod/);
    assert.equal(await whyNotRunnable("good", search), undefined);
    const long = await whyNotRunnable("x".repeat(300), { ...search, env: { PATH: dir.path } });
    assert.match(long?.why ?? "", /nobody can tell.*\(ENAMETOOLONG\)$/);
  },
});

Deno.test({
  name: "whyNotRunnable() and whyDenied() know a folder that this account may not look into",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: async () => {
    await using dir = await tempDir();
    await Deno.mkdir(join(dir.path, "closed"));
    const file = join(dir.path, "closed", "mount.sh");
    await Deno.writeTextFile(file, "", { mode: 0o755 });
    await Deno.chmod(join(dir.path, "closed"), 0);
    const module = new URL("../../../core/io/programs.ts", import.meta.url);
    const code = `import { whyDenied, whyNotRunnable } from "${module}";
const search = { env: { PATH: "" }, cwd: "/" };
console.log(JSON.stringify([await whyNotRunnable("${file}", search), whyDenied("${file}")]));`;
    const wrap = ["--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"];
    const args = [...wrap, Deno.execPath(), "eval", "--no-check", code];
    const { stdout, stderr } = await new Deno.Command("setpriv", { args }).output();
    const found = JSON.parse(new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr));
    for (const { why, hint } of found) {
      assert.match(why, /nobody can tell whether it is there: ".*mount\.sh" cannot be looked at \(EACCES\)$/);
      assert.match(hint, /let this account read the folders above it/);
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
