/**
 * Cuts a view of a log into whole records: a line that begins one, and the lines up to the next such line. Only records
 * that hold what is looked for are taken out; of all others nothing is decoded but their borders. Pure.
 * @module
 */
import type { LogEncoding } from "./text.ts";

/** Lines of which the nearest one before a record is handed on with it. */
export interface ContextRule {
  /** Texts, one of which such a line holds. */
  find: readonly string[];
  pattern?: RegExp;
}

export interface RecordRules {
  /** Tells the first line of a record. */
  start: RegExp;
  /** Texts, one of which a record must hold to be taken out; without any, all are. */
  find: readonly string[];
  context: readonly ContextRule[];
}

export interface CutRecord {
  /** Where it begins, in units of the view. */
  at: number;
  /** Its lines, joined by a newline. */
  text: string;
  /** For each rule, the nearest line before it; empty for none. */
  context: string[];
}

export interface Cut {
  /** Units of the view that are dealt with. */
  end: number;
  records: CutRecord[];
  /** The nearest lines before `end`. */
  context: string[];
}

/**
 * Where a view is cut: before its last record, which may still grow; behind its last whole line; or at its end, since
 * nothing will be written behind it.
 */
export type CutAt = "record" | "line" | "end";

export interface CutOptions {
  encoding: LogEncoding;
  rules: RecordRules;
  at: CutAt;
  /** The nearest lines before the view, one for each rule of the context. */
  context: readonly string[];
}

/** Cuts a view that begins where a line begins. */
export function cutRecords(view: string, options: CutOptions): Cut {
  const { encoding, rules } = options;
  const lines = new Lines(view, encoding);
  const end = endOf(lines, options);
  const context = new NearestLines(lines, options);
  const hits = new Hits(view, rules.find.map((text) => encoding.needle(text)));
  const records: CutRecord[] = [];
  const starts = (at: number) => rules.start.test(lines.text(at, lines.next(at)));
  for (let at = 0; at < end;) {
    const hit = hits.next(at);
    if (hit >= end) break;
    let from = Math.max(at, lines.begin(hit));
    while (from > at && !starts(from)) from = lines.begin(from - 1);
    let to = lines.next(hit);
    while (to < end && !starts(to)) to = lines.next(to);
    to = Math.min(to, end);
    context.moveTo(from);
    records.push({ at: from, text: lines.text(from, to), context: [...context.lines] });
    at = to;
  }
  context.moveTo(end);
  return { end, records, context: context.lines };
}

/** The nearest lines of the context before the end of a view, and where its last whole line ends. */
export function contextOf(view: string, options: Omit<CutOptions, "at">): Pick<Cut, "end" | "context"> {
  const lines = new Lines(view, options.encoding);
  const context = new NearestLines(lines, options);
  const end = endOf(lines, { ...options, at: "line" });
  context.moveTo(end);
  return { end, context: context.lines };
}

function endOf(lines: Lines, { rules, at }: CutOptions): number {
  if (at === "end") return lines.view.length;
  const whole = lines.begin(lines.view.length);
  if (at === "line") return whole;
  for (let to = whole; to > 0;) {
    const from = lines.begin(to - 1);
    if (rules.start.test(lines.text(from, to))) return from;
    to = from;
  }
  return 0;
}

class Lines {
  readonly view: string;
  readonly #encoding: LogEncoding;

  constructor(view: string, encoding: LogEncoding) {
    this.view = view;
    this.#encoding = encoding;
  }

  /** Where the line that holds the unit `at` begins. */
  begin(at: number): number {
    return at <= 0 ? 0 : this.view.lastIndexOf("\n", at - 1) + 1;
  }

  /** Where the line behind the one that holds the unit `at` begins. */
  next(at: number): number {
    const newline = this.view.indexOf("\n", at);
    return newline < 0 ? this.view.length : newline + 1;
  }

  /** The lines of a part, without the last line end. */
  text(from: number, to: number): string {
    return this.#encoding.decode(this.view.slice(from, to)).replaceAll("\r\n", "\n").replace(/[\r\n]$/, "");
  }
}

/** The next place where any of some texts stands. Each is searched for once over the whole view. */
class Hits {
  readonly #view: string;
  readonly #needles: readonly string[];
  readonly #found: number[];

  constructor(view: string, needles: readonly string[]) {
    this.#view = view;
    this.#needles = needles;
    this.#found = needles.map(() => -1);
  }

  next(at: number): number {
    if (this.#needles.length === 0) return at;
    for (const [index, needle] of this.#needles.entries()) {
      if (this.#found[index] >= at) continue;
      const found = this.#view.indexOf(needle, at);
      this.#found[index] = found < 0 ? Infinity : found;
    }
    return Math.min(...this.#found);
  }
}

class NearestLines {
  readonly lines: string[];
  readonly #lines: Lines;
  readonly #rules: readonly ContextRule[];
  #at = 0;

  constructor(lines: Lines, { encoding, rules, context }: Omit<CutOptions, "at">) {
    this.#lines = lines;
    this.#rules = rules.context.map(({ find, pattern }) => ({ find: find.map(encoding.needle), pattern }));
    this.lines = rules.context.map((_, index) => context[index] ?? "");
  }

  /** Looks at the lines since the last call, from the end. */
  moveTo(to: number): void {
    for (const [index, rule] of this.#rules.entries()) {
      this.lines[index] = this.#last(rule, to) ?? this.lines[index];
    }
    this.#at = to;
  }

  #last({ find, pattern }: ContextRule, to: number): string | undefined {
    // A slice, so that what is absent is not searched for before it, again and again.
    const part = this.#lines.view.slice(this.#at, to);
    const found = find.map(() => Infinity);
    for (let before = part.length; before > 0;) {
      for (const [index, needle] of find.entries()) {
        if (found[index] >= before) found[index] = part.lastIndexOf(needle, before - 1);
      }
      const hit = Math.max(...found);
      if (hit < 0) return undefined;
      const from = this.#lines.begin(this.#at + hit);
      const line = this.#lines.text(from, Math.min(to, this.#lines.next(this.#at + hit)));
      if (pattern?.test(line) ?? true) return line;
      before = from - this.#at;
    }
    return undefined;
  }
}
