/** Rules about names: R1 (study), R2 (experiment), R3 (characters and length), R7 (`.fpr`). @module */
import type { Finding } from "../../../core/errors.ts";

const STUDY_FORM = "YYYYMMDD_<user>_<project>_<customname>";
/** Longest experiment name: three times this in one path still fits into 260 characters, the limit of Windows. */
export const MAX_EXPERIMENT_NAME = 60;

/** A field of a name, and what is wrong with it. */
export interface NameField {
  /** What the field is for: `date`, `user`, `project`, `custom name`, `study`, `suffix`; `extra` beyond these. */
  label: string;
  text: string;
  findings: Finding[];
}

/** A name taken apart. `whole`: what is wrong with it beside its fields, such as their number. */
export interface NameReading {
  fields: NameField[];
  whole: Finding[];
}

/** What the fields of a study's name are for. */
export const STUDY_FIELDS = ["date", "user", "project", "custom name"] as const;

/** Takes a study's name apart: R1 and R3. */
export function readStudyName(study: string): NameReading {
  const whole: Finding[] = [];
  const texts = study.split("_");
  if (texts.length !== STUDY_FIELDS.length) {
    whole.push(error("R1", "", `study name "${study}" has ${count(texts.length, "field")}, wanted 4: ${STUDY_FORM}`));
  }
  if (length(study) > MAX_EXPERIMENT_NAME) whole.push(tooLong("", `study name "${study}"`, study));
  const fields = texts.map((text, at): NameField => {
    const findings: Finding[] = [];
    const date = at === 0 ? dateProblem(text) : undefined;
    if (date !== undefined) findings.push(error("R1", "", `study name "${study}": ${date}`));
    if (at > 0 && text === "") {
      findings.push(error("R1", "", `study name "${study}": field ${at + 1} is empty, wanted ${STUDY_FORM}`));
    }
    const bad = badCharacters(text);
    if (bad !== "") findings.push(characters("", `study name "${study}": field ${at + 1} "${text}"`, bad));
    return { label: STUDY_FIELDS[at] ?? "extra", text, findings };
  });
  return { fields, whole };
}

/** Takes the name of a folder apart that is, or is meant to be, an experiment of `study`: R2 and R3. */
export function readExperimentName(study: string, name: string): NameReading {
  const form = `wanted "${study}" or "${study}_<suffix>"`;
  if (name !== study && !name.startsWith(`${study}_`)) {
    const why = name.toLowerCase().startsWith(study.toLowerCase()) && study !== ""
      ? "is spelled differently from the study"
      : "does not begin with the study's name";
    const findings = [error("R2", name, `experiment folder "${name}" ${why}, ${form}`)];
    return { fields: [{ label: "study", text: name, findings }], whole: [] };
  }
  // What the study's own name has wrong is reported once, at the study.
  const fields: NameField[] = [{ label: "study", text: study, findings: [] }];
  if (name === study) return { fields, whole: [] };
  const suffix = name.slice(study.length + 1);
  const findings: Finding[] = [];
  if (suffix === "") {
    findings.push(error("R2", name, `experiment folder "${name}" has an empty suffix, ${form}`));
  } else if (suffix.includes("_")) {
    findings.push(error("R2", name, `experiment folder "${name}" has "_" in its suffix "${suffix}", ${form}`));
  }
  const bad = badCharacters(suffix.replaceAll("_", ""));
  if (bad !== "") findings.push(characters(name, `experiment folder "${name}": suffix "${suffix}"`, bad));
  fields.push({ label: "suffix", text: suffix, findings });
  const isLong = length(name) > MAX_EXPERIMENT_NAME;
  return { fields, whole: isLong ? [tooLong(name, `experiment folder "${name}"`, name)] : [] };
}

/** R1 and R3 for a study's name. */
export function studyNameFindings(study: string): Finding[] {
  return flat(readStudyName(study));
}

/** R2 and R3 for the name of a folder that is, or is meant to be, an experiment of `study`. */
export function experimentNameFindings(study: string, name: string): Finding[] {
  return flat(readExperimentName(study, name));
}

function flat({ fields, whole }: NameReading): Finding[] {
  return [...whole, ...fields.flatMap((field) => field.findings)];
}

/** R7: characters of a `.fpr` file's name; fields may be joined by `_`. */
export function reportNameFindings(file: string): Finding[] {
  const stem = file.slice(0, -".fpr".length);
  if (stem === "") return [error("R7", file, `file "${file}" has no name before .fpr`)];
  const bad = badCharacters(stem.replaceAll("_", ""));
  if (bad === "") return [];
  return [{ ...characters(file, `file "${file}"`, bad), rule: "R7" }];
}

/** Why `field` is no calendar date of the form YYYYMMDD; undefined when it is one. */
function dateProblem(field: string): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(field);
  if (match === null) return `field 1 "${field}" is not a date, wanted eight digits YYYYMMDD`;
  const [year, month, day] = match.slice(1).map(Number);
  if (year === 0) return `field 1 "${field}" is not a date: there is no year 0000`;
  if (month < 1 || month > 12) return `field 1 "${field}" is not a date: there is no month ${match[2]}`;
  if (day < 1 || day > daysIn(year, month)) {
    return `field 1 "${field}" is not a date: month ${match[1]}-${match[2]} has no day ${match[3]}`;
  }
  return undefined;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** The distinct characters outside `A-Z a-z 0-9 -`, in order of appearance. */
function badCharacters(field: string): string {
  return [...new Set(field)].filter((char) => !/^[A-Za-z0-9-]$/.test(char)).join("");
}

function characters(path: string, what: string, bad: string): Finding {
  const list = [...bad].map((char) => char === " " ? "a space" : describe(char)).join(", ");
  return error("R3", path, `${what} contains ${list}, wanted only letters A-Z a-z, digits and "-"`);
}

/** Names invisible characters and lookalikes of other alphabets by their code point. */
function describe(char: string): string {
  if (/^[!-~]$/.test(char)) return `"${char}"`;
  const code = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(char) ? `"${char}" (${code})` : code;
}

function tooLong(path: string, what: string, name: string): Finding {
  return error("R3", path, `${what} is ${length(name)} characters long, wanted at most ${MAX_EXPERIMENT_NAME}`);
}

function length(name: string): number {
  return [...name].length;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function error(rule: string, path: string, message: string): Finding {
  return { rule, severity: "error", path, message };
}
