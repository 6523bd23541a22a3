import assert from "node:assert/strict";
import fc from "fast-check";
import { PipelineError } from "../../../../core/errors.ts";
import { checkText, joinArguments, quoteArgument } from "../../../../plugins/schedulers/schtasks/quote.ts";

/** The rules of CommandLineToArgvW and the C runtime for what stands behind the program's name. */
function splitArguments(line: string): string[] {
  const args: string[] = [];
  let argument: string | undefined;
  let inQuotes = false;
  for (let at = 0; at < line.length;) {
    const [backslashes] = /^\\*/.exec(line.slice(at))!;
    at += backslashes.length;
    if (line[at] === '"') {
      argument = (argument ?? "") + "\\".repeat(Math.floor(backslashes.length / 2));
      if (backslashes.length % 2 === 1) argument += '"';
      else inQuotes = !inQuotes;
      at++;
      continue;
    }
    if (backslashes !== "") argument = (argument ?? "") + backslashes;
    if (at >= line.length) break;
    if (!inQuotes && /[ \t]/.test(line[at])) {
      if (argument !== undefined) args.push(argument);
      argument = undefined;
    } else argument = (argument ?? "") + line[at];
    at++;
  }
  if (argument !== undefined) args.push(argument);
  return args;
}

/** Bits of which paths and arguments are made that need care. */
const nasty = fc.array(
  fc.oneof(
    fc.constantFrom("\\", '"', " ", "%", "$", "ü", "界", "🔬", "'", "a", "\t", "&", "^", ";", "(", ")"),
    fc.string(),
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("joinArguments() is read back as it was, whatever the arguments hold", () => {
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 6 }), (args) => {
      assert.deepEqual(splitArguments(joinArguments(args)), args);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("quoteArgument() leaves plain arguments as they are", () => {
  assert.equal(quoteArgument("C:\\lab\\config.toml"), "C:\\lab\\config.toml");
  assert.equal(quoteArgument("C:\\lab one\\"), '"C:\\lab one\\\\"');
  assert.equal(quoteArgument(""), '""');
  assert.equal(quoteArgument('a"b'), '"a\\"b"');
});

/** What ExpandEnvironmentStrings does: a name between two signs gives way if it is set. */
function expand(text: string, isSet: (name: string) => boolean): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    const end = text[at] === "%" ? text.indexOf("%", at + 1) : -1;
    const name = end < 0 ? "" : text.slice(at + 1, end);
    if (name !== "" && isSet(name)) {
      out += "<value>";
      at = end + 1;
    } else out += text[at++];
  }
  return out;
}

Deno.test("checkText() passes only what no variable can change", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      try {
        checkText(text);
      } catch (error) {
        assert.ok(error instanceof PipelineError && error.code === "schedule/bad-path");
        return;
      }
      assert.equal(expand(text, (name) => /^[^\\/:*?"<>|=]+$/.test(name)), text);
    }),
    { numRuns: 1000 },
  );
  for (const fine of ["C:\\100%\\x", "C:\\50%\\a\\60%\\b", "$HOME", "$(date)", "ü", "C:\\a'b"]) checkText(fine);
});

Deno.test("checkText() says what Task Scheduler would change", () => {
  const refused = (text: string, words: RegExp) =>
    assert.throws(() => checkText(text), (error) => error instanceof PipelineError && words.test(error.message));
  refused("C:\\%TEMP%\\x", /a variable in place of "%TEMP%"/);
  refused("100%a%b", /"%a%"/);
  refused("$(Arg0)", /a parameter/);
  refused("a\nb", /cannot keep/);
  refused("a\ud800b", /cannot keep/);
});
