import assert from "node:assert/strict";
import type { CommandSpec } from "../../cli/command.ts";
import { helpText } from "../../cli/help.ts";
import { COMMANDS } from "../../cli/table.ts";

function* paths(commands: readonly CommandSpec[], above: string[] = []): Generator<[string[], CommandSpec]> {
  for (const spec of commands) {
    const path = [...above, spec.name];
    yield [path, spec];
    yield* paths(spec.subcommands ?? [], path);
  }
}

Deno.test("helpText() names every command with its summary", () => {
  const text = helpText(COMMANDS, [], 100);
  for (const [path, spec] of paths(COMMANDS)) {
    if (spec.load !== undefined) assert.ok(text.includes(`  ${path.join(" ")}`), path.join(" "));
  }
});

Deno.test("helpText() of each command shows usage, flags, exit codes and an example that parses", async () => {
  const { parseCommandLine } = await import("../../cli/parse.ts");
  for (const [path, spec] of paths(COMMANDS)) {
    const text = helpText(COMMANDS, path, 90);
    assert.match(text, new RegExp(`Usage: labferry ${path.join(" ")}`));
    for (const flag of spec.flags ?? []) assert.ok(text.includes(`--${flag.name}`), flag.name);
    if (spec.load === undefined) continue;
    assert.match(text, /Exit codes:\n {2}0 /);
    assert.match(text, / {2}3 {2,}an unexpected error/);
    assert.ok(spec.example?.startsWith(`labferry ${path.join(" ")}`), `example of ${path.join(" ")}`);
    const invocation = await parseCommandLine(spec.example!.split(" ").slice(1), COMMANDS);
    assert.equal(invocation.kind, "run");
  }
});

Deno.test("helpText() keeps to the width", () => {
  for (const [path] of paths(COMMANDS)) {
    for (const line of helpText(COMMANDS, path, 80).split("\n")) {
      assert.ok(line.length <= 84 || line.startsWith("  labferry ") || line.startsWith("Usage:"), line);
    }
  }
});

Deno.test("COMMANDS loads a module that exports run for every command", async () => {
  for (const [path, spec] of paths(COMMANDS)) {
    if (spec.load === undefined) continue;
    assert.equal(typeof (await spec.load()).run, "function", path.join(" "));
  }
});
