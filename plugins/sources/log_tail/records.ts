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
  /** For each rule the nearest line before it, in the order in which they stand in the log. */
  context: readonly NearLine[];
}

/** A line of the context: the nearest one of its rule. */
export interface NearLine {
  /** Index of the rule. */
  readonly rule: number;
  readonly line: string;
}

export interface Cut {
  /** Units of the view that are dealt with. */
  end: number;
  records: CutRecord[];
  /** The nearest lines before `end`. */
  context: readonly NearLine[];
  /** There were as many records as was asked for: more may stand behind `end`. */
  isFull: boolean;
  /** A record was longer than is allowed: it is cut. */
  isCut: boolean;
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
  /** The nearest lines before the view. */
  context: readonly NearLine[];
  /** How many records are taken out at most. */
  most?: number;
  /** How long a record may be, in units. */
  longest?: number;
}

/** How much of a line patterns look at, and how much of it is handed on as context, in units of a view. */
const LINE_UNITS = 4096;
/** From how many lines on it pays to look at a whole view at once. */
const MANY_LINES = 100;
const NEWLINE = 10;
const RETURN = 13;

/** Cuts a view that begins where a line begins. */
export function cutRecords(view: string, options: CutOptions): Cut {
  const { encoding, rules, most = Infinity, longest = Infinity } = options;
  const lines = new Lines(view, encoding);
  let { end, isCut } = endOf(lines, options);
  let isFull = false;
  const context = new NearestLines(lines, options);
  const hits = new Hits(view, rules.find.map((text) => encoding.needle(text)));
  const records: CutRecord[] = [];
  const starts = (at: number) => rules.start.test(lines.peek(at, lines.next(at)));
  for (let at = 0; at < end;) {
    if (records.length >= most) {
      isFull = true;
      end = at;
      break;
    }
    const hit = hits.next(at);
    if (hit >= end) break;
    let from = Math.max(at, lines.begin(hit));
    while (from > at && hit - from < longest && !starts(from)) from = lines.begin(from - 1);
    let to = lines.next(hit);
    while (to < end && to - from < longest && !starts(to)) to = lines.next(to);
    to = Math.min(to, end, from + longest);
    isCut ||= to - from >= longest;
    context.moveTo(from);
    records.push({ at: from, text: lines.text(from, to), context: context.lines });
    at = to;
  }
  context.moveTo(end);
  return { end, records, context: context.lines, isFull, isCut };
}

/** The nearest lines of the context before the end of a view, and where its last whole line ends. */
export function contextOf(
  view: string,
  options: Omit<CutOptions, "at" | "most" | "longest">,
): Pick<Cut, "end" | "context"> {
  const lines = new Lines(view, options.encoding);
  const context = new NearestLines(lines, options);
  const { end } = endOf(lines, { ...options, at: "line" });
  context.moveTo(end);
  return { end, context: context.lines };
}

function endOf(lines: Lines, { rules, at, longest = Infinity }: EndOptions): { end: number; isCut: boolean } {
  const { length } = lines.view;
  if (at === "end") return { end: length, isCut: false };
  const whole = lines.begin(length);
  if (at === "line" && whole > 0) return { end: whole, isCut: false };
  // Not further back than a record may be long: of a log without times, every line would be looked at in vain.
  for (let to = whole; to > 0 && whole - to < longest;) {
    const from = lines.begin(to - 1);
    if (from > 0 && rules.start.test(lines.peek(from, to))) return { end: from, isCut: false };
    to = from;
  }
  if (length < longest) return { end: 0, isCut: false };
  return { end: whole > 0 ? whole : length, isCut: true };
}

type EndOptions = Pick<CutOptions, "rules" | "at" | "longest">;

class Lines {
  readonly view: string;
  readonly #encoding: LogEncoding;
  /** Of the whole view; only asked when many lines are looked at. */
  #isPlain = false;
  #peeked = 0;

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

  /**
   * The beginning of the line at `from`, without its end, to be looked at and not kept. Nothing is decoded that need not
   * be: of a log without a find, every line may have to be looked at.
   */
  peek(from: number, to: number): string {
    let end = Math.min(to, from + LINE_UNITS);
    if (end > from && this.view.charCodeAt(end - 1) === NEWLINE) end--;
    if (end > from && this.view.charCodeAt(end - 1) === RETURN) end--;
    const part = this.view.slice(from, end);
    if (this.#peeked++ === MANY_LINES) this.#isPlain = this.#encoding.isPlain(this.view);
    return this.#isPlain || this.#encoding.isPlain(part) ? part : this.#encoding.decode(part);
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
  /** In the order of the log; another list after each move that found one. */
  lines: readonly NearLine[];
  readonly #lines: Lines;
  readonly #rules: readonly ContextRule[];
  #at = 0;

  constructor(lines: Lines, { encoding, rules, context }: Omit<CutOptions, "at">) {
    this.#lines = lines;
    this.#rules = rules.context.map(({ find, pattern }) => ({ find: find.map(encoding.needle), pattern }));
    this.lines = context.filter(({ rule }) => rule < rules.context.length);
  }

  /** Looks at the lines since the last call, from the end. */
  moveTo(to: number): void {
    const found = this.#rules.flatMap((one, rule) => {
      const last = this.#last(one, to);
      return last === undefined ? [] : [{ rule, ...last }];
    });
    this.#at = to;
    if (found.length === 0) return;
    found.sort((a, b) => a.at - b.at);
    const older = this.lines.filter((near) => !found.some(({ rule }) => rule === near.rule));
    this.lines = [...older, ...found.map(({ rule, line }) => ({ rule, line }))];
  }

  #last({ find, pattern }: ContextRule, to: number): { at: number; line: string } | undefined {
    // A slice, so that what is absent is not searched for before it, again and again.
    const part = this.#lines.view.slice(this.#at, to);
    // Searching forwards is many times faster, and most texts are not there at all.
    const needles = find.filter((needle) => part.includes(needle));
    const found = needles.map(() => Infinity);
    for (let before = part.length; before > 0;) {
      let hit = -1;
      for (let index = 0; index < needles.length; index++) { // runs for every line of some logs: no iterator
        if (found[index] >= before) found[index] = part.lastIndexOf(needles[index], before - 1);
        if (found[index] > hit) hit = found[index];
      }
      if (hit < 0) return undefined;
      const from = this.#lines.begin(this.#at + hit);
      const end = Math.min(to, this.#lines.next(this.#at + hit));
      if (pattern?.test(this.#lines.peek(from, end)) ?? true) {
        return { at: from, line: this.#lines.text(from, Math.min(end, from + LINE_UNITS)) };
      }
      before = from - this.#at;
    }
    return undefined;
  }
}
