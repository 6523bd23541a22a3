/** How Windows takes a command line apart, and what Task Scheduler does to it before. Pure. @module */
import { PipelineError } from "../../../core/errors.ts";

/**
 * Returns one argument so that `CommandLineToArgvW`, the C runtime and Deno all read it back as it is: backslashes count
 * only before a quote, where they are doubled.
 */
export function quoteArgument(argument: string): string {
  if (argument !== "" && !/[\s"]/.test(argument)) return argument;
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

/** Returns arguments as one text, to stand behind the program's name. */
export function joinArguments(args: readonly string[]): string {
  return args.map(quoteArgument).join(" ");
}

/**
 * Refuses what Task Scheduler would change in a command, and what its XML cannot hold; neither can be escaped.
 * @throws {PipelineError} `schedule/bad-path`, exit code 2
 */
export function checkText(text: string): void {
  const variable = /%(?=([^%\\/:*?"<>|=]+)%)/.exec(text);
  if (variable !== null) {
    throw refusal(text, `Task Scheduler would put a variable in place of "%${variable[1]}%"`);
  }
  const parameter = /\$\(Arg\d+\)/i.exec(text);
  if (parameter !== null) throw refusal(text, `Task Scheduler would put a parameter in place of "${parameter[0]}"`);
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\ufffe\uffff]/.test(text) || !text.isWellFormed()) {
    throw refusal(text, "it holds a character that Task Scheduler cannot keep");
  }
}

function refusal(text: string, found: string): PipelineError {
  return new PipelineError("schedule/bad-path", `Cannot schedule "${text}": ${found}`, {
    stopsRun: 2,
    hint: "Move or rename the file or folder",
  });
}
