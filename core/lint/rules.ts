/**
 * The rules of lint in one table: code, tier, severity, what it means. `docs/reference/lint_rules.md` is made from it.
 * @module
 */
import type { Diagnostic } from "../pipeline/diagnostic.ts";
import { PLUGIN_RULES } from "./plugin_rules.ts";

export type LintTier = "syntax" | "safety" | "environment";

export interface LintRule {
  code: string;
  tier: LintTier;
  severity: Diagnostic["severity"];
  /** One paragraph for operators: what is wrong, why it matters, what to do. */
  text: string;
}

/** A table row: code, severity, text. */
type Row = [code: string, severity: Diagnostic["severity"], text: string];

const SYNTAX: Row[] = [
  [
    "toml/not-text",
    "error",
    "The file is not UTF-8 text, as TOML has to be. Windows editors sometimes save UTF-16, or the code page of the country (Windows-1252), in which an umlaut is a byte that UTF-8 does not have there; the position names the first such byte. Save it as UTF-8.",
  ],
  [
    "toml/syntax",
    "error",
    "The file is not valid TOML 1.0. The caret shows where reading stopped. Two frequent reasons: a Windows path within double quotes (write `'C:\\data'`), and `[stage]` where `[[stage]]` is meant.",
  ],
  [
    "toml/windows-path",
    "error",
    'A path within double quotes holds backslashes that happen to be valid escapes: `"C:\\temp"` means `C:`, a tab, `emp`. Write `\'C:\\temp\'` or `"C:/temp"`.',
  ],
  ["toml/number", "error", "A number that cannot be held exactly, or is not finite."],
  ["toml/reserved-key", "error", "A key that cannot be used as a name."],
  [
    "config/unknown-key",
    "error",
    "The config has a key nobody reads. A misspelt key would leave its default in force without a word, so it is refused; the hint names the nearest key.",
  ],
  ["config/missing-key", "error", "The config lacks a key that is required."],
  ["config/wrong-type", "error", "A value of the config is of another type than its key takes."],
  ["config/bad-value", "error", "A value of the config is outside of what its key takes."],
  [
    "config/bad-path",
    "error",
    "A path that could mean another folder than the one meant: `~` (not expanded), a drive without a separator (`C:data`), a root without a drive (`\\data`), a path of the other operating system, or control characters left by a backslash escape.",
  ],
  [
    "config/not-set",
    "error",
    "The pipeline needs a key of the config that is not set. The message names the config file and the section.",
  ],
  [
    "pipeline/unknown-key",
    "error",
    "The pipeline file has a key the language does not know. Options of a plugin stand under `with`; engine keys (`id`, `after`, `retry`, `timeout`, `parallel`, `on_error`) beside `use`.",
  ],
  ["pipeline/missing-key", "error", "The pipeline file lacks a key, for example `name`, `[source]` or `use`."],
  ["pipeline/wrong-type", "error", "A value of the pipeline file is of another type than its key takes."],
  ["pipeline/bad-value", "error", "A value of the pipeline file is outside of what its key takes."],
  [
    "pipeline/reserved-id",
    "error",
    "A stage has an id that means something else: `source` is the place every item comes from.",
  ],
  ["pipeline/unknown-id", "error", "`after` names a stage that is not in the pipeline."],
  [
    "pipeline/cycle",
    "error",
    "Stages wait for each other in a circle, so that none can begin. The message names the circle.",
  ],
  ["pipeline/unknown-plugin", "error", "`use` names a plugin that is not registered."],
  [
    "pipeline/wrong-item",
    "error",
    "A stage takes another kind of item than the source yields: trees are folders of the instrument, backups are complete copies of them at a place, events are messages.",
  ],
  ["pipeline/misplaced", "error", "A stage stands in `[[before]]` or `[[on_item_failed]]`, and may not stand there."],
  [
    "pipeline/foreign-place",
    "error",
    "A stage declares a place under another id than its own, or its own twice: what was proved at one place would be read at another.",
  ],
  [
    "pipeline/place-per-item",
    "error",
    "The root of a place depends on the item. Name the root only; the engine appends the name of the item.",
  ],
  [
    "pipeline/name-differs",
    "warning",
    "The `name` of a pipeline is not that of its file. The report, the journal and the events (`<name>_failure`) go by the `name`, so that people who look for the file's name hear of nothing.",
  ],
  [
    "pipeline/plugin-error",
    "error",
    "A plugin failed while it was asked for its facts or places: a mistake of its author.",
  ],
  [
    "options/unknown-key",
    "error",
    "A stage or source has an option its plugin does not know; the hint names the nearest.",
  ],
  ["options/missing-key", "error", "A stage or source lacks an option its plugin requires."],
  ["options/wrong-type", "error", "An option is of another type than the plugin takes."],
  ["options/bad-value", "error", "An option is outside of what the plugin takes."],
  [
    "options/bad-path",
    "error",
    "An option holds a path that could mean another folder than the one meant; see `config/bad-path`.",
  ],
  [
    "template/syntax",
    "error",
    "A template is not of the form `${section.key}`, `${env.NAME}` or `${item.name}`, or its brace is not closed. `$${` stands for the two characters `${`.",
  ],
  [
    "template/unknown",
    "error",
    "A template names a key, a variable or a field that does not exist; the hint names the nearest.",
  ],
  [
    "template/not-set",
    "error",
    "A template reads a key of the config that is not set. The message names the config file and the section.",
  ],
  [
    "template/empty",
    "error",
    "A template reads an empty value. An empty value would silently shorten a path or a prefix (SAFETY S16).",
  ],
  [
    "template/not-text",
    "error",
    "A list is put into a text. A template that stands alone between its quotes keeps its type.",
  ],
  ["template/not-a-value", "error", "A template names a whole section of the config."],
  [
    "template/no-item",
    "error",
    "A template of the item stands where no item exists: in the source or in `[[before]]`.",
  ],
  ["template/unsafe", "error", "At run time, a value of an item is not one path segment (SAFETY S16); the item fails."],
];

