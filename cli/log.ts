/** The log: stderr and a file, as text or JSON lines, secrets taken out. @module */
import { configureSync, getConfig, getLogger, resetSync } from "@logtape/logtape";
import type { LogRecord } from "@logtape/logtape";
import type { Finding } from "../core/errors.ts";
import type { Logger } from "../core/ports.ts";
import { visible } from "../core/visible.ts";
import { count } from "./format.ts";
import type { LogFile } from "./log_file.ts";
import { renderFinding, untoldFindings } from "./render_error.ts";
import { createScrubber } from "./scrub.ts";
import type { Scrubber } from "./scrub.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line of the log, secrets taken out. */
export interface LogLine {
  /** Milliseconds since 1970. */
  at: number;
  level: LogLevel;
  message: string;
  /** `findings`, where the record has some, are lines in words, as many as are told. */
  data: Record<string, unknown>;
}

/** How many findings of one record are told; the report of a run has all of them. */
const FINDINGS_TOLD = 50;

export interface LogOptions {
  format: "text" | "json";
  verbose: boolean;
  quiet: boolean;
  /** Writes to stderr. */
  err(text: string): void;
  /** Whether stderr is a terminal; then lines carry no date. */
  isTerminal: boolean;
  env: Readonly<Record<string, string | undefined>>;
  now(): number;
  /** Opens the log file; left out, the log goes to stderr alone. */
  openFile?(): LogFile;
}

/** The log of this process. */
export interface LogControl extends Disposable {
  readonly logger: Logger;
  readonly scrubber: Scrubber;
  /** The file that is written now; undefined without one. */
  readonly file: string | undefined;
  /** Calls `listener` with every line of `warn` and `error`, for the events of the toolkit's own health. */
  onTrouble(listener: (line: LogLine) => void): void;
  /** Logs what the command prints itself: in text form it goes to the file alone. */
  printed(message: string, data?: Record<string, unknown>): void;
  /** Logs the error that ends a command; in text form it goes to the file alone, since people get it in words. */
  fatal(message: string, data: Record<string, unknown>): void;
}

const LEVELS: Record<LogRecord["level"], LogLevel> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error",
  fatal: "error",
};
const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/**
 * Opens the log. A log file that cannot be opened is said on stderr and does not stop the work. One opened while another
 * is open takes its place until it is disposed.
 */
