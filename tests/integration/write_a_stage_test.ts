/** Everything on the page that shows how to write a stage is done as it stands there. */
import assert from "node:assert/strict";
import { dirname, fromFileUrl, join } from "@std/path";
import { tempDir } from "../kit/temp.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");
const PAGE = join(ROOT, "docs", "write_a_stage.md");

/** A fenced block: its language, the file it is a part of, and where it stands. */
interface Block {
  language: string;
  file?: string;
  text: string;
  line: number;
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map((
    { 1: language, 2: file, 3: text, index },
  ) => ({
    language,
    ...file === undefined ? {} : { file },
    text,
    line: page.slice(0, index).split("\n").length,
  }));
}

/** A folder with a config in it, a program `labferry`, and an idle study. */
async function laboratory() {
  const dir = await tempDir();
  const at = (path: string) => join(dir.path, ...path.split("/"));
  const study = "instrument/20260115_lin_tonsil_panel1";
  for (const folder of ["bin", "pipelines", "manifests", "shared/previews", study]) {
    await Deno.mkdir(at(folder), { recursive: true });
  }
  const config = `[paths]\nsource_root = "instrument"\nmanifest_root = "manifests"\n[backup]\nsettle_minutes = 0\n`;
  await Deno.writeTextFile(at("config.toml"), config);
  const program = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --no-check --cached-only "${ROOT}/cli.ts" "$@"\n`;
  await Deno.writeTextFile(at("bin/labferry"), program, { mode: 0o755 });
  await Deno.symlink(Deno.execPath(), at("bin/deno"));
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const [name, text] of [["overview.jpg", "small"], ["image.qptiff", "pixels"]]) {
    await Deno.writeTextFile(at(`${study}/${name}`), text);
    await Deno.utime(at(`${study}/${name}`), yesterday, yesterday);
  }
  const env = {
    LABFERRY: ROOT,
    LABFERRY_CONFIG: at("config.toml"),
    LABFERRY_STATE_DIR: at("state"),
    NO_COLOR: "1",
    PATH: `${at("bin")}:${Deno.env.get("PATH")}`,
  };
  return {
    at,
    async sh(text: string): Promise<string> {
      const command = new Deno.Command("sh", { args: ["-euc", text], cwd: dir.path, env, stdin: "null" });
      const { code, stdout, stderr } = await command.output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.equal(code, 0, `${text}\n${said}`);
      return said;
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

/** `…` stands for anything within a line. */
function lineWith(words: string): RegExp {
  const parts = words.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "m");
}

Deno.test({
  name: "docs/write_a_stage.md builds a stage that passes its test and runs in a pipeline",
  // Its commands are those of a POSIX shell.
  ignore: Deno.build.os === "windows",
  async fn() {
    await using lab = await laboratory();
    const files = new Map<string, string>();
    let said = "";
    let commands = 0;
    for (const { language, file, text, line } of blocksOf(await Deno.readTextFile(PAGE))) {
      if (file !== undefined) {
        files.set(file, (files.get(file) ?? "") + text);
        await Deno.mkdir(dirname(lab.at(file)), { recursive: true });
        await Deno.writeTextFile(lab.at(file), files.get(file) ?? "");
      } else if (language === "sh") {
        said = await lab.sh(text);
        commands++;
      } else if (language === "text") {
        for (const words of text.trimEnd().split("\n")) assert.match(said, lineWith(words), `line ${line} of the page`);
      }
    }
    assert.deepEqual([...files.keys()], [
      "plugins/share-previews.ts",
      "plugins/tests/share-previews_test.ts",
      "pipelines/previews.toml",
    ]);
    assert.equal(commands, 5, "a block of commands was not run");
    assert.equal(await Deno.readTextFile(lab.at("shared/previews/20260115_lin_tonsil_panel1/overview.jpg")), "small");
    await lab.sh(`deno lint --config "${join(ROOT, "deno.json")}" plugins`);
  },
});