const SAFETY: Row[] = [
  [
    "safety/missing-fact",
    "error",
    "A stage needs a fact that does not stand before it: nothing gives it, it is given later, a stage between takes it away, or the stage that gives it may fail without failing the item. The message names the fact and the stage that would give it.",
  ],
  [
    "safety/unknown-place",
    "error",
    "A stage names a place that no stage writes. A place has the id of the stage that writes it.",
  ],
  [
    "safety/complete-before-proof",
    "error",
    "The ledger would say `complete` before every place the pipeline writes is proved. Readers of the ledger trust that word, and `cleanup` frees the NAS on it.",
  ],
  [
    "safety/not-sealed",
    "error",
    "The ledger would say `complete` while no place holds the checksum sidecar of the study, or, where folders are written, none of them does. Without it nobody can check the archive later.",
  ],
  [
    "safety/destroy-unlocked",
    "error",
    "A stage destroys without the lock of the item, so that another process could be working on the same study. Put `lock` before it.",
  ],
  [
    "safety/destroy-unrecorded",
    "error",
    "A stage destroys an item that the ledger does not hold as complete. After the destroy the ledger is the only way to find the copies.",
  ],
  [
    "safety/destroy-unproved",
    "error",
    "A stage destroys while fewer places than it requires hold every file proved. Written is not proved: the bytes must have been read back, or checked by a store that is known to check. Weak proofs count only beside a strong one.",
  ],
  [
    "safety/too-few-places",
    "error",
    "A stage requires more places than the pipeline writes in distinct failure domains. Places that declare the same `domain` fail together and count once.",
  ],
  [
    "safety/same-place-twice",
    "error",
    "Two of source, places and ledger are the same folder or prefix, or one lies within the other (SAFETY S2). Two copies at one place are one copy, and a destroy of one would be a destroy of both. Buckets of one name are one place whatever the endpoint, unless two endpoints are given and each place declares a `domain` of its own.",
  ],
  [
    "safety/read-after-destroy",
    "error",
    "A stage works on a place that an earlier stage has destroyed, or that another branch may be destroying at the same time.",
  ],
  [
    "safety/destroy-in-handler",
    "error",
    "A stage that destroys stands in `[[before]]` or `[[on_item_failed]]`. Both begin with nothing proved, so nothing may be destroyed there.",
  ],
  [
    "safety/destroy-may-fail",
    "error",
    'A stage destroys, and has `on_error = "warn"`: an item of which only a part was removed would count as done. Leave `on_error` out.',
  ],
  [
    "safety/undeclared-destroy",
    "error",
    "A plugin destroys without declaring what: a mistake of its author. It cannot be checked, so it is refused.",
  ],
  [
    "safety/unpinned-destroy",
    "error",
    "A stage from outside destroys, and the config does not vouch for its code: pin its file by SHA-256 in `[plugins] files`, and say in `touches` what the code changes by itself.",
  ],
  [
    "safety/facts-not-counted",
    "warning",
    "A stage from outside says that it gives facts about bytes that its own code may change: all bytes, unless the config pins its file and says what it touches. Such facts do not count; a stage behind it can give them anew.",
  ],
  [
    "safety/duplicate-id",
    "error",
    "Two stages have one id. Ids name places, evidence and lines of the report, so each must be its own.",
  ],
  [
    "safety/unknown-event",
    "error",
    "A stage names an event that nobody defines, so that nobody would ever hear of it. Events are those labferry knows (`labferry notify list-subscribers`), `<pipeline>_failure`, and those that a stage of any pipeline raises; a name that is a known one but for a letter or two is taken for a misspelling.",
  ],
  [
    "safety/unproved-place",
    "warning",
    "A place is written and nothing proves it. Such a copy never counts before a destroy.",
  ],
  ["safety/unreachable", "warning", '`[[on_item_failed]]` can never run, since every stage has `on_error = "warn"`.'],
];

