import assert from "node:assert/strict";
import fc from "fast-check";
import type { CommandSpec } from "../../cli/command.ts";
import { parseCommandLine } from "../../cli/parse.ts";
import { COMMANDS } from "../../cli/table.ts";
import { PipelineError } from "../../core/errors.ts";

async function parsed(...argv: string[]) {
  const invocation = await parseCommandLine(argv, COMMANDS);
  assert.equal(invocation.kind, "run");
  assert.ok(invocation.kind === "run");
  return invocation;
}

async function refused(argv: string[], code: string, message: RegExp, hint?: RegExp) {
  await assert.rejects(parseCommandLine(argv, COMMANDS), (error: unknown) => {
    assert.ok(error instanceof PipelineError);
    assert.equal(error.code, code);
    assert.equal(error.stopsRun, 2);
    assert.match(error.message, message);
    if (hint !== undefined) assert.match(error.hint ?? "", hint);
    return true;
  });
}

Deno.test("parseCommandLine() takes global flags before and after the command", async () => {
  for (
    const argv of [
      ["-v", "--log-format", "json", "--config", "c.toml", "--state-dir=s", "run", "backup", "--dry-run"],
      ["run", "--dry-run", "backup", "-v", "--log-format=json", "--config=c.toml", "--state-dir", "s"],
      ["--verbose", "run", "--config", "c.toml", "backup", "--log-format", "json", "--dry-run", "--state-dir", "s"],
    ]
  ) {
    const { args, globals } = await parsed(...argv);
    assert.deepEqual(globals, { verbose: true, quiet: false, logFormat: "json", config: "c.toml", stateDir: "s" });
    assert.equal(args.at("PIPELINE"), "backup");
    assert.equal(args.has("dry-run"), true);
  }
});

Deno.test("parseCommandLine() keeps words that look like numbers as words", async () => {
  const { args } = await parsed("validate", "study", "0123", "-f", "json");
  assert.equal(args.at("PATH"), "0123");
  assert.equal((await parsed("run", "backup", "--only", "20250131")).args.value("only"), "20250131");
});

Deno.test("parseCommandLine() takes --force with and without a stage", async () => {
  assert.equal((await parsed("run", "backup")).args.value("force"), undefined);
  assert.equal((await parsed("run", "--force", "backup")).args.value("force"), "");
  assert.equal((await parsed("run", "--force", "backup")).args.at("PIPELINE"), "backup");
  assert.equal((await parsed("run", "backup", "--force=s3")).args.value("force"), "s3");
});

Deno.test("parseCommandLine() takes what follows -- as it stands", async () => {
  const { args } = await parsed("validate", "study", "--", "--force");
  assert.equal(args.at("PATH"), "--force");
});

Deno.test("parseCommandLine() takes many words where the table says so", async () => {
  assert.deepEqual((await parsed("lint", "a", "b", "--json")).args.all("PIPELINE"), ["a", "b"]);
  assert.deepEqual((await parsed("lint")).args.all("PIPELINE"), []);
});

Deno.test("parseCommandLine() refuses unknown flags with the nearest", async () => {
  await refused(["run", "backup", "--dryrun"], "cli/unknown-flag", /"--dryrun"/, /did you mean --dry-run/);
  await refused(["--confg", "x", "run", "backup"], "cli/unknown-flag", /before a command/, /did you mean --config/);
  await refused(["run", "backup", "-z"], "cli/unknown-flag", /"-z"/);
  await refused(["run", "backup", "--no-dry-run"], "cli/unknown-flag", /"--no-dry-run"/);
  await refused(["run", "backup", "--only.x", "y"], "cli/unknown-flag", /"--only\.x"/);
});

Deno.test("parseCommandLine() refuses unknown commands with the nearest", async () => {
  await refused(["bakcup", "run"], "cli/unknown-command", /"bakcup"/, /did you mean "backup"/);
  await refused(["validate", "studdy", "x"], "cli/unknown-command", /"validate studdy"/, /did you mean "study"/);
  await refused(["help", "rnu"], "cli/unknown-command", /"rnu"/, /did you mean "run"/);
});