export function openLog(options: LogOptions): LogControl {
  const scrubber = createScrubber(options.env);
  const listeners: ((line: LogLine) => void)[] = [];
  const stderrFrom: LogLevel = options.quiet ? "error" : options.verbose ? "debug" : "info";
  const format = options.format === "json" ? jsonLine : textLine;
  let isInWords = false;
  const toStderr = (line: LogLine) => {
    if (isInWords) return;
    if (ORDER.indexOf(line.level) < ORDER.indexOf(stderrFrom)) return;
    const text = options.format === "json" ? format(line) : inWords(line, options.isTerminal);
    options.err(`${text}\n`);
  };
  let file: LogFile | undefined;
  const failFile = (error: unknown) => {
    file = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    toStderr({ at: options.now(), level: "warn", message: `The log file cannot be written: ${reason}`, data: {} });
  };
  try {
    file = options.openFile?.();
  } catch (error) {
    failFile(error);
  }
  const sink = (record: LogRecord) => {
    const line = toLine(record, scrubber, options.now());
    toStderr(line);
    if (file !== undefined && (options.verbose || line.level !== "debug")) {
      try {
        file.write(visible(format(line)), line.at);
      } catch (error) {
        failFile(error);
      }
    }
    if (line.level === "warn" || line.level === "error") { for (const listener of listeners) listener(inOne(line)); }
  };
  const outer = getConfig();
  configureSync({
    reset: true,
    sinks: { labferry: sink },
    loggers: [
      { category: "labferry", lowestLevel: "debug", sinks: ["labferry"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["labferry"] },
    ],
  });
  const logger = createLogger();
  return {
    logger,
    scrubber,
    printed(message, data) {
      isInWords = options.format === "text";
      logger.info(message, data);
      isInWords = false;
    },
    fatal(message, data) {
      isInWords = options.format === "text";
      logger.error(message, data);
      isInWords = false;
    },
    get file() {
      return file?.path;
    },
    onTrouble: (listener) => void listeners.push(listener),
    [Symbol.dispose]() {
      if (outer === null) resetSync();
      else configureSync({ ...outer, reset: true });
      file?.[Symbol.dispose]();
    },
  };
}

function createLogger(): Logger {
  const logger = getLogger("labferry");
  // Braces would be placeholders of a template; a message is finished text.
  const literal = (message: string) => message.replace(/[{}]/g, "$&$&");
  return {
    debug: (message, data) => logger.debug(literal(message), data ?? {}),
    info: (message, data) => logger.info(literal(message), data ?? {}),
    warn: (message, data) => logger.warn(literal(message), data ?? {}),
    error: (message, data) => logger.error(literal(message), data ?? {}),
  };
}

function toLine(record: LogRecord, scrubber: Scrubber, at: number): LogLine {
  const message = record.message.map(String).join("");
  const { findings, ...rest } = record.properties;
  const lines = isFindings(findings) ? findingLines(message, findings) : undefined;
  const properties = lines === undefined ? record.properties : lines.length === 0 ? rest : { ...rest, findings: lines };
  return {
    at,
    level: LEVELS[record.level],
    message: scrubber.text(message),
    data: scrubber.value(properties) as Record<string, unknown>,
  };
}

function isFindings(value: unknown): value is Finding[] {
  return Array.isArray(value) && value.every((one) => typeof one?.rule === "string" && typeof one.message === "string");
}

/** The findings that the message does not tell already. */
function findingLines(message: string, findings: readonly Finding[]): string[] {
  const untold = untoldFindings(message, findings);
  const more = untold.length - FINDINGS_TOLD;
  return [...untold.slice(0, FINDINGS_TOLD).map(renderFinding), ...more > 0 ? [count(more, "more finding")] : []];
}

/** The findings of a record; none of one that has other data by that name. */
function findingsOf({ data: { findings } }: LogLine): readonly string[] {
  return Array.isArray(findings) && findings.every((one) => typeof one === "string") ? findings : [];
}

/** For people at a screen, and for what looks for lines of a level: each finding on a line of its own below the record. */
function inWords(line: LogLine, isTerminal: boolean): string {
  const format = isTerminal ? shortLine : textLine;
  const findings = findingsOf(line);
  if (findings.length === 0) return format(line);
  const { findings: _, ...data } = line.data;
  const told = (finding: string) =>
    isTerminal ? `      ${finding}` : format({ ...line, message: `  ${finding}`, data: {} });
  return [format({ ...line, data }), ...findings.map(told)].join("\n");
}

/** For people far away: all the words of a record, which are one trouble. */
function inOne(line: LogLine): LogLine {
  return { ...line, message: [line.message, ...findingsOf(line)].join("\n") };
}

function jsonLine(line: LogLine): string {
  const { at, level, message, data } = line;
  const time = new Date(at).toISOString();
  return JSON.stringify(Object.keys(data).length === 0 ? { time, level, message } : { time, level, message, data });
}

function textLine(line: LogLine): string {
  return `${new Date(line.at).toISOString()} ${shortLine(line)}`;
}

function shortLine({ level, message, data }: LogLine): string {
  const pairs = Object.entries(data).filter(([, value]) => value !== undefined).map(([name, value]) =>
    `${name}=${JSON.stringify(value)}`
  );
  // One record is one line, whatever a name or an error holds.
  const text = [message.replace(/\r?\n/g, "\\n"), ...pairs].join(" ");
  return `${level.padEnd(5)} ${text}`;
}
