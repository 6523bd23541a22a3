import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { resolve } from "@std/path";
import { PipelineError } from "../../core/errors.ts";
import type { RunContext, WriteContext } from "../../core/ports.ts";
import { hook } from "../../stages/hook.ts";
import { NAS_ROOT } from "../../testing/world.ts";
import { assertDone, COPY, itemOf, LOCK, pipelineOf, stageOf, studyWorld } from "./_stage_world.ts";

const hookWith = (options: string) => `[[stage]]\nuse = "hook"\nwith = { ${options} }\n`;
const fail = () => {
  throw new PipelineError("hook/failed", `Cannot run "mount": it ended with code 3`);
};

Deno.test("hook.apply() runs the program by its argument list", async () => {
  await using world = await studyWorld();
  const seen: (readonly string[])[] = [];
  world.onExec = (argv) => void seen.push(argv);
  assertDone(await world.run({ pipeline: pipelineOf(hookWith(`argv = ["notify", "a b", "\${item.name}"]`)) }));
  assert.deepEqual(seen, [["notify", "a b", "study1"]]);
});

Deno.test("hook.plan() without a program is a skip", async () => {
  await using world = await studyWorld();
  world.onExec = fail;
  const report = await world.run({ pipeline: pipelineOf(hookWith("")) });
  assertDone(report);
  assert.equal(stageOf(report, "hook").outcome, "skipped");
});

Deno.test("hook.apply() fails the item, or warns with on_error", async () => {
  await using world = await studyWorld();
  world.onExec = fail;
  const report = await world.run({ pipeline: pipelineOf(hookWith(`argv = ["mount"]`)) });
  assert.deepEqual([report.exit_code, itemOf(report).error?.code], [1, "hook/failed"]);
  assert.match(itemOf(report).error?.hint ?? "", /output is in the log/);
  assertDone(await world.run({ pipeline: pipelineOf(hookWith(`argv = ["mount"], on_error = "warn"`)) }));
  assert.ok(world.log.lines.some(({ level, message }) => level === "warn" && message.includes("code 3")));
});

Deno.test("hook names the key of the config that names its program, and what can be done there", async () => {
  const error = await failureOf({ hooks: { backup: ["mount", "nas"], cleanup: ["mount", "nas"] } });
  assert.match(error.message, /^Cannot run \[hooks\] backup, "mount nas": it ran and ended with exit code 7/);
  assert.match(error.hint ?? "", /\[hooks\] backup in the config/);
  const own = await failureOf({ hooks: { backup: ["another"] } });
  assert.match(own.message, /^Cannot run "mount nas": /);
  assert.doesNotMatch(own.hint ?? "", /in the config/);

  async function failureOf(config: RunContext["config"]): Promise<PipelineError> {
    const run = { config, pipeline: "backup" } as RunContext;
    const opened = await hook.open(hook.options.parse({ argv: ["mount", "nas"] }), run);
    const ctx = {
      exec: () =>
        Promise.reject(new PipelineError("hook/failed", `Cannot run "mount nas": it ran and ended with exit code 7`)),
      signal: new AbortController().signal,
    } as unknown as WriteContext;
    try {
      await opened.apply({ kind: "todo", id: "run", summary: "", data: null }, ctx);
    } catch (error) {
      assert.ok(error instanceof PipelineError);
      return error;
    }
    return assert.fail("the hook did not fail");
  }
});

Deno.test("hook in [[before]] that fails ends the run with exit 1 before anything starts", async () => {
  await using world = await studyWorld();
  world.onExec = fail;
  const before = `[[before]]\nuse = "hook"\nwith = { argv = ["mount"] }\n`;
  const report = await world.run({ pipeline: pipelineOf(before, LOCK, COPY) });
  assert.deepEqual([report.exit_code, report.error?.code, report.items], [1, "hook/failed", []]);
  assert.deepEqual(world.files(NAS_ROOT), {});
});

Deno.test("hook.facts() kills everything unless the program is pinned and says what it touches", () => {
  const facts = (options: Record<string, unknown>) => hook.facts?.(hook.options.parse(options), "hook")?.kills;
  const sha256 = "0".repeat(64);
  assert.equal(facts({ argv: ["x"] }), "everything");
  assert.equal(facts({ argv: ["x"], sha256 }), "everything");
  assert.deepEqual(facts({ argv: ["x"], sha256, touches: [] }), []);
  assert.deepEqual(facts({ argv: ["x"], sha256, touches: ["truenas"] }), [{ fact: "written", place: "truenas" }]);
});

Deno.test("hook.apply() starts a pinned program only when it and the files it is given have their hashes", async () => {
  await using world = await studyWorld();
  let started = 0;
  world.onExec = () => void started++;
  world.fs.seed({ "/state/tool": "#!tool", "/state/script": "echo", [resolve("script.sh")]: "rm" });
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");
  const run = async (options: string) =>
    itemOf(await world.run({ pipeline: pipelineOf(hookWith(options)) })).error?.code;
  const pin = `sha256 = "${sha("#!tool")}", touches = []`;
  assert.equal(await run(`argv = ["/state/tool", "--fast"], ${pin}`), undefined);
  assert.equal(await run(`argv = ["tool"], ${pin}`), "hook/not-pinned");
  assert.equal(await run(`argv = ["/state/tool", "/state/script"], ${pin}`), "hook/not-pinned");
  assert.equal(await run(`argv = ["/state/tool", "script.sh"], ${pin}`), "hook/not-pinned");
  assert.equal(await run(`argv = ["/state/tool"], sha256 = "${sha("other")}", touches = []`), "hook/changed");
  const both = `pins = { "/state/script" = "${sha("echo")}" }`;
  assert.equal(await run(`argv = ["/state/tool", "/state/script"], ${both}, ${pin}`), undefined);
  assert.equal(started, 2);
});
