import assert from "node:assert/strict";
import type { AnyNotifier, AnySource, AnyStore, ListedEntry } from "../../core/contract.ts";
import { z } from "../../core/options.ts";
import { plugins } from "../../plugins/mod.ts";
import { s3 } from "../../plugins/stores/s3.ts";
import { World } from "../../testing/world.ts";
import { AT_START, fakeHost, MONTHLY } from "./schedulers/_host.ts";

/** Plugins of kinds with a suite of their own beside this one, by name. */
const CONFIGURED: AnyStore[] = [s3];

function described(plugin: AnyNotifier | AnySource | AnyStore): void {
  assert.ok(plugin.example.includes(`"${plugin.name}"`) || plugin.kind === "store", "the example uses the plugin");
  const { properties = {} } = z.toJSONSchema(plugin.options, { io: "input", unrepresentable: "any" });
  for (const [key, schema] of Object.entries(properties)) {
    assert.match(key, /^[a-z][a-z0-9_]*$/, "option names are snake_case");
    assert.match((schema as { description?: string }).description ?? "", /^.+\.$/s, `option ${key} is described`);
  }
}

for (const plugin of plugins) {
  Deno.test(`${plugin.kind} ${plugin.name} describes itself`, () => {
    assert.match(plugin.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    assert.match(plugin.summary, /^[A-Z].*\.$/, "a summary is one sentence");
    if (plugin.kind !== "standard" && plugin.kind !== "stage" && plugin.kind !== "scheduler") described(plugin);
  });

  if (plugin.kind === "standard") {
    Deno.test(`standard ${plugin.name} judges the same in every order, and never throws`, () => {
      const entries: ListedEntry[] = [
        { path: "a", kind: "directory" },
        { path: "a/b", kind: "file" },
        { path: "link", kind: "symlink" },
        { path: "", kind: "other" },
      ];
      const study = "20260115_lin_tonsil_panel1";
      const sorted = (list: readonly ListedEntry[]) =>
        plugin.check(study, list).map((found) => JSON.stringify(found)).sort();
      assert.deepEqual(sorted(entries), sorted(entries.toReversed()));
      assert.ok(plugin.check("", []).length > 0, "an empty study of no name is not accepted");
    });
  }

  if (plugin.kind === "scheduler") {
    Deno.test(`scheduler ${plugin.name} does the same twice, and undoes it to the end`, async () => {
      const { host, files, calls } = fakeHost();
      const opened = plugin.open(host);
      const account = plugin.account === undefined ? undefined : { user: "u", password: "p" };
      const first = await opened.register([MONTHLY, AT_START], account);
      const [once, ran] = [[...files], calls.length];
      assert.deepEqual(await opened.register([MONTHLY, AT_START], account), first);
      assert.deepEqual([[...files], calls.length], [once, 2 * ran]);
      assert.deepEqual(first.map(({ name, change }) => `${name} ${change}`), [
        "LabferryBackup registered",
        "LabferryMonitor registered",
      ]);
      assert.ok((await opened.unregister([MONTHLY, AT_START])).every(({ change }) => change === "removed"));
      assert.deepEqual([...files], []);
      assert.ok(plugin.advice([MONTHLY, AT_START]).length > 0);
    });
  }

  if (plugin.kind === "source" && plugin.yields === "tree") {
    Deno.test(`source ${plugin.name} yields the same items twice, sorted, and changes nothing`, async () => {
      await using world = await World.open();
      for (const name of ["c", "a", "b"]) world.study(name, { "x.txt": name });
      const before = JSON.stringify(world.fs.tree("/"));
      const seen: string[][] = [];
      for (let round = 0; round < 2; round++) {
        const pipeline = `name = "s"\nsummary = "s"\n[source]\nuse = "${plugin.name}"\n` +
          `with = { root = "\${paths.source_root}", idle = "1d" }\n[[stage]]\nuse = "health"\nwith = { on = "warn" }\n`;
        const report = await world.run({ pipeline, dryRun: true });
        assert.equal(report.exit_code, 0, JSON.stringify(report.error));
        seen.push(report.items.map((item) => item.name));
      }
      assert.deepEqual(seen, [["a", "b", "c"], ["a", "b", "c"]]);
      assert.equal(JSON.stringify(world.fs.tree("/")), before);
    });
  }
}

Deno.test("every registered store is run through the store suite of tests/integration", () => {
  const stores = plugins.filter((plugin) => plugin.kind === "store").map((plugin) => plugin.name);
  assert.deepEqual(stores.sort(), CONFIGURED.map((plugin) => plugin.name).sort());
});
