import assert from "node:assert/strict";
import fc from "fast-check";
import { experimentNameFindings, studyNameFindings } from "../../../plugins/standards/phenocycler/names.ts";
import { listingOf, RULES } from "../../../plugins/standards/phenocycler/examples.ts";
import { phenocycler } from "../../../plugins/standards/phenocycler.ts";
import { experimentVerdict, studyVerdict } from "../../../tools/name_checker/verdict.ts";

const STUDY = "20250131_ada_kidney_b1";
const names = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.array(fc.constantFrom("20250131", "_", "ada", " ", "b1", STUDY), { maxLength: 8 }).map((parts) => parts.join("")),
);

Deno.test("studyVerdict() and experimentVerdict() say of any name what the rules say", () => {
  fc.assert(fc.property(names.filter((name) => name !== ""), names, fc.boolean(), (study, tail, isFree) => {
    const experiment = isFree && tail !== "" ? tail : `${study}${tail}`;
    const [ofStudy, ofExperiment] = [studyNameFindings(study), experimentNameFindings(study, experiment)];
    const [first, second] = [studyVerdict(study), experimentVerdict(study, experiment)];
    assert.equal(first.state, ofStudy.length === 0 ? "pass" : "fail");
    assert.equal(second.state, ofStudy.length + ofExperiment.length === 0 ? "pass" : "fail");
    assert.equal(first.rows.flatMap(({ problems }) => problems).length, ofStudy.length);
    const said = second.rows.flatMap(({ problems }) => problems).filter((problem) => /^R\d: /.test(problem));
    assert.equal(said.length, ofExperiment.length);
  }));
});

Deno.test("studyVerdict() fails the names that validate fails, and no others", () => {
  for (const { study, paths } of RULES.flatMap(({ examples }) => examples)) {
    const found = phenocycler.check(study, listingOf(paths)).filter(({ rule, path }) =>
      /^R[13]$/.test(rule) && path === ""
    );
    assert.equal(studyVerdict(study).state, found.length === 0 ? "pass" : "fail", study);
  }
});

Deno.test("studyVerdict() tells field by field, and what is not there yet", () => {
  const { state, rows, summary } = studyVerdict("20250231_ada l_kidney");
  assert.equal(state, "fail");
  assert.deepEqual(rows.map(({ label, state }) => `${label} ${state}`), [
    "date fail",
    "user fail",
    "project pass",
    "custom name missing",
    "whole name fail",
  ]);
  assert.deepEqual(rows[1].problems, [
    'R3: field 2 "ada l" contains a space, wanted only letters A-Z a-z, digits and "-"',
  ]);
  assert.equal(summary, "Study name fails; wrong: date, user, whole name; missing: custom name.");
  assert.equal(studyVerdict(STUDY).summary, "Study name passes.");
});

Deno.test("experimentVerdict() says nothing of a name that is not given", () => {
  assert.deepEqual(experimentVerdict(STUDY, ""), { state: "empty", rows: [], summary: "" });
  assert.equal(experimentVerdict(STUDY, `${STUDY}_r1`).summary, "Experiment name passes.");
  assert.deepEqual(experimentVerdict(STUDY, `${STUDY}_`).rows.map(({ state }) => state), ["pass", "fail", "pass"]);
});

Deno.test("experimentVerdict() passes no experiment of a study that fails or is not given", () => {
  const wrong = experimentVerdict("20250231_ada_kidney_b1", "20250231_ada_kidney_b1_r1");
  assert.equal(wrong.summary, "Experiment name fails; wrong: study.");
  const none = experimentVerdict("", `${STUDY}_r1`);
  assert.equal(none.state, "fail");
  assert.match(none.summary, /type the study name first/);
});
