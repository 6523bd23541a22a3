import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { EngineErrors } from "../../../core/external/noted_context.ts";

const held = () => new PipelineError("lock/held", "Cannot lock", { stopsRun: 1 });

async function caught(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

function fails(): never {
  throw held();
}

async function* drawn(): AsyncGenerator<never> {
  yield* [];
  fails();
}

Deno.test("EngineErrors.noting() notes what functions, places and lists of a context throw, as they threw it", async () => {
  const engine = new EngineErrors();
  const ctx = engine.noting({
    now: fails,
    later: () => Promise.reject(held()),
    source: { walk: drawn },
    place: () => ({ write: () => Promise.reject(held()) }),
    value: 3,
  });
  const acts = [ctx.now, ctx.later, () => Array.fromAsync(ctx.source.walk()), () => ctx.place().write()];
  for (const act of acts) {
    const error = await caught(act) as PipelineError;
    Object.assign(error, { code: "run/stopped", stopsRun: 0 });
    const { code, stopsRun } = engine.asThrown(error) ?? assert.fail("it is not noted");
    assert.deepEqual([code, stopsRun], ["lock/held", 1]);
  }
  assert.equal(ctx.value, 3);
  assert.ok(Object.isFrozen(ctx));
});

Deno.test("EngineErrors.noting() takes nothing for the engine's that the stage threw into it", async () => {
  const engine = new EngineErrors();
  const ctx = engine.noting({
    missing: async function* (files: AsyncIterable<string>, onHeld: () => void) {
      yield* files;
      onHeld();
    },
  });
  const empty = async function* () {};
  for (const [files, onHeld] of [[drawn(), () => {}], [empty(), fails]] as const) {
    const error = await caught(() => Array.fromAsync(ctx.missing(files, onHeld)));
    assert.ok(error instanceof PipelineError);
    assert.equal(engine.asThrown(error), undefined);
  }
});

Deno.test("EngineErrors.noting() knows an error of the engine that a stage hands back to it", async () => {
  const engine = new EngineErrors();
  const ctx = engine.noting({
    files: drawn,
    missing: async function* (files: AsyncIterable<string>) {
      yield* files;
    },
  });
  const error = await caught(() => Array.fromAsync(ctx.missing(ctx.files())));
  assert.equal(engine.asThrown(error)?.code, "lock/held");
});

Deno.test("EngineErrors.noting() hears no failure in the stage's place: what nobody waited for stays known as such", async () => {
  let heard = 0;
  class Answer extends Promise<never> {
    static override get [Symbol.species](): PromiseConstructor {
      return Promise;
    }
    override then<A = never, B = never>(
      onDone?: ((value: never) => A | PromiseLike<A>) | null,
      onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      heard++;
      return super.then(onDone, onError);
    }
  }
  const engine = new EngineErrors();
  const error = held();
  const ctx = engine.noting({ act: () => new Answer((_resolve, reject) => reject(error)) });
  const answer = ctx.act();
  await Deno.lstat(".");
  assert.deepEqual([heard, engine.asThrown(error)?.code], [0, "lock/held"]);
  assert.equal(await caught(() => answer), error);
});
