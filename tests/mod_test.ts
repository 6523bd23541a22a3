import assert from "node:assert/strict";
import { fromFileUrl, join, toFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** What `deno` writes, stdout before stderr, when it ends well. */
async function deno(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env: { NO_COLOR: "1" }, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  return text;
}

/** Sources of the public modules that have an example. */
async function withExamples(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await withExamples(path));
    else if (entry.name.endsWith(".ts") && /@example\b.*\n \* ```ts/.test(await Deno.readTextFile(join(ROOT, path)))) {
      found.push(path);
    }
  }
  return found.sort();
}

Deno.test("the public modules are documented to the last member", async () => {
  // Without npm: what zod documents of itself is not ours.
  assert.match(await deno("doc", "--lint", "--no-npm", "mod.ts", "testing/mod.ts"), /Checked 2 files/);
});

Deno.test("every example in the public modules runs", async () => {
  const files = [...await withExamples("core"), ...await withExamples("testing")];
  const text = await deno("test", "-A", "--cached-only", "--doc", ...files);
  const passed = Number(/(\d+) passed/.exec(text)?.[1]);
  assert.ok(passed >= files.length && passed > 15, text);
});

interface Documented {
  name: string;
  declarations: { kind: string; jsDoc?: { tags?: { kind: string }[] } }[];
}

Deno.test("every function and class of the public modules has an example", async () => {
  const without: string[] = [];
  for (const file of ["mod.ts", "testing/mod.ts"]) {
    const text = await deno("doc", "--json", "--no-npm", file);
    // Warnings stand behind the document.
    const { nodes } = JSON.parse(text.slice(0, text.lastIndexOf("\n}") + 2));
    const { symbols } = nodes[toFileUrl(join(ROOT, file)).href] as { symbols: Documented[] };
    for (const { name, declarations } of symbols) {
      for (const { kind, jsDoc } of declarations) {
        if (kind !== "function" && kind !== "class") continue;
        if (!jsDoc?.tags?.some((tag) => tag.kind === "example")) without.push(`${file} ${name}`);
      }
    }
  }
  assert.deepEqual(without, []);
});
