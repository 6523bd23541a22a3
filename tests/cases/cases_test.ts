import { parse } from "@std/toml";
import { join } from "@std/path";
import { runCase } from "../../testing/case_file.ts";

const root = import.meta.dirname ?? ".";

for (const entry of [...Deno.readDirSync(root)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!entry.isDirectory) continue;
  const folder = join(root, entry.name);
  const { summary } = parse(Deno.readTextFileSync(join(folder, "case.toml")));
  Deno.test(`case ${entry.name}: ${summary}`, () => runCase(folder));
}
