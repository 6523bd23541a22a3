import assert from "node:assert/strict";
import { basename, join } from "@std/path";
import { schedulerHost } from "../../cli/scheduler_host.ts";
import { PipelineError } from "../../core/errors.ts";
import { tempDir } from "../kit/temp.ts";

const host = schedulerHost({ env: Deno.env.toObject(), now: () => Date.parse("2026-01-15T12:00:00Z") });

Deno.test("schedulerHost().run() gives code and words, with the secrets taken out", async () => {
  const code = 'console.log("out", Deno.args[0]); console.error("err", Deno.args[0]); Deno.exit(5)';
  await using dir = await tempDir();
  const script = join(dir.path, "say.ts");
  await Deno.writeTextFile(script, code);
  const argv = [Deno.execPath(), "run", "--no-config", script, "pass$ word"] as const;
  const result = await host.run(argv, { secrets: ["pass$ word", ""] });
  assert.equal(result.code, 5);
  assert.match(result.output, /out \*\*\*\n[^]*err \*\*\*\n$/);
});

Deno.test("schedulerHost().run() names a program that is not there, and no argument", async () => {
  await assert.rejects(host.run(["labferry-no-such-program", "pass word"], { secrets: ["pass word"] }), (error) => {
    assert.ok(error instanceof PipelineError);
    assert.equal(error.code, "schedule/no-program");
    assert.match(error.message, /labferry-no-such-program/);
    assert.doesNotMatch(Deno.inspect(error), /pass word/);
    return true;
  });
});

Deno.test("schedulerHost().withFile() lends a file and takes it back, also after a failure", async () => {
  const seen: string[] = [];
  const look = (path: string) => {
    seen.push(path);
    assert.equal(basename(path), "a.xml");
    return Deno.readTextFile(path);
  };
  assert.equal(await host.withFile("a.xml", new TextEncoder().encode("x"), look), "x");
  const fail = async (path: string) => {
    await look(path);
    throw new RangeError("no");
  };
  await assert.rejects(host.withFile("a.xml", new Uint8Array(), fail), RangeError);
  for (const path of seen) assert.equal(await host.exists(path), false);
});
