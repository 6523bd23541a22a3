import assert from "node:assert/strict";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import { renderDiagnostics } from "../../core/pipeline/diagnostic.ts";
import { readCase } from "../../testing/case_file.ts";
import type { PipelineFinder } from "../../testing/case_pipelines.ts";
import { type CaseResult, runCase } from "../../testing/case_run.ts";

const COPY = `name = "copy"
[source]
use  = "idle-folders"
with = { root = "\${paths.source_root}", idle = "\${backup.idle_days}d" }
[[before]]
use  = "hook"
with = { argv = "\${hooks.backup}" }
[[stage]]
use  = "copy"
id   = "second"
with = { to = "\${env.SECOND}" }
[[stage]]
use  = "verify"
with = { place = "second" }
`;

const FINDER: PipelineFinder = {
  find(name) {
    const text = name === "copy" ? COPY : EMBEDDED_PRESETS[name];
    return Promise.resolve(text === undefined ? undefined : { text, file: `${name}.toml`, origin: "file" });
  },
  names: () => Promise.resolve(["copy", "backup"]),
};

async function play(text: string, file = "copy.x.case.toml"): Promise<CaseResult> {
  const { read, diagnostics } = readCase({ file, text });
  assert.ok(read, renderDiagnostics(diagnostics));
  return await runCase(read, { finder: FINDER });
}

const WORLD = `summary = "s"
places = ["/second"]
env = { SECOND = "/second" }
[config.hooks]
backup = ["mount", "it"]
[studies.a]
files = { "x.txt" = "alpha", "big.bin" = { size = "1 KiB" } }
`;

Deno.test("runCase() runs a pipeline in the places, the environment and the config of the case", async () => {
  const result = await play(`${WORLD}
[[run]]
exit_code = 0
hooks = [["mount", "it"]]
[run.items]
a = { outcome = "done", stages = { second = "done", verify = "done" } }
[end]
source = ["a/"]
nas = []
[end.places."/second"]
"a/x.txt" = "alpha"
"a/big.bin" = { sha256 = "785b0751fc2c53dc14a4ce3d800e69ef9ce1009eb327ccf458afe09c242c26c9" }
`);
  // The hash of what a size stands for is not known beforehand: everything else is as it should be.
  assert.deepEqual(result.failures.map(({ what }) => what), ["end: places /second"]);
  const [{ line, wanted, found }] = result.failures;
  assert.equal(line, 17);
  assert.equal(wanted[1], found[1]);
  assert.match(found[0], /^a\/big\.bin {2}1024 bytes, sha256 [0-9a-f]{64}$/);
  assert.equal(result.runs.length, 1);
});

Deno.test("runCase() tells every expectation that is not met, with the line that says it", async () => {
  const { failures } = await play(`${WORLD}
[[run]]
exit_code = 1
error = "place/lost"
hooks = []
events = ["backup_failure"]
mails = [{ to = "a@b" }]
[run.items]
a = { outcome = "failed", stage = "verify", error = "verify/mismatch", stages = { verify = "failed" } }
b = "done"
[end]
source = ["a/x.txt"]
nas = { "a/x.txt" = "beta" }
bucket = ["a/x.txt"]
[end.ledger]
a = "complete"
`);
  assert.deepEqual(failures.map(({ line, what }) => `${line} ${what}`), [
    "10 run 1: exit_code",
    "11 run 1: error",
    "15 run 1: items",
    "12 run 1: hooks",
    "14 run 1: mails",
    "13 run 1: events",
    "19 end: source",
    "20 end: nas",
    "21 end: bucket",
    "22 end: ledger",
  ]);
  const [, , items] = failures;
  assert.deepEqual(items.wanted, ["a: failed in verify [verify/mismatch]", "a, stage verify: failed", "b: done"]);
  assert.deepEqual(items.found, ["a: done", "a, stage verify: done"]);
});

Deno.test("runCase() fails a case in which something did not happen, or could not", async () => {
  const { failures } = await play(`${WORLD}
[[run]]
exit_code = 0
[[run.meanwhile]]
after = "verify"
item = "nobody"
crash = "kill"
[[run.meanwhile]]
before = "verify"
steps = 100000
crash = "kill"
[[run.meanwhile]]
s3_lost_response = "put"
[[run.meanwhile]]
remove = ["source/a/not-there.txt"]
`);
  assert.deepEqual(failures.map(({ line, found }) => [line, found[0].replace(/:.*/, "")]), [
    [11, "its moment never came"],
    [15, "its moment never came"],
    [19, "its moment never came"],
    [21, "ENOENT"],
  ]);
});

Deno.test("runCase() stops the machine at a step of a run, whichever it is, and the next run finishes", async () => {
  for (const [steps, crash] of [[1, "kill"], [10, "power"], [25, "power"], [40, "kill"]] as const) {
    const { failures } = await play(`${WORLD}
[[run]]
exit_code = "crash"
[[run.meanwhile]]
steps = ${steps}
crash = "${crash}"
[[run]]
exit_code = 0
[run.items.a]
outcome = "done"
`);
    assert.deepEqual(failures, [], `${steps} ${crash}`);
  }
});

Deno.test("runCase() says which stage, pipeline or option is not there, and runs nothing", async () => {
  const one = async (text: string, file?: string) => {
    const { diagnostics, runs } = await play(text, file);
    assert.deepEqual(runs, []);
    return renderDiagnostics(diagnostics);
  };
  assert.match(
    await one(`${WORLD}[[run]]\nexit_code = 0\n[[run.meanwhile]]\nafter = "secnd"\ncrash = "kill"\n`),
    /^copy\.x\.case\.toml:11:9: error case\/unknown-stage: [^]*did you mean "second"$/,
  );
  assert.match(
    await one(`${WORLD}[[run]]\nexit_code = 0\nitems = { a = { outcome = "done", stages = { verfy = "done" } } }\n`),
    /:10:46: error case\/unknown-stage: [^]*did you mean "verify"$/,
  );
  assert.match(
    await one(`${WORLD}[options.verfy]\nplace = "second"\n[[run]]\nexit_code = 0\n`),
    /:8:10: error case\/unknown-stage: [^]*did you mean "verify"$/,
  );
  assert.match(
    await one(`summary = "s"\npipeline = "cpoy"\n[[run]]\nexit_code = 0\n`),
    /:2:12: error case\/unknown-pipeline: [^]*did you mean "copy"$/,
  );
  // The option is the case's, what it breaks is the pipeline's.
  assert.match(
    await one(`${WORLD}[options.verify]\nplace = "third"\n[[run]]\nexit_code = 0\n`),
    /^copy\.toml with the options of copy\.x\.case\.toml:\d+:\d+: error /,
  );
});

Deno.test("runCase() looks at what is where behind each run, also of one that has no end", async () => {
  const { failures } = await play(`${WORLD}
[[run]]
exit_code = "crash"
[run.end]
source = ["a/"]
nas = ["x"]
[run.end.places]
"/second" = ["a/big.bin"]
[[run.meanwhile]]
there = "/second/a/big.bin"
crash = "kill"
[[run]]
exit_code = 0
[end.places]
"/second" = ["a/big.bin", "a/x.txt"]
`);
  assert.deepEqual(failures.map(({ line, what }) => `${line} ${what}`), ["13 run 1: nas"]);
});

Deno.test("runCase() plans without changing anything in a dry run", async () => {
  const { failures } = await play(`${WORLD}
[[run]]
dry_run = true
exit_code = 0
hooks = []
items = { a = "done" }
[end]
source = ["a/"]
[end.places]
"/second" = []
`);
  assert.deepEqual(failures, []);
});
