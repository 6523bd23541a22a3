/** The page at work: what is typed goes through the rules, and their verdict under it. @module */
import { experimentVerdict, type Row, studyVerdict, type Verdict } from "./verdict.ts";

/** As much of the browser's document as is used; its whole library would change the types of everything else. */
interface Part {
  value: string;
  textContent: string | null;
  className: string;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  append(...parts: (Part | string)[]): void;
  replaceChildren(...parts: Part[]): void;
  addEventListener(event: "input", listener: () => void): void;
}
declare const document: { getElementById(id: string): Part | null; createElement(tag: string): Part };

const WORDS: Record<Row["state"], [mark: string, word: string]> = {
  pass: ["✓", "passes"],
  fail: ["✗", "fails"],
  missing: ["…", "missing"],
};

function part(id: string): Part {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`the page has no part "${id}"`);
  return found;
}

function make(tag: string, className: string, ...parts: (Part | string)[]): Part {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...parts);
  return made;
}

function row({ label, text, state, problems }: Row): Part {
  const [sign, word] = WORDS[state];
  const mark = make("span", "mark", sign);
  // The word beside it says the same.
  mark.setAttribute("aria-hidden", "true");
  const line = make("li", state, mark, make("span", "label", label), make("span", "word", word));
  if (text !== "") line.append(make("span", "text", text));
  for (const problem of problems) line.append(make("span", "problem", problem));
  return line;
}

function show(id: string, { state, rows, summary }: Verdict): void {
  const input = part(id);
  if (state === "fail") input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  input.className = state;
  part(`${id}-fields`).replaceChildren(...rows.map(row));
  const status = part(`${id}-status`);
  // A text that is set anew is read out anew.
  if (status.textContent !== summary) status.textContent = summary;
  status.className = `status ${state}`;
}

function check(): void {
  const study = part("study").value;
  show("study", studyVerdict(study));
  show("experiment", experimentVerdict(study, part("experiment").value));
}

for (const id of ["study", "experiment"]) part(id).addEventListener("input", check);
// Browsers keep what was typed when a page is loaded again.
check();
