/** How a naming standard is applied to a walk. Re-exported by contract.ts. @module */
import type { ListedEntry, StandardPlugin } from "./contract.ts";
import type { Finding } from "./errors.ts";

/**
 * Takes a walk entry by entry and keeps only what the standard looks at, and links at any depth (SAFETY S15).
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { StudyCollector } from "labferry";
 *
 * const lax = { kind: "standard", name: "lax", summary: "Lets everything pass.", depth: 1, check: () => [] } as const;
 * const collector = new StudyCollector(lax);
 * collector.add({ path: "a.txt", kind: "symlink" });
 * assert.deepEqual(collector.findings("study1").map(({ rule }) => rule), ["links", "empty"]);
 * ```
 */
export class StudyCollector {
  readonly #standard: StandardPlugin;
  readonly #entries: ListedEntry[] = [];
  readonly #links: ListedEntry[] = [];
  #files = 0;

  /** For one study. */
  constructor(standard: StandardPlugin) {
    this.#standard = standard;
  }

  /** Number of regular files seen. */
  get files(): number {
    return this.#files;
  }

  /** Takes the next entry of the walk. */
  add(entry: ListedEntry): void {
    const { path, kind } = entry;
    if (kind === "file") this.#files++;
    const isLink = kind === "symlink" || kind === "other";
    if (isLink) this.#links.push({ path, kind });
    if (isLink || this.#isWanted(entry)) this.#entries.push({ path, kind });
  }

  /** The standard's findings, and what no standard may let pass: links, special files, and a tree without a file. */
  findings(study: string): Finding[] {
    const findings = this.#standard.check(study, this.#entries);
    const named = new Set(findings.map((finding) => finding.path));
    for (const { path, kind } of this.#links) {
      if (!named.has(path)) findings.push(error("links", path, `"${path}" is a ${LINK_WORDS[kind]}`));
    }
    if (this.#files === 0) findings.push(error("empty", "", `study "${study}" holds no file, wanted at least one`));
    return findings;
  }

  #isWanted(entry: ListedEntry): boolean {
    if (this.#standard.wants !== undefined) return this.#standard.wants(entry);
    return entry.path.split("/", this.#standard.depth + 1).length <= this.#standard.depth;
  }
}

const LINK_WORDS: Record<ListedEntry["kind"], string> = {
  file: "file",
  directory: "folder",
  symlink: "symbolic link, wanted only files and folders",
  other: "special file, wanted only files and folders",
};

function error(rule: string, path: string, message: string): Finding {
  return { rule, severity: "error", path, message };
}
