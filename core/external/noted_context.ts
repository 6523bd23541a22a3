/**
 * A context that notes what the engine throws at a stage, so that what the stage then passes on is known for the
 * engine's, and taken as the engine threw it: whether a run must stop is for the engine alone to say.
 * @module
 */
import type { PipelineError } from "../errors.ts";
import { soundCopy } from "./stage_error.ts";

/** What the engine threw at one stage. */
export class EngineErrors {
  readonly #thrown = new WeakMap<object, PipelineError>();
  /** What the stage threw into the engine: its lists are drawn from, and its callbacks called, by the ports. */
  readonly #passedIn = new WeakSet<object>();

  /** The error as the engine threw it; undefined for what is none of the engine's. */
  asThrown(error: unknown): PipelineError | undefined {
    return isObject(error) ? this.#thrown.get(error) : undefined;
  }

  /** The context, with every error of its functions noted; so are those of what it looks at, and of its places. */
  noting<T extends object>(context: T): T {
    const entries = Object.entries(context).map(([name, value]) => {
      if (name === "source" || name === "evidence") return [name, this.noting(value as object)];
      return [name, typeof value === "function" ? this.#function(name, value, context) : value];
    });
    return Object.freeze(Object.fromEntries(entries)) as T;
  }

  // deno-lint-ignore ban-types
  #function(name: string, act: Function, context: object): (...given: unknown[]) => unknown {
    return (...given) => {
      let answer: unknown;
      try {
        answer = Reflect.apply(act, context, given.map((value) => this.#given(value)));
      } catch (error) {
        throw this.note(error);
      }
      if (name === "place") return this.noting(answer as object);
      if (answer instanceof Promise) {
        // Not by its own `then`: an act knows by that whether the stage heard of its failure.
        void Promise.prototype.then.call(answer, undefined, (error) => void this.note(error));
        return answer;
      }
      return isObject(answer) && Symbol.asyncIterator in answer
        ? this.#drawn(answer as AsyncIterable<unknown>)
        : answer;
    };
  }

  async *#drawn(from: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    try {
      yield* from;
    } catch (error) {
      throw this.note(error);
    }
  }

  #given(value: unknown): unknown {
    if (typeof value === "function") {
      return (...args: unknown[]) => {
        try {
          return value(...args);
        } catch (error) {
          throw this.#pass(error);
        }
      };
    }
    return isObject(value) && Symbol.asyncIterator in value ? this.#passed(value as AsyncIterable<unknown>) : value;
  }

  async *#passed(from: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    try {
      yield* from;
    } catch (error) {
      throw this.#pass(error);
    }
  }

  #pass(error: unknown): unknown {
    // What came out of the engine stays the engine's: a list may be one of its own, drawn through the stage.
    if (isObject(error) && !this.#thrown.has(error)) this.#passedIn.add(error);
    return error;
  }

  /** Takes note of what the engine throws, and returns it. */
  note(error: unknown): unknown {
    if (!isObject(error) || this.#passedIn.has(error) || this.#thrown.has(error)) return error;
    const copy = soundCopy(error);
    if (copy) this.#thrown.set(error, copy);
    return error;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
