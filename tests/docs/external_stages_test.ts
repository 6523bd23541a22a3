import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

Deno.test("external_stages.md names every code of the area plugins, and no other", async () => {
  const page = await Deno.readTextFile(`${ROOT}docs/external_stages.md`);
  const inPage = new Set([...page.matchAll(/^\| `(plugins\/[a-z-]+)`/gm)].map(([, code]) => code));
  const inSource = new Set<string>();
  for (const folder of ["core/external", "core/run"]) {
    for await (const { name } of Deno.readDir(ROOT + folder)) {
      const text = name.endsWith(".ts") ? await Deno.readTextFile(`${ROOT}${folder}/${name}`) : "";
      for (const [, code] of text.matchAll(/"(plugins\/[a-z-]+)"/g)) inSource.add(code);
    }
  }
  assert.ok(inSource.size > 10);
  assert.deepEqual([...inPage].sort(), [...inSource].sort());
});
