import assert from "node:assert/strict";
import type { AnyStage, StageFacts } from "../../../core/contract.ts";
import type { ExternalOrigin } from "../../../core/external/external_stage.ts";
import { pinHint } from "../../../core/lint/external.ts";
import { lintPipeline } from "../../../core/lint/safety.ts";
import { z } from "../../../core/options.ts";
import { compileText, fakeRegistry } from "../../kit/fake_stages.ts";

const FILE = "/etc/labferry/plugins/own.ts";

function found(origin: Partial<ExternalOrigin>, own: { effect?: AnyStage["effect"]; facts?: StageFacts }, before = "") {
  const plugin: AnyStage = {
    ...fakeRegistry().get("stage", "validate"),
    name: "own",
    options: z.object({}),
    effect: own.effect ?? "read",
    facts: () => own.facts ?? {},
  };
  const external = [{ plugin, origin: { file: FILE, sha256: "ab", pinned: false, ...origin } }];
  const registry = fakeRegistry([], { external });
  const text = `name = "p"
[source]
use = "idle-folders"
with = { root = "/s" }
[[stage]]
use = "lock"
[[stage]]
use = "copy"
id = "nas"
with = { to = "/nas/x" }
${before}[[stage]]
use = "own"
[[stage]]
use = "verify"
with = { place = "nas" }
`;
  const { pipeline, diagnostics } = compileText(text, { registry });
  return [...diagnostics, ...pipeline ? lintPipeline(pipeline) : []];
}

Deno.test("lint names the stage from outside that takes a fact away, and how the config vouches for it", () => {
  const [hashed] = found({}, {});
  assert.equal(hashed.code, "safety/missing-fact");
  assert.match(hashed.message, /stage "own" \(line 12\) takes it away: it may change any byte/);
  assert.ok(hashed.hint?.includes(`{ path = "${FILE}", sha256 = "ab", touches = [] }`), hashed.hint);
  assert.deepEqual(found({ pinned: true, touches: [] }, {}), []);
  assert.deepEqual(found({ pinned: true, touches: ["nas"] }, {}).map(({ code }) => code), ["safety/missing-fact"]);
});

Deno.test("lint counts no fact of a stage nobody vouches for, and says so", () => {
  const facts: StageFacts = { gives: [{ fact: "hashed" }, { fact: "written", place: "nas" }] };
  const warned = found({}, { facts }).find(({ code }) => code === "safety/facts-not-counted");
  assert.equal(warned?.severity, "warning");
  assert.match(
    warned?.message ?? "",
    /stage "own" of \/etc\/labferry\/plugins\/own\.ts says it gives \(hashed, written at "nas"\): its code may change any byte/,
  );
  assert.deepEqual(found({ pinned: true, touches: [] }, { facts }), []);
  const touching = found({ pinned: true, touches: ["nas"] }, { facts });
  assert.deepEqual(touching.map(({ code }) => code).sort(), ["safety/facts-not-counted", "safety/missing-fact"]);
});

Deno.test("lint refuses a place in touches that the pipeline does not write", () => {
  const [unknown] = found({ pinned: true, touches: ["nsa"] }, {});
  assert.equal(unknown.code, "safety/unknown-place");
  assert.match(unknown.hint ?? "", /did you mean "nas"/);
});

Deno.test("lint refuses a destroy by a stage nobody vouches for", () => {
  const own = { effect: "destroy", facts: { destroys: { place: "nas", places: 1 } } } as const;
  assert.ok(found({ pinned: true }, own).some(({ code }) => code === "safety/unpinned-destroy"));
  assert.ok(!found({ pinned: true, touches: [] }, own).some(({ code }) => code === "safety/unpinned-destroy"));
});

Deno.test("pinHint() writes a path as TOML takes it", () => {
  const origin = { sha256: "ab", pinned: true };
  assert.ok(pinHint({ ...origin, file: "C:\\lab\\x.ts" }).includes(`{ path = 'C:\\lab\\x.ts', sha256`));
  assert.ok(pinHint({ ...origin, file: "C:\\l'ab\\x.ts" }).includes(String.raw`{ path = "C:\\l'ab\\x.ts", sha256`));
});
