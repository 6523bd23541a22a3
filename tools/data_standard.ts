/**
 * Writes `docs/data_standard.md` from the rules' examples, with the words `validate` finds: `deno task data-standard`.
 * @module
 */
import { join } from "@std/path";
import { phenocycler } from "../plugins/standards/phenocycler.ts";
import { type Example, listingOf, type Rule, RULES } from "../plugins/standards/phenocycler/examples.ts";

const HEAD = `<!-- Made by tools/data_standard.ts from plugins/standards/phenocycler/examples.ts; edit that. -->

# The data standard

How a study of the PhenoCycler Fusion is named and laid out. \`labferry validate study PATH\` holds one against it,
\`labferry validate root PATH\` all below a folder, and a backup takes no study that breaks it. The
[name checker](name_checker/index.html) tries names in a browser, before they are given: open the file, or put it on any
web server.

A study is a folder with design files (\`.xpd\`), reports (\`.fpr\`) and experiments; an experiment is a folder with scans.
Upper and lower case matter everywhere, because the systems that read the archive tell them apart. Every finding is
reported at once. Each example below is a test, and what is said of it is what labferry says.
`;

const LINKS = `
## Links

Symbolic links and special files are found at any depth: they are never followed, and cannot be archived.
`;

/** Returns the page. */
export function renderDataStandard(): string {
  return `${HEAD}${RULES.map(section).join("")}${LINKS}`;
}

function section({ code, title, text, examples }: Rule): string {
  const passing = examples.filter(({ finds }) => finds.length === 0);
  const failing = examples.filter(({ finds }) => finds.length > 0);
  return `\n## ${code}: ${title}\n\n${text}\n\nPasses:\n\n${passing.map(example).join("\n")}\n` +
    `Fails:\n\n${failing.map(example).join("\n")}`;
}

function example(given: Example): string {
  const { about, study, paths, shown } = given;
  const messages = phenocycler.check(study, listingOf(paths)).map(({ rule, message }) => `${rule} ${message}`);
  if (shown !== undefined && messages.length === 0) return `- \`${shown}\` (${about})\n`;
  const listing = shown ?? [`${study}/`, ...tree(paths)].join("\n");
  const lines = [listing, ...messages.map((message) => `→ ${message}`)].join("\n").split("\n");
  return `- ${about}:\n\n  \`\`\`text\n${lines.map((line) => `  ${line}\n`).join("")}  \`\`\`\n`;
}

/** Paths as an indented tree, each folder before what is in it. */
function tree(paths: readonly string[]): string[] {
  return paths.toSorted().map((path) => {
    const segments = path.replace(/\/$/, "").split("/");
    const name = `${segments.at(-1)}${path.endsWith("/") ? "/" : ""}`.replace(/@$/, " (a symbolic link)");
    return `${"  ".repeat(segments.length)}${name}`;
  });
}

if (import.meta.main) {
  const root = join(import.meta.dirname ?? ".", "..");
  await Deno.writeTextFile(join(root, "docs", "data_standard.md"), renderDataStandard());
}
