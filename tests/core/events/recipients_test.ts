import assert from "node:assert/strict";
import { join } from "@std/path";
import { parseRecipients, recipientsOf } from "../../../core/events/recipients.ts";
import { assertLinear } from "../../kit/growth.ts";

Deno.test("parseRecipients() takes one address a line, without comments, each once", () => {
  const text = "\ufeff# on call\r\nops@lab\r\n\r\n  Manager@Lab.example  # until May\nmanager@lab.example\n#x@y.z\n";
  assert.deepEqual(parseRecipients(text), { to: ["ops@lab", "Manager@Lab.example"], wrong: [] });
  assert.deepEqual(parseRecipients(""), { to: [], wrong: [] });
});

Deno.test("parseRecipients() names what is no address, by its line", () => {
  const wrong = [
    "ops",
    "@lab.example",
    "a b@c.d",
    "a@b@c",
    "<a@b.c>",
    "a@b.c, d@e.f",
    "a@-",
    "a@b.c;",
    'Bob "x" b@c.d',
    "a\u0007b@c.d",
    "a\u200bb@c.d",
    "a..b@c.d",
    ".a@c.d",
    "a.@c.d",
    "a@c..d",
    "a@.c",
    "a@c-.d",
    "a\ufffd@c.d",
    "a\udcfc@c.d",
  ];
  const found = parseRecipients(["good@lab.example", ...wrong].join("\n"));
  assert.deepEqual(found.to, ["good@lab.example"]);
  assert.deepEqual(
    found.wrong.map(({ line, text }) => [line, text]),
    wrong.map((text, at) => [at + 2, text.toWellFormed()]),
  );
});

Deno.test("recipientsOf() falls back to the default list where the event's own is missing or names nobody", async () => {
  const files: Record<string, string> = {};
  const readText = (path: string) =>
    path === "/r" ? Promise.reject(new Error("it is a folder")) : Promise.resolve(files[path]);
  const of = (event: string) => recipientsOf(event, { folder: "/r", readText });
  const [own, fallback] = [join("/r", "backup_failure.txt"), join("/r", "default.txt")];
  assert.deepEqual(await of("backup_failure"), { to: [], problems: [] });
  files[fallback] = "all@lab";
  assert.deepEqual(await of("backup_failure"), { to: ["all@lab"], file: fallback, problems: [] });
  files[own] = "# nobody\n";
  assert.deepEqual((await of("backup_failure")).to, ["all@lab"]);
  files[own] = "nonsense\n";
  const found = await of("backup_failure");
  assert.deepEqual(found.to, ["all@lab"]);
  assert.deepEqual(found.problems, [`${own}, line 1: "nonsense" is no address, wanted one plain address a line`]);
  files[own] = "ops@lab\n";
  assert.deepEqual(await of("backup_failure"), { to: ["ops@lab"], file: own, problems: [] });
});

Deno.test("S18 recipientsOf() takes no folder of lists for no answer", async () => {
  const files: Record<string, string> = {};
  const of = () => recipientsOf("backup_failure", { folder: "/r", readText: (path) => Promise.resolve(files[path]) });
  await assert.rejects(of, { code: "notify/no-lists", message: /"\/r": nothing is there, wanted a folder/ });
  files["/r"] = "";
  await assert.rejects(of, { code: "notify/no-lists", message: /"\/r": it is a file, wanted a folder/ });
});

Deno.test("recipientsOf() looks again where a list is empty or nobody is found: it may be being saved", async () => {
  const own = join("/r", "backup_failure.txt");
  const good = "ops@lab\n";
  for (const during of ["", undefined]) {
    for (const fallback of [undefined, "all@lab\n"]) {
      const files: Record<string, string | undefined> = { [own]: during, [join("/r", "default.txt")]: fallback };
      let waits = 0;
      const readText = (path: string) =>
        path === "/r" ? Promise.reject(new Error("it is a folder")) : Promise.resolve(files[path]);
      const whileSaved = () => Promise.resolve(void (waits++, files[own] = good));
      const { to } = await recipientsOf("backup_failure", { folder: "/r", readText, whileSaved });
      // Where another list stands for one that is not there, somebody is told: nobody waits for that.
      const isTold = during === undefined && fallback !== undefined;
      assert.deepEqual([to, waits], isTold ? [["all@lab"], 0] : [["ops@lab"], 1]);
    }
  }
});

Deno.test("parseRecipients() takes a time that grows with the list and no faster", () => {
  assertLinear(parseRecipients);
});
