/** What a stage says of itself: name, summary, example, options. @module */
import assert from "node:assert/strict";
import { parse } from "@std/toml";
import type { AnyStage } from "../core/contract.ts";
import { z } from "../core/options.ts";
import type { NamedCheck } from "./conformance_run.ts";

/** The check of a stage's words. */
export function descriptionCheck(plugin: AnyStage): NamedCheck {
  // Asynchronous, so that what is wrong rejects.
  // deno-lint-ignore require-await
  return ["describes itself", async () => {
    assert.match(plugin.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "a name is lower-case words joined by hyphens");
    assert.match(plugin.summary, /^[A-Z].*\.$/, "a summary is one sentence");
    assert.ok(plugin.example.includes(`"${plugin.name}"`), "the example uses the stage");
    assertExampleFits(plugin);
    const { properties = {} } = z.toJSONSchema(plugin.options, { io: "input", unrepresentable: "any" });
    for (const [key, schema] of Object.entries(properties)) {
      assert.match(key, /^[a-z][a-z0-9_]*$/, "option names are snake_case");
      const { description } = schema as { description?: string };
      assert.match(description ?? "", /^.+\.$/s, `option ${key} is described in a sentence`);
    }
  }];
}

/** Every option the example sets is one the stage has. Values may be templates, which only a config can fill. */
function assertExampleFits(plugin: AnyStage): void {
  const tables = Object.values(parse(plugin.example)).flat() as { use?: string; with?: Record<string, unknown> }[];
  const table = tables.find(({ use }) => use === plugin.name);
  assert.ok(table, `the example is TOML with a table whose use is "${plugin.name}"`);
  for (const key of Object.keys(table.with ?? {})) {
    assert.ok(key in plugin.options.shape, `the example sets "${key}", which is no option`);
  }
}
