import assert from "node:assert/strict";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { tempDir } from "../kit/temp.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

const AMBIENT = `import { defineStage, z } from "labferry";
import { conformance } from "labferry/testing";

const stage = defineStage({
  kind: "stage",
  name: "peek",
  summary: "Looks past its ports.",
  takes: "tree",
  effect: "read",
  resume: "redo",
  options: z.strictObject({}),
  example: '[[stage]]\\nuse = "peek"\\n',
  open: () => ({
    async *plan() {
      yield { kind: "skip", why: await Deno.readTextFile("table.csv") };
    },
    apply: () => Promise.resolve(),
  }),
});
const isPlan = ({ name }) => name.includes("plans the same steps");
for (const check of conformance(stage).filter(isPlan)) Deno.test(check);
for (const check of conformance(stage, { permissions: { read: true } }).filter(isPlan)) {
  Deno.test({ ...check, name: "with the permission" });
}
`;

Deno.test("conformance() lets a stage do nothing past its ports, unless it is given the permission", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, "peek_test.ts");
  await Deno.writeTextFile(file, AMBIENT);
  await Deno.writeTextFile(join(dir.path, "table.csv"), "a,b");
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--cached-only", "--config", join(ROOT, "deno.json"), toFileUrl(file).href],
    cwd: dir.path,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 1, text);
  assert.match(text, /Requires read access to .*table\.csv/);
  assert.match(text, /with the permission \.\.\. ok/);
  assert.match(text, /1 passed \| 1 failed/);
});
