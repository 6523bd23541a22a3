import assert from "node:assert/strict";
import { join } from "@std/path";
import type { Command, CommandSpec } from "../../cli/command.ts";
import { reportCrash } from "../../cli/crash.ts";
import { createScreen } from "../../cli/screen.ts";
import { visibleTerminal } from "../../cli/visible_terminal.ts";
import { PipelineError } from "../../core/errors.ts";
import { tempDir } from "../kit/temp.ts";
import { fakeTerminal, runCli } from "./_terminal.ts";

/** A name that clears the screen, overwrites its line and turns its extension round. */
const NAME = "s\x1b[2J\rok\u009b1A\u202efit";
const SHOWN = "s\\u001b[2J\\u000dok\\u009b1A\\u202efit";
const DRIVES = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

function table(run: Command): CommandSpec[] {
  return [{ name: "work", summary: "Work", log: "file", load: () => Promise.resolve({ run }) }];
}

/** Says the name in every way a command has, then fails with it. */
const tell: Command = (_args, { terminal, log, screen }) => {
  terminal.out(`out ${NAME}\n`);
  terminal.err(`err ${NAME}\n`);
  screen.write(`screen ${NAME}\n`);
  log.info(`log ${NAME}`, { name: NAME });
  return Promise.reject(
    new PipelineError("a/b", `Cannot do "${NAME}"`, {
      hint: `look at ${NAME}`,
      findings: [{ rule: "R", severity: "error", path: NAME, message: "bad" }],
    }),
  );
};

Deno.test("main() lets no name drive the terminal or the log file, whichever way a command says it", async () => {
  await using dir = await tempDir();
  const { stdout, stderr } = await runCli(["work"], { commands: table(tell), env: { HOME: dir.path } });
  assert.equal(stdout, `out ${SHOWN}\n`);
  assert.doesNotMatch(stderr, DRIVES);
  for (const way of ["err ", "screen ", "log ", 'Cannot do "', "hint: look at ", "  R  "]) {
    assert.ok(stderr.includes(`${way}${SHOWN}`), `${way} in ${stderr}`);
  }
  const file = join(dir.path, ".config", "labferry", "state", "logs", "labferry-2025-06-15.log");
  const text = await Deno.readTextFile(file);
  assert.doesNotMatch(text, DRIVES);
  assert.ok(text.includes(`log ${SHOWN}`));
});

Deno.test("main() writes JSON that gives such a name back as it is", async () => {
  const run: Command = (_args, { terminal, log }) => {
    terminal.out(`${JSON.stringify([{ name: NAME }], null, 2)}\n`);
    log.info(NAME, { name: NAME });
    return Promise.resolve(0);
  };
  await using dir = await tempDir();
  const options = { commands: table(run), env: { HOME: dir.path } };
  const { stdout, stderr } = await runCli(["work", "--log-format", "json"], options);
  assert.doesNotMatch(stdout + stderr, DRIVES);
  assert.deepEqual(JSON.parse(stdout), [{ name: NAME }]);
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.filter((line) => line.data?.name !== undefined).map((line) => [line.message, line.data.name]),
    [
      [NAME, NAME],
    ],
  );
});

Deno.test("main() lets no argument drive the terminal when it is misspelled", async () => {
  const { code, stderr } = await runCli([NAME]);
  assert.equal(code, 2);
  assert.doesNotMatch(stderr, DRIVES);
  assert.ok(stderr.includes(SHOWN));
});

Deno.test("createScreen() draws over its live lines, and over nothing because of a name", () => {
  const fake = fakeTerminal({ errIsTerminal: true });
  const screen = createScreen(fake.terminal);
  screen.live([`${NAME}\n  copy`]);
  screen.write(`${NAME}\n`);
  const line = `${SHOWN}\\u000a  copy\n`;
  assert.equal(fake.stderr(), `${line}\r\x1b[1A\x1b[J${SHOWN}\n${line}`);
});

Deno.test("visibleTerminal() asks in escaped words and passes on what it does not write", () => {
  const fake = fakeTerminal({ columns: 44 });
  let asked = "";
  const real = Object.assign(fake.terminal, { ask: (question: string) => (asked = question, "yes") });
  const terminal = visibleTerminal(real);
  assert.equal(terminal.ask(`Remove the lock of "${NAME}"?`), "yes");
  assert.equal(asked, `Remove the lock of "${SHOWN}"?`);
  assert.deepEqual([terminal.columns(), terminal.host, terminal.cwd], [44, "testhost", fake.terminal.cwd]);
});

Deno.test("reportCrash() lets no name drive the terminal", async () => {
  await using dir = await tempDir();
  const fake = fakeTerminal({ env: { HOME: dir.path } });
  assert.equal(await reportCrash(new Error(`oops ${NAME}`), { argv: [], terminal: fake.terminal }), 3);
  assert.doesNotMatch(fake.stderr(), DRIVES);
  assert.ok(fake.stderr().includes(`oops ${SHOWN}`));
});
