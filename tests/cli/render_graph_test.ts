import assert from "node:assert/strict";
import { builtinRegistry } from "../../cli/project.ts";
import { renderGraph } from "../../cli/render_graph.ts";
import { compilePipeline } from "../../core/pipeline/compile.ts";
import { loadConfig } from "../../core/pipeline/config.ts";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";

const CONFIG = `[paths]
source_root = "/data"
truenas_root = "/nas"
manifest_root = "/ledger"
[s3]
bucket = "b"
prefix = "p"
`;

function graph(text: string): string[] {
  const { loaded: config } = loadConfig({ path: "/etc/labferry/config.toml", text: CONFIG, system: "posix" });
  assert.ok(config);
  const compiled = compilePipeline({ text, file: "p.toml", config, registry: builtinRegistry(), env: {} });
  assert.ok(compiled.pipeline, JSON.stringify(compiled.diagnostics));
  return renderGraph(compiled.pipeline).split("\n").map((line) => line.trim());
}

const BACKUP = EMBEDDED_PRESETS.backup;

Deno.test("renderGraph() draws stages in their order, places, and what each stage counts on", () => {
  const lines = graph(BACKUP);
  assert.equal(lines[0], "flowchart TB");
  for (
    const line of [
      `source(["idle-folders"])`,
      `stage4["truenas<br/>(copy)"]`,
      `place_truenas[("truenas<br/>/nas")]`,
      `place_s3[("s3<br/>s3://b/p/")]`,
      "before --> source",
      "source --> stage1",
      "stage8 --> stage9",
      `stages -. "an item fails" .-> failed`,
      `stage4 == "writes" ==> place_truenas`,
      `stage4 -. "hashed, written at truenas" .-> stage5`,
      `stage7 -. "proved at s3, sealed at s3" .-> stage8`,
      `stage2 -. "locked" .-> stage9`,
      `stage8 -. "recorded" .-> stage9`,
      `stage9 == "removes" ==> source`,
      "class stage9 destroys",
    ]
  ) assert.ok(lines.includes(line), line);
});

Deno.test("renderGraph() draws no evidence that is taken away, or that may lack", () => {
  const hook = `[[stage]]\nuse = "hook"\nid = "zip"\nwith = { argv = ["zip"] }\n\n[[stage]]\nuse  = "delete"`;
  const killed = graph(BACKUP.replace(`[[stage]]\nuse  = "delete"`, hook));
  assert.deepEqual(killed.filter((line) => line.includes(".-> stage10")), [`stage2 -. "locked" .-> stage10`]);
  const weak = graph(BACKUP.replace(`use  = "verify"`, `use  = "verify"\non_error = "warn"`));
  assert.ok(weak.includes(`stage5["verify<br/>may fail"]`));
  assert.ok(weak.every((line) => !line.startsWith("stage5 -.")));
  assert.ok(weak.includes("class stage5 mayFail"));
});

Deno.test("renderGraph() follows after, and lets no name break out of its label", () => {
  const lines = graph(`name = "p"
[source]
use = "idle-folders"
with = { root = "/data" }
[[stage]]
use = "lock"
[[stage]]
use = "copy"
id = "end"
after = []
with = { to = '/x "<b> #1; & y' }
[[stage]]
use = "verify"
after = ["lock", "end"]
with = { place = "end" }
`);
  for (const line of ["source --> stage1", "source --> stage2", "stage1 --> stage3", "stage2 --> stage3"]) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(lines.includes(`place_end[("end<br/>/x #34;#60;b#62; #35;1#59; #38; y")]`), lines.join("\n"));
});
