import assert from "node:assert/strict";
import fc from "fast-check";
import { health, type HealthEntry, healthFindings } from "../../stages/health.ts";
import { planStage, treeItem } from "./_read_stage.ts";

const DAY = 86_400_000;
const GOOD: HealthEntry[] = [
  { path: "exp", kind: "directory", mtimeMs: 9e12 },
  { path: "exp/Scan1", kind: "directory", mtimeMs: 0 },
  { path: "exp/Scan1/.temp", kind: "directory", mtimeMs: 0 },
  { path: "exp/Scan1/a.qptiff", kind: "file", mtimeMs: 100 * DAY },
  { path: "exp/Scan1/b.txt", kind: "file", mtimeMs: 114 * DAY },
];

Deno.test("healthFindings() finds nothing in a whole study of 14 days", () => {
  assert.deepEqual(healthFindings(GOOD), []);
});

Deno.test("healthFindings() reports mtime-gap beyond the allowed days, of files only", () => {
  const late: HealthEntry = { path: "exp/late.txt", kind: "file", mtimeMs: 114 * DAY + 1 };
  const [finding, ...more] = healthFindings([...GOOD, late]);
  assert.deepEqual(more, []);
  assert.equal(finding.rule, "health/mtime-gap");
  assert.equal(finding.path, "exp/late.txt");
  assert.match(finding.message, /"exp\/Scan1\/a\.qptiff" of 1970-04-11T00:00:00\.000Z/);
  assert.deepEqual(healthFindings([...GOOD, late], { mtimeGapDays: 15 }), []);
});

Deno.test("healthFindings() reports empty unless one scan holds both an image file and a .temp folder", () => {
  const without = (path: string) => GOOD.filter((entry) => entry.path !== path);
  const rules = (entries: HealthEntry[]) => healthFindings(entries).map((finding) => finding.rule);
  assert.deepEqual(rules([]), ["health/empty"]);
  assert.deepEqual(rules(without("exp/Scan1/.temp")), ["health/empty"]);
  assert.deepEqual(rules(without("exp/Scan1/a.qptiff")), ["health/empty"]);
  const split = { path: "exp/Scan2/.temp", kind: "directory", mtimeMs: 0 } as const;
  assert.deepEqual(rules([...without("exp/Scan1/.temp"), split]), ["health/empty"]);
  assert.deepEqual(
    rules([...without("exp/Scan1/.temp"), { path: "exp/Scan1/.temp", kind: "file", mtimeMs: 100 * DAY }]),
    [
      "health/empty",
    ],
  );
});

Deno.test("healthFindings() gives the same findings for every order", () => {
  const entry = fc.record({
    path: fc.constantFrom("e/Scan1/a.qptiff", "e/Scan1/.temp", "e/b", "c"),
    kind: fc.constantFrom("file" as const, "directory" as const, "symlink" as const),
    mtimeMs: fc.option(fc.integer({ min: 0, max: 40 }).map((days) => days * DAY)),
  });
  fc.assert(fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
    assert.deepEqual(healthFindings(entries.toReversed()), healthFindings(entries));
  }));
});

Deno.test("health.plan() fails the item with its findings", async () => {
  await assert.rejects(planStage(health, {}, { item: treeItem("study"), entries: [] }), {
    code: "health/unhealthy",
    message: /Cannot accept "study": no experiment has a Scan<N>/,
  });
});

Deno.test("health.plan() only warns when told to", async () => {
  const { steps, log } = await planStage(health, { on: "warn" }, { item: treeItem("study"), entries: [] });
  assert.deepEqual(steps, []);
  assert.equal(log.length, 1);
  assert.match(log[0], /^warn "study" may not be whole: no experiment/);
});
