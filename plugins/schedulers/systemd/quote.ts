/** Texts as unit files want them. Pure. Source of the rules: systemd.service(5), systemd.syntax(7). @module */
import { PipelineError } from "../../../core/errors.ts";

const NAMED: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r" };

function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what is escaped
  return text.replaceAll("%", "%%").replace(/[\\"\u0000-\u001f\u007f]/g, (char) => {
    if (char === "\0") throw refusal(text, "it holds a NUL character");
    return NAMED[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** A value within quotes, for example of `Environment=`. `%` would begin a specifier. */
export function quoteValue(text: string): string {
  return `"${escape(text)}"`;
}

/**
 * The command of `ExecStart=`. `$` begins a variable in arguments, and means itself in the program's path. systemd takes
 * no program whose path holds quotes or backslashes; a shell is then the program, and starts it.
 */
export function execStart(argv: readonly [string, ...string[]]): string {
  const [program, ...args] = /["'\\\u0000-\u001f\u007f]/.test(argv[0])
    ? ["/bin/sh", "-c", 'exec "$0" "$@"', ...argv]
    : argv;
  return [quoteValue(program), ...args.map((argument) => quoteValue(argument.replaceAll("$", "$$$$")))].join(" ");
}

/**
 * A path that stands without quotes to the end of its line, as that of `WorkingDirectory=` does.
 * @throws {PipelineError} `schedule/bad-path`, exit code 2, for a control character: there is no way to write one here
 */
export function barePath(path: string): string {
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) throw refusal(path, "it holds a control character");
  // A blank at the end would be taken off, and a backslash would join the next line.
  return `${path.replaceAll("%", "%%")}${/[\s\\]$/.test(path) ? "/" : ""}`;
}

function refusal(text: string, found: string): PipelineError {
  return new PipelineError("schedule/bad-path", `Cannot schedule "${text}": ${found}, which a unit file cannot hold`, {
    stopsRun: 2,
    hint: "Move or rename the file or folder",
  });
}
