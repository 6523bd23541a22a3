/** What the page says of a name, field by field, from the rules that `validate` uses. Pure. @module */
import type { NameReading } from "../../plugins/standards/phenocycler/names.ts";
import {
  MAX_EXPERIMENT_NAME,
  readExperimentName,
  readStudyName,
  STUDY_FIELDS,
} from "../../plugins/standards/phenocycler/names.ts";

export interface Row {
  label: string;
  /** What was typed for it; empty when there is nothing. */
  text: string;
  state: "pass" | "fail" | "missing";
  /** What is wrong, in the words of `validate`, each with its rule. */
  problems: string[];
}

export interface Verdict {
  /** `empty`: nothing was typed, and nothing is said. */
  state: "empty" | "pass" | "fail";
  rows: Row[];
  /** One sentence, for those who hear the page. */
  summary: string;
}

const EMPTY: Verdict = { state: "empty", rows: [], summary: "" };

/** Judges the name of a study. */
export function studyVerdict(study: string): Verdict {
  if (study === "") return EMPTY;
  const reading = readStudyName(study);
  const rows = rowsOf(reading, `study name "${study}": `);
  for (const label of STUDY_FIELDS.slice(reading.fields.length)) {
    rows.push({ label, text: "", state: "missing", problems: [] });
  }
  return verdict("Study name", [...rows, wholeRow(study, reading)]);
}

/** Judges the name of an experiment of a study. With a study that fails, no experiment of it passes. */
export function experimentVerdict(study: string, experiment: string): Verdict {
  if (experiment === "") return EMPTY;
  if (study === "") {
    const rows: Row[] = [{ label: "study", text: "", state: "missing", problems: [] }];
    return { state: "fail", rows, summary: "An experiment is checked against its study; type the study name first." };
  }
  const reading = readExperimentName(study, experiment);
  const rows = rowsOf(reading, `experiment folder "${experiment}": `);
  const [first] = rows;
  if (first.state === "pass" && studyVerdict(study).state === "fail") {
    rows[0] = { ...first, state: "fail", problems: ["the study name itself fails, see above"] };
  }
  return verdict("Experiment name", [...rows, wholeRow(experiment, reading)]);
}

function rowsOf({ fields }: NameReading, known: string): Row[] {
  return fields.map(({ label, text, findings }) => ({
    label,
    text,
    state: findings.length === 0 ? "pass" : "fail",
    problems: findings.map(({ rule, message }) => `${rule}: ${message.replace(known, "")}`),
  }));
}

function wholeRow(name: string, { whole }: NameReading): Row {
  return {
    label: "whole name",
    text: `${[...name].length} of at most ${MAX_EXPERIMENT_NAME} characters`,
    state: whole.length === 0 ? "pass" : "fail",
    problems: whole.map(({ rule, message }) => `${rule}: ${message}`),
  };
}

function verdict(what: string, rows: Row[]): Verdict {
  const failing = rows.filter(({ state }) => state === "fail").map(({ label }) => label);
  const missing = rows.filter(({ state }) => state === "missing").map(({ label }) => label);
  if (failing.length + missing.length === 0) return { state: "pass", rows, summary: `${what} passes.` };
  const parts = [
    failing.length === 0 ? "" : `wrong: ${failing.join(", ")}`,
    missing.length === 0 ? "" : `missing: ${missing.join(", ")}`,
  ].filter((part) => part !== "");
  return { state: "fail", rows, summary: `${what} fails; ${parts.join("; ")}.` };
}