const ENVIRONMENT: Row[] = [
  [
    "env/path-missing",
    "error",
    "A folder the pipeline needs is not there. Behind a hook in `[[before]]` this is a warning: the hook may mount it.",
  ],
  ["env/not-a-folder", "error", "A path the pipeline needs is not a folder."],
  ["env/unreadable", "error", "A folder or its marker cannot be read by this account."],
  [
    "env/not-marked",
    "error",
    "A place has no `.labferry-place` marker (SAFETY S1). An unmounted NAS is an empty local folder; the marker tells the two apart. `labferry install places` makes it, once, when the place is known to be the right one.",
  ],
  [
    "env/places-not-distinct",
    "error",
    "Two places have different names and are the same folder on this machine, or one lies within the other, through a link or a mount (SAFETY S2).",
  ],
  [
    "env/other-marker",
    "error",
    "The marker of a place is another one than earlier runs knew under its path (SAFETY S1): another disk or share lies there. Behind a hook in `[[before]]` this is a warning: the hook may mount the right one.",
  ],
  [
    "env/other-role",
    "error",
    "A root is marked, or known by earlier runs, for another role: the source, a place of backups, or the ledger (SAFETY S1). Two paths of the config may be exchanged.",
  ],
  [
    "env/not-writable",
    "error",
    "A folder that a run writes to, or removes from, is on a file system mounted for reading only, or this account may not write there. Seen without writing, and only on Linux. Behind a hook in `[[before]]` this is a warning.",
  ],
  [
    "env/no-state",
    "error",
    "The state folder, in which a run keeps its journal, cannot be written to by this account, or made. Seen without writing, and only on Linux.",
  ],
  [
    "env/no-program",
    "error",
    "The program of a hook is not on this machine, or this account may not run it.",
  ],
  ["env/store-unreachable", "error", "The object store does not answer."],
  ["env/bucket-missing", "error", "The bucket does not exist."],
  [
    "env/store-denied",
    "error",
    "The object store refuses access: no credentials were found, they are wrong, or they may not use the bucket.",
  ],
  [
    "env/no-lists",
    "error",
    "The folder of the lists of recipients is not there. Nobody would be told of anything; events stay queued until it is.",
  ],
  [
    "env/no-credentials",
    "warning",
    "`[notify] enabled` is true, and credentials that the pipeline notify needs are neither in the environment nor in smtp.env. Nothing is queued and nobody is told of anything until they are there.",
  ],
  [
    "env/notifier-file",
    "error",
    "A file that a notifier reads when it begins cannot be read, or does not hold what it must: the `ca_file` of a mail server. The first message would fail by it.",
  ],
  [
    "env/clear-login",
    "warning",
    'With `security = "none"` and a login, the password goes over the network as it is, to a mail server that is not on this machine. Use starttls or tls, or `login = false` for a relay of the house.',
  ],
  ["env/store-unusable", "error", "The object store answers in a way that it cannot be used."],
];

function rows(tier: LintTier, table: Row[]): LintRule[] {
  return table.map(([code, severity, text]) => ({ code, tier, severity, text }));
}

/** Every rule, by tier, in the order of the documentation. */
export const LINT_RULES: readonly LintRule[] = [
  ...rows("syntax", SYNTAX),
  ...rows("syntax", PLUGIN_RULES.map(([code, text]) => [code, "error", text])),
  ...rows("safety", SAFETY),
  ...rows("environment", ENVIRONMENT),
];

const BY_CODE = new Map(LINT_RULES.map((rule) => [rule.code, rule]));

/** @throws {RangeError} if the code is not in the table. */
export function ruleSeverity(code: string): Diagnostic["severity"] {
  const rule = BY_CODE.get(code);
  if (rule === undefined) throw new RangeError(`Cannot report "${code}": the table of lint rules has no such code`);
  return rule.severity;
}

const TIERS: Record<LintTier, string> = {
  syntax: "Tier 1: syntax and options",
  safety: "Tier 2: safety",
  environment: "Tier 3: environment",
};

/** When a rule is checked, in words: `tier 2, safety`. */
export function tierOf({ tier }: LintRule): string {
  return TIERS[tier].replace(/^Tier (\d): /, "tier $1, ");
}

/** Returns the rule of a code. */
export function findLintRule(code: string): LintRule | undefined {
  return BY_CODE.get(code);
}

/** Renders the table as the page `docs/reference/lint_rules.md`. */
export function renderLintRules(): string {
  const parts = [
    "# Lint rules",
    "",
    "Made from `core/lint/rules.ts`; edit it there. Errors stop a run with exit code 2; warnings are shown.",
  ];
  for (const tier of Object.keys(TIERS) as LintTier[]) {
    parts.push("", `## ${TIERS[tier]}`);
    for (const rule of LINT_RULES.filter((one) => one.tier === tier)) {
      parts.push("", `### \`${rule.code}\` (${rule.severity})`, "", rule.text);
    }
  }
  return `${parts.join("\n")}\n`;
}
