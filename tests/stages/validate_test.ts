import assert from "node:assert/strict";
import type { StandardPlugin } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import type { Finding } from "../../core/errors.ts";
import { phenocycler } from "../../plugins/standards/phenocycler.ts";
import { validate } from "../../stages/validate.ts";
import { planStage, treeItem } from "./_read_stage.ts";
import type { PlainEntry } from "./_read_stage.ts";

const NAME = "20250131_ada_kidney_b1";
const GOOD: PlainEntry[] = [
  { path: NAME, kind: "directory" },
  { path: `${NAME}.xpd`, kind: "file" },
  { path: `${NAME}/Scan1`, kind: "directory" },
  { path: `${NAME}/Scan1/.temp`, kind: "directory" },
  { path: `${NAME}/Scan1/a.qptiff`, kind: "file" },
];

async function findingsOf(
  name: string,
  entries: PlainEntry[],
  standard: StandardPlugin = phenocycler,
): Promise<Finding[]> {
  try {
    const { steps } = await planStage(validate, { standard: standard.name }, {
      item: treeItem(name),
      entries,
      standards: [standard],
    });
    assert.deepEqual(steps, []);
    return [];
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error));
    assert.equal(error.code, "validate/nonconforming");
    return [...error.findings];
  }
}

Deno.test("validate.plan() names the first finding in its message, for the ledger and the log", async () => {
  const strange = ["1.txt", "2.txt", "3.txt", "4.txt", "5.txt"].map((path): PlainEntry => ({ path, kind: "file" }));
  const planned = planStage(validate, {}, {
    item: treeItem(NAME),
    entries: [...GOOD, ...strange],
    standards: [phenocycler],
  });
  await assert.rejects(planned, /it breaks the standard phenocycler: R5 .*1\.txt.*; and 4 more/);
});

Deno.test("validate.plan() passes a conforming study and plans no step", async () => {
  assert.deepEqual(await findingsOf(NAME, GOOD), []);
});

Deno.test("validate.plan() fails with every finding at once", async () => {
  const findings = await findingsOf("20250231_a_b_c", [...GOOD, { path: "x.txt", kind: "file" }]);
  assert.deepEqual([...new Set(findings.map((finding) => finding.rule))], ["R1", "R2", "R4", "R5"]);
});

Deno.test("S15 validate.plan() reports a link at any depth, whatever the standard looks at", async () => {
  const deep: PlainEntry = { path: `${NAME}/Scan1/tiles/1/2/link`, kind: "symlink" };
  assert.deepEqual((await findingsOf(NAME, [...GOOD, deep])).map((f) => `${f.rule} ${f.path}`), [`links ${deep.path}`]);
  const lax: StandardPlugin = { kind: "standard", name: "lax", summary: "", depth: 1, check: () => [] };
  const found = await findingsOf("any", [{ path: "a", kind: "file" }, deep, { path: "b/c", kind: "other" }], lax);
  assert.deepEqual(found.map((f) => f.rule), ["links", "links"]);
});

Deno.test("S18 validate.plan() reports a study without a file", async () => {
  const lax: StandardPlugin = { kind: "standard", name: "lax", summary: "", depth: 1, check: () => [] };
  const found = await findingsOf("any", [{ path: "a", kind: "directory" }], lax);
  assert.deepEqual(found.map((f) => f.rule), ["empty"]);
  assert.deepEqual((await findingsOf(NAME, [])).map((f) => f.rule), ["R4", "R4", "empty"]);
});

Deno.test("validate.plan() collects only what the standard looks at", async () => {
  const seen: string[] = [];
  const shallow: StandardPlugin = {
    kind: "standard",
    name: "shallow",
    summary: "",
    depth: 2,
    check(_study, entries) {
      seen.push(...entries.map((entry) => entry.path));
      return [];
    },
  };
  await findingsOf("any", ["a", "a/b", "a/b/c", "a/b/c/d"].map((path) => ({ path, kind: "file" as const })), shallow);
  assert.deepEqual(seen, ["a", "a/b"]);
});

Deno.test("validate.plan() lets warnings pass into the log, as one record", async () => {
  const warning: Finding = { rule: "W1", severity: "warning", path: "a", message: "looks odd" };
  const mild: StandardPlugin = {
    kind: "standard",
    name: "mild",
    summary: "",
    depth: 1,
    check: () => [warning, { ...warning, path: "b" }],
  };
  const world = { item: treeItem("any"), entries: [{ path: "a", kind: "file" as const }], standards: [mild] };
  const { log } = await planStage(validate, { standard: "mild" }, world);
  assert.deepEqual(log, ['warn "any" is odd by the standard mild: W1 looks odd; and 1 more']);
});