Deno.test("parseCommandLine() refuses missing, empty and superfluous arguments", async () => {
  await refused([], "cli/no-command", /no command/);
  await refused(["-v"], "cli/no-command", /no command/);
  await refused(["validate"], "cli/no-command", /wanted one of study, root/);
  await refused(["run"], "cli/missing-argument", /PIPELINE is missing/);
  await refused(["run", ""], "cli/empty-argument", /PIPELINE/);
  await refused(["run", "a", "b"], "cli/unexpected-argument", /unexpected argument "b"/);
});

Deno.test("parseCommandLine() refuses bad values of flags", async () => {
  await refused(["run", "a", "--log-format", "xml"], "cli/bad-value", /wanted text or json/);
  await refused(["validate", "study", "x", "-f", "yaml"], "cli/bad-value", /--format "yaml"/);
  await refused(["run", "a", "--config"], "cli/missing-value", /--config/);
  await refused(["run", "a", "--config", "--dry-run"], "cli/missing-value", /--config/);
  await refused(["run", "a", "--only", "x", "--only", "y"], "cli/twice", /2 times/);
  await refused(["run", "a", "--dry-run=false"], "cli/no-value", /takes no value/);
  await refused(["--verbose=no", "run", "a"], "cli/no-value", /takes no value/);
});

Deno.test("parseCommandLine() finds help and version wherever they stand", async () => {
  const kind = async (...argv: string[]) => await parseCommandLine(argv, COMMANDS);
  assert.deepEqual(await kind("--version"), { kind: "version" });
  assert.deepEqual(await kind("run", "--version"), { kind: "version" });
  assert.deepEqual(await kind("--help"), { kind: "help", command: [] });
  assert.deepEqual(await kind("help"), { kind: "help", command: [] });
  assert.deepEqual(await kind("run", "-h"), { kind: "help", command: ["run"] });
  assert.deepEqual(await kind("--help", "run"), { kind: "help", command: ["run"] });
  assert.deepEqual(await kind("validate", "--help"), { kind: "help", command: ["validate"] });
  assert.deepEqual(await kind("validate", "study", "--help"), { kind: "help", command: ["validate", "study"] });
  assert.deepEqual(await kind("help", "validate", "root"), { kind: "help", command: ["validate", "root"] });
});

Deno.test("parseCommandLine() refuses a flag of a sibling sub-command", async () => {
  const commands: CommandSpec[] = [{
    name: "pet",
    summary: "",
    log: "stderr",
    subcommands: [
      { name: "cat", summary: "", log: "stderr", flags: [{ name: "purr", summary: "" }] },
      { name: "dog", summary: "", log: "stderr", flags: [{ name: "bark", summary: "" }] },
    ],
  }];
  assert.equal((await parseCommandLine(["pet", "--bark", "dog"], commands)).kind, "run");
  await assert.rejects(parseCommandLine(["pet", "cat", "--bark"], commands), { code: "cli/unknown-flag" });
});

Deno.test("parseCommandLine() only ever throws errors of usage", async () => {
  const word = fc.oneof(
    fc.constantFrom(
      "run",
      "validate",
      "study",
      "--",
      "-",
      "--only",
      "--force",
      "-f",
      "json",
      "--help",
      "help",
      "-vq",
      "=",
      "--=",
    ),
    fc.string({ unit: "binary" }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (argv) => {
      try {
        const { kind } = await parseCommandLine(argv, COMMANDS);
        assert.ok(["run", "help", "version"].includes(kind));
      } catch (error) {
        assert.ok(error instanceof PipelineError, String(error));
        assert.equal(error.stopsRun, 2);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("words left over beside a secret flag are not repeated: they may be part of a password", async () => {
  for (
    const argv of [
      ["install", "tasks", "--password=correct", "horse"],
      ["install", "tasks", "--password", "correct", "horse"],
      ["install", "horse", "--password", "correct"],
    ]
  ) {
    await assert.rejects(parseCommandLine(argv, COMMANDS), (error: Error & { hint?: string }) => {
      assert.doesNotMatch(`${error.message} ${error.hint}`, /horse|correct/);
      return /^cli\/un/.test((error as unknown as { code: string }).code);
    });
  }
});
