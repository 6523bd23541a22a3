import assert from "node:assert/strict";
import type { AnyStage, Plan } from "../../../core/contract.ts";
import { PipelineError } from "../../../core/errors.ts";
import { checkedStage } from "../../../core/external/checked_stage.ts";
import { z } from "../../../core/options.ts";

/** A stage of these answers, which need not be of any shape. */
function stage(answers: Record<string, unknown> = {}): AnyStage {
  const sound = {
    kind: "stage",
    name: "own",
    summary: "Looks.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({}),
    example: "",
    open: () => ({ plan: async function* () {}, apply: () => Promise.resolve() }),
  };
  return checkedStage({ ...sound, ...answers } as unknown as AnyStage, "/lab/own.ts");
}

/** What a call throws, by then or at once. */
async function thrown(call: () => unknown): Promise<PipelineError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof PipelineError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

async function plansOf(plan: unknown): Promise<Plan[]> {
  const run = await stage({ open: () => ({ plan, apply() {} }) }).open({}, {} as never);
  return await Array.fromAsync(run.plan({} as never, {} as never));
}

Deno.test("checkedStage() passes on what is of the right shape", async () => {
  const facts = {
    needs: [{ fact: "hashed" }],
    gives: [{ fact: "proved", place: "x", strength: "weak" }],
    kills: "everything",
  };
  const place = { kind: "directory", id: "x", root: "/x", durability: "flushed" };
  const use = { kind: "notifier", name: "n", options: {}, at: ["a"] };
  const own = stage({ facts: () => facts, places: () => [place], uses: () => [use], goesOn: () => 1, parallel: 3 });
  assert.deepEqual(own.facts?.({}, "x"), facts);
  assert.deepEqual(own.places?.({}, "x", {}), [place]);
  assert.deepEqual(own.uses?.({}), [use]);
  assert.deepEqual([own.parallel, own.goesOn?.({} as never), own.before], [3, false, undefined]);
  const plans = [
    { kind: "todo", id: "a", summary: "do", data: null, files: [], bytes: 0 },
    { kind: "skip", why: "no", files: 2 },
    { kind: "wait", why: "later", until: 7 },
    { kind: "drop", why: "no" },
  ];
  assert.deepEqual(
    await plansOf(async function* () {
      yield* plans;
    }),
    plans,
  );
});

Deno.test("checkedStage() keeps `this` of a stage that is an instance of a class, and disposes what it opened", async () => {
  const done: string[] = [];
  class Own {
    readonly #word = "mine";
    readonly kind = "stage";
    readonly name = "own";
    facts() {
      return this.#word === "mine" ? {} : undefined;
    }
    open() {
      return {
        word: this.#word,
        async *plan() {},
        apply() {
          done.push(this.word);
        },
        [Symbol.asyncDispose]() {
          done.push("disposed");
        },
      };
    }
  }
  const own = checkedStage(new Own() as unknown as AnyStage, "/lab/own.ts");
  assert.deepEqual(own.facts?.({}, "x"), {});
  {
    await using run = await own.open({}, {} as never) as unknown as AsyncDisposable & {
      apply(a: null, b: object): unknown;
    };
    await run.apply(null, {});
  }
  assert.deepEqual(done, ["mine", "disposed"]);
});

Deno.test("checkedStage() refuses facts, places and uses of another shape, with what was found and wanted", async () => {
  const answers: [string, unknown, RegExp][] = [
    ["facts", undefined, /facts\(\): found nothing: .*expected object/],
    ["facts", { gives: [{ fact: "proven", place: "x" }] }, /facts\(\)\.gives\[0\]\.fact: found "proven": .*"proved"/],
    ["facts", { kills: "all" }, /facts\(\)\.kills: found "all"/],
    ["facts", { give: [] }, /facts\(\).*Unrecognized key.*give/],
    ["places", [{ kind: "directory", id: "x", root: "" }], /places\(\)\[0\]\.root: found an empty text/],
    ["places", {}, /places\(\): found an object/],
    ["uses", [{ kind: "stage" }], /uses\(\)\[0\]\.kind: found "stage"/],
  ];
  for (const [name, answer, says] of answers) {
    const own = stage({ [name]: () => answer }) as unknown as Record<string, (...of: unknown[]) => unknown>;
    const { code, message } = await thrown(() => own[name]({}, "x", {}));
    assert.equal(code, "plugins/bad-answer");
    assert.ok(message.startsWith('Cannot use stage "own" of "/lab/own.ts": '), message);
    assert.match(message, says);
  }
});

