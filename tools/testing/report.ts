/**
 * What a test run came to: cases from the JUnit report, servers and reasons from the log of the test kit. Pure.
 * @module
 */

export interface TestCase {
  file: string;
  name: string;
  outcome: "passed" | "failed" | "skipped";
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name] ?? whole;
  });
}

/** Reads the report that `deno test --junit-path` writes. A case that was cancelled or stopped by an error failed. */
export function parseJunit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  for (const [, attributes, body = ""] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const attribute = (name: string) => unescapeXml(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
    const outcome = /<(failure|error)\b/.test(body) ? "failed" : /<skipped\b/.test(body) ? "skipped" : "passed";
    cases.push({ file: attribute("classname").replace(/^\.\//, ""), name: attribute("name"), outcome });
  }
  return cases;
}

/** What the kit wrote down while tests ran. */
export interface ServersLog {
  /** `name version`, sorted, each once. */
  servers: string[];
  /** Why tests were skipped, with how many. */
  reasons: Map<string, number>;
}

/**
 * Reads the file named by `LABFERRY_TEST_SERVERS_LOG`. A line is `{"server": name, "version": text}` for a real server
 * a test ran against, `{"skip": reason}` for a test that could not run, or the plain words `name version`.
 */
export function parseServersLog(text: string): ServersLog {
  const servers = new Set<string>();
  const reasons = new Map<string, number>();
  for (const line of text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "")) {
    const entry = line.startsWith("{") ? JSON.parse(line) as Record<string, unknown> : { server: line };
    if (typeof entry.skip === "string") reasons.set(entry.skip, (reasons.get(entry.skip) ?? 0) + 1);
    else servers.add([entry.server ?? entry.name, entry.version].filter((part) => part !== undefined).join(" "));
  }
  return { servers: [...servers].sort(), reasons };
}

/**
 * Why tests were skipped, with how many: from the kit's log, and from names that end in `[reason]`. A test without a
 * reason stands for itself.
 */
export function skipReasons(cases: readonly TestCase[], log: ServersLog): Map<string, number> {
  const reasons = new Map(log.reasons);
  for (const one of cases.filter((one) => one.outcome === "skipped")) {
    const reason = /\[([^[\]]*)\]$/.exec(one.name)?.[1] ?? `${one.file}: ${one.name}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return reasons;
}

/** Counts of a run. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Reads what `deno test` prints at its end: how many failed, and which files. An error outside of a test, for example
 * while a file is loaded, is in no case of the report.
 */
export function parseSummary(output: string): { failed: number; uncaught: string[] } {
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const failed = [...plain.matchAll(/^(?:ok|FAILED) \|.*?\b(\d+) failed\b/gm)].at(-1)?.[1];
  const uncaught = [...plain.matchAll(/^(\S+) \(uncaught error\)$/gm)].map((match) => match[1].replace(/^\.\//, ""));
  return { failed: Number(failed ?? 0), uncaught: [...new Set(uncaught)] };
}

/**
 * Counts cases. Failures outside of a case count too, and so does a run that ended badly though everything in it
 * passed.
 */
export function totalsOf(cases: readonly TestCase[], run: { failed: number; exitCode: number }): Totals {
  const count = (outcome: TestCase["outcome"]) => cases.filter((one) => one.outcome === outcome).length;
  const failed = Math.max(count("failed"), run.failed);
  return {
    passed: count("passed"),
    failed: failed === 0 && run.exitCode !== 0 ? 1 : failed,
    skipped: count("skipped"),
  };
}

/** The closing line. */
export function totalsLine(totals: Totals): string {
  return `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`;
}

/** Reads the `export NAME=value` lines of `tools/test_servers start`; a value may be quoted as bash quotes it. */
export function parseExports(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^export ([A-Za-z_]\w*)=(.*)$/.exec(line.trim());
    if (match) variables[match[1]] = unquote(match[2]);
  }
  return variables;
}

function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1).replaceAll(`'\\''`, "'");
  if (/^".*"$/.test(value)) return value.slice(1, -1).replace(/\\(["\\$`])/g, "$1");
  return value.replace(/\\(.)/g, "$1");
}
