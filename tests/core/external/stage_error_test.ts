import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { soundCopy, stageError, type Thrower } from "../../../core/external/stage_error.ts";

function named(thrown: unknown, by: Partial<Thrower> = {}): PipelineError {
  const error = stageError(thrown, { stage: "own", file: "/lab/own.ts", doing: "apply", ...by });
  assert.ok(error instanceof PipelineError, String(error));
  return error;
}

const FAILED = 'Cannot apply stage "own" of "/lab/own.ts": ';

Deno.test("stageError() keeps the words of a sound error, and says whose they are", () => {
  const finding = { rule: "R1", severity: "error", path: "a.txt", message: "is bad" } as const;
  const given = new PipelineError("preview/none", "Cannot share it", {
    hint: "Export it",
    retry: "transient",
    findings: [finding],
    cause: new Error("inner"),
  });
  const { code, message, hint, retry, findings, cause } = named(given);
  assert.deepEqual([code, message, hint, retry, findings, (cause as Error).message], [
    "preview/none",
    'Cannot share it (said by stage "own" of "/lab/own.ts")',
    "Export it",
    "transient",
    [finding],
    "inner",
  ]);
});

Deno.test("S19 stageError() makes an error that can be told of one that cannot", () => {
  const odd = (code: unknown, message: unknown, options: object = {}) =>
    new PipelineError(code as string, message as string, options);
  const errors: [unknown, string][] = [
    [odd("x/y", "Cannot", { findings: ["a.txt is bad"] }), 'Cannot; .*"findings\\[0\\]": found "a.txt is bad", wanted'],
    [odd("x/y", "Cannot", { findings: [{ path: "a" }] }), '"findings\\[0\\]": "rule": found nothing'],
    [odd(42, { a: 1 }, { hint: [], findings: "nonsense" }), '"code": found the number 42.*"hint": found an empty list'],
    [odd("Cannot do it", undefined), 'without words; .*"code": found "Cannot do it".*"message": found an empty text'],
    [odd("x/y", "Cannot", { retry: "often" }), '"retry": found "often"'],
    [odd("run/stopped", "Cannot"), 'Cannot; .*"code": found "run/stopped", wanted a code of its own'],
    [odd("run/timeout", "Cannot"), '"run/timeout"'],
    [odd("internal/unexpected", "Cannot"), '"internal/unexpected"'],
    [odd("destroy/clock", "Cannot"), '"destroy/clock"'],
    [new Error("plain"), "Error: plain"],
    [new DOMException("late", "TimeoutError"), "TimeoutError: late"],
    [Object.assign(new Error("x"), { name: "AbortError" }), "AbortError: x"],
    [undefined, "nothing"],
    [null, "null"],
    ["words", '"words"'],
    [Symbol("s"), "the symbol"],
  ];
  for (const [error, says] of errors) {
    const found = named(error);
    assert.equal(found.code, "plugins/stage-failed");
    assert.ok(found.message.startsWith(FAILED), found.message);
    assert.match(found.message.slice(FAILED.length), new RegExp(`^.*${says}`));
    assert.deepEqual(found.findings, []);
    JSON.stringify(found);
  }
});

Deno.test("S19 stageError() reads each part once, survives parts that throw, and lets none stop the run", () => {
  const throwing = (key: string) => {
    const error = new PipelineError("x/y", "Cannot");
    return Object.defineProperty(error, key, {
      get() {
        throw new Error("not to be read");
      },
    });
  };
  for (const key of ["code", "message", "findings", "hint", "retry", "stopsRun", "cause", "name", "stack"]) {
    assert.equal(named(throwing(key)).stopsRun, undefined, key);
  }
  const proxy = new Proxy(new PipelineError("x/y", "Cannot"), {
    get() {
      throw new Error("no");
    },
    getPrototypeOf() {
      throw new Error("no");
    },
  });
  assert.equal(named(proxy).message, `${FAILED}what it threw cannot be read`);
  let asked = 0;
  const changing = Object.defineProperty(new PipelineError("x/y", "Cannot"), "code", {
    get: () => asked++ === 0 ? "x/y" : "run/stopped",
  });
  assert.equal(named(changing).code, "x/y");
  for (const stopsRun of [0, 1, 2, 3, 130]) {
    const stops = Object.defineProperty(new PipelineError("x/y", "Cannot"), "stopsRun", { value: stopsRun });
    assert.deepEqual([named(stops).code, named(stops).stopsRun], ["x/y", undefined]);
  }
});

Deno.test("stageError() names the file of what the system said, and whether to try again", () => {
  const gone = named(Object.assign(new Error("No such file '/nope'"), { code: "ENOENT" }));
  assert.deepEqual([gone.code, gone.message], ["io/gone", `${FAILED}nothing is there (No such file '/nope')`]);
  assert.equal(named(Object.assign(new Error("x"), { code: "ETIMEDOUT" })).retry, "transient");
});

Deno.test("stageError() of a stage that is asked what it is has a code that lint explains", () => {
  for (const error of [new PipelineError("x/y", "Cannot"), Object.assign(new Error("x"), { code: "ENOENT" })]) {
    assert.equal(named(error, { isDescribed: true }).code, "plugins/stage-failed");
  }
});

Deno.test("stageError() takes an abort for the end the engine asked for only when it did", () => {
  const reason = new DOMException("over", "TimeoutError");
  const by = { stage: "own", file: "/lab/own.ts", doing: "apply", signal: AbortSignal.abort(reason) };
  assert.equal(stageError(reason, by), reason);
  assert.equal(stageError(Object.assign(new Error("of node"), { name: "AbortError" }), by), reason);
  assert.equal(named(new Error("else"), by).code, "plugins/stage-failed");
  const words = named(new PipelineError("x/y", "Cannot", { cause: reason }), by);
  assert.equal(words.cause, reason, "the engine tells a timeout by it");
});

Deno.test("stageError() tells what failed first, not what failed to be put away behind it", () => {
  assert.equal(named(new SuppressedError(new Error("behind"), new Error("first"))).message, `${FAILED}Error: first`);
});

Deno.test("soundCopy() copies what the engine relies on, and nothing that is not sound", () => {
  const copy = soundCopy(new PipelineError("lock/held", "Cannot lock", { stopsRun: 1, retry: "transient" }));
  assert.deepEqual([copy?.code, copy?.stopsRun, copy?.retry], ["lock/held", 1, "transient"]);
  assert.equal(soundCopy(new Error("x")), undefined);
  assert.equal(soundCopy(new PipelineError("x/y", "")), undefined);
  assert.equal(soundCopy(new PipelineError("x/y", "m", { stopsRun: 0 as 1 }))?.stopsRun, undefined);
});