Deno.test("checkedStage() refuses what open() and plan() should not give", async () => {
  for (
    const [opened, says] of [[undefined, /open\(\): found nothing/], [{}, /"plan": found nothing, .*"apply"/]] as const
  ) {
    const error = await thrown(() => stage({ open: () => opened }).open({}, {} as never));
    assert.equal(error.code, "plugins/bad-answer");
    assert.match(error.message, says);
  }
  const plans: [unknown, RegExp][] = [
    [undefined, /plan\(\): found nothing, wanted kind "todo"/],
    [{ kind: "toString" }, /found kind "toString"/],
    [{ kind: "todo", id: "a", summary: "b" }, /plan\(\): todo "data": found nothing, wanted data for apply, null/],
    [{ kind: "todo", id: 3, summary: "b", data: 1 }, /"id": found the number 3/],
    [{ kind: "todo", id: "a", summary: "b", data: new Map() }, /"data": found an instance of Map, wanted what JSON/],
    [{ kind: "skip", why: "x", files: -5 }, /"files": found the number -5, wanted a number of at least 0/],
    [{ kind: "skip", why: "x", bytes: Infinity }, /"bytes": found the number Infinity/],
    [{ kind: "skip" }, /skip "why": found nothing/],
    [{ kind: "drop", why: "x", reason: "y" }, /"reason": found "y", wanted no such field/],
  ];
  for (const [plan, says] of plans) {
    const error = await thrown(() =>
      plansOf(async function* () {
        yield plan;
      })
    );
    assert.equal(error.code, "plugins/bad-answer");
    assert.match(error.message, says);
  }
});

Deno.test("checkedStage() names the file in what fails, and gives back what the engine threw at it", async () => {
  const failing = (error: unknown, ctx: Record<string, unknown> = {}) => async () => {
    const apply = (_step: unknown, lent: { act?: () => void }) => lent.act?.() ?? Promise.reject(error);
    await (await stage({ open: () => ({ plan: () => [], apply }) }).open({}, {} as never)).apply(
      {} as never,
      ctx as never,
    );
  };
  const named = await thrown(failing(new RangeError("deep")));
  assert.equal(named.code, "plugins/stage-failed");
  assert.equal(named.message, 'Cannot apply stage "own" of "/lab/own.ts": RangeError: deep');
  assert.equal((named.cause as Error).name, "RangeError");
  const own = await thrown(failing(new PipelineError("own/words", "Cannot do it")));
  assert.deepEqual([own.code, own.message], [
    "own/words",
    'Cannot do it (said by stage "own" of "/lab/own.ts")',
  ]);
  const held = new PipelineError("lock/held", "Cannot lock it", { stopsRun: 1 });
  const act = () => {
    throw held;
  };
  const engine = await thrown(failing(undefined, { act }));
  assert.deepEqual([engine.code, engine.message, engine.stopsRun], ["lock/held", "Cannot lock it", 1]);
  const signal = AbortSignal.abort(new DOMException("stop", "AbortError"));
  await assert.rejects(failing(signal.reason, { signal }), (error) => error === signal.reason);
  // Of the stage's own making, though of the same class.
  for (const own of [signal.reason, new DOMException("could not be cloned", "DataCloneError")] as DOMException[]) {
    const { code, message } = await thrown(failing(own, { signal: new AbortController().signal }));
    assert.deepEqual([code, message], [
      "plugins/stage-failed",
      `Cannot apply stage "own" of "/lab/own.ts": ${own.name}: ${own.message}`,
    ]);
  }
  const asked = await thrown(() =>
    stage({
      facts: () => {
        throw new Error("no");
      },
    }).facts?.({}, "x")
  );
  assert.equal(asked.message, 'Cannot ask facts() of stage "own" of "/lab/own.ts": Error: no');
});

Deno.test("checkedStage() names the file of a disposal that throws", async () => {
  const run = await stage({
    open: () => ({ async *plan() {}, apply() {}, [Symbol.asyncDispose]: () => Promise.reject(new Error("boo")) }),
  }).open({}, {} as never);
  const { code, message } = await thrown(() => run[Symbol.asyncDispose]?.());
  assert.deepEqual([code, message], [
    "plugins/stage-failed",
    'Cannot dispose of stage "own" of "/lab/own.ts": Error: boo',
  ]);
});

Deno.test("checkedStage() refuses files of a step that are none, by their number", async () => {
  const sound = { path: "a.txt", size: 1, mtimeMs: null, kind: "file" };
  const plans = (files: unknown) =>
    plansOf(async function* () {
      yield { kind: "todo", id: "a", summary: "do", data: null, files };
    });
  assert.equal((await plans([sound])).length, 1);
  for (
    const [file, found] of [
      [null, '"files[1]": found null, wanted a file of the study'],
      [{ size: 1 }, '"files[1]": "path": found nothing, wanted a text'],
      [{ path: "b", size: "1" }, '"files[1]": "size": found "1", wanted a number of at least 0'],
    ] as const
  ) {
    const { code, message } = await thrown(() => plans([sound, file]));
    assert.equal(code, "plugins/bad-answer");
    assert.ok(message.endsWith(found), message);
  }
});

Deno.test("checkedStage() asks goesOn() about a copy, and names the file when it throws", async () => {
  const error = new PipelineError("copy/conflict", "Cannot copy");
  const spoils = stage({ goesOn: (given: { code: string }) => Reflect.set(given, "code", "x/y") });
  assert.deepEqual([spoils.goesOn?.(error), error.code], [true, "copy/conflict"]);
  const throws = stage({
    goesOn: () => {
      throw new Error("no");
    },
  });
  assert.match((await thrown(() => throws.goesOn?.(error))).message, /^Cannot ask goesOn\(\) of stage "own"/);
});

Deno.test("checkedStage() refuses a destroy that wants no place", async () => {
  for (const places of [0, -3, 1.5]) {
    const own = stage({ facts: () => ({ destroys: { place: "source", places } }) });
    assert.equal((await thrown(() => own.facts?.({}, "own"))).code, "plugins/bad-answer", String(places));
  }
});
