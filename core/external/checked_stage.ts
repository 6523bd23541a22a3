/**
 * A stage from outside behind a check of everything it answers: what the engine reads is of the shape it relies on, and
 * what goes wrong names the file.
 * @module
 */
import { z } from "zod";
import type {
  AnyStage,
  Fact,
  Item,
  PlaceDeclaration,
  Plan,
  PluginUse,
  StageFacts,
  StageRun,
  UploadSettings,
} from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { ReadContext, RunContext, WriteContext } from "../ports.ts";
import { STAGE_FIELDS } from "./check_stage.ts";
import { type Field, fieldFaults, functionField, list, notJson, oneOf, optional, shown, text } from "./field.ts";
import { EngineErrors } from "./noted_context.ts";
import { soundCopy, stageError, type Thrower } from "./stage_error.ts";

/** Schemas of every field: the compiler sees to it that none is forgotten. */
type Shape<T> = Required<{ [K in keyof T]: z.ZodType }>;

const FACT = z.strictObject(
  {
    fact: z.enum(["hashed", "written", "proved", "sealed", "recorded", "locked"]),
    place: z.string().min(1).optional(),
    strength: z.enum(["strong", "weak", "none"]).optional(),
  } satisfies Shape<Fact>,
);

const FACTS = z.strictObject(
  {
    needs: z.array(FACT).optional(),
    gives: z.array(FACT).optional(),
    kills: z.union([z.array(FACT), z.literal("everything")]).optional(),
    destroys: z.strictObject({ place: z.string().min(1), places: z.number().int().min(1) }).optional(),
    needsAllProved: z.boolean().optional(),
  } satisfies Shape<StageFacts>,
);

const PLACES = z.array(z.discriminatedUnion("kind", [
  z.strictObject(
    {
      kind: z.literal("directory"),
      id: z.string().min(1),
      root: z.string().min(1),
      domain: z.string().optional(),
      durability: z.enum(["flushed", "cached"]),
    } satisfies Shape<Extract<PlaceDeclaration, { kind: "directory" }>>,
  ),
  z.strictObject(
    {
      kind: z.literal("objects"),
      id: z.string().min(1),
      store: z.string().min(1),
      options: z.record(z.string(), z.json()),
      prefix: z.string(),
      domain: z.string().optional(),
      upload: z.strictObject(
        {
          verify: z.enum(["auto", "read-back", "none"]),
          partSize: z.number().int().positive(),
          parallel: z.number().int().positive(),
          storageClass: z.string().optional(),
        } satisfies Shape<UploadSettings>,
      ),
    } satisfies Shape<Extract<PlaceDeclaration, { kind: "objects" }>>,
  ),
]));

const USES = z.array(z.strictObject(
  {
    kind: z.literal("notifier"),
    name: z.string().min(1),
    options: z.record(z.string(), z.json()),
    at: z.array(z.string()),
  } satisfies Shape<PluginUse>,
));

const count: Field = {
  wanted: "a number of at least 0",
  is: (value) => typeof value === "number" && value >= 0 && value < Infinity,
};
const anything: Field = { wanted: "data for apply, null if there is none", is: () => true };

/** What is relied on of a file, which may come with more. */
const FILE: Record<string, Field> = { path: text, size: count };

const PLANS: { [K in Plan["kind"]]: Record<keyof Extract<Plan, { kind: K }>, Field> } = {
  todo: {
    kind: oneOf("todo"),
    id: text,
    summary: text,
    files: optional(list),
    bytes: optional(count),
    alone: optional({ wanted: "true", is: (value) => value === true }),
    promises: optional({ wanted: "an object", is: (value) => typeof value === "object" && value !== null }),
    data: { ...anything, is: (value) => value !== undefined },
  },
  skip: { kind: oneOf("skip"), why: text, files: optional(count), bytes: optional(count) },
  drop: { kind: oneOf("drop"), why: text },
  wait: { kind: oneOf("wait"), why: text, until: optional(count) },
};

const RUN: Record<string, Field> = { plan: functionField, apply: functionField };

/** Returns the stage with every answer checked. `file` is named in what is thrown. */
export function checkedStage(plugin: AnyStage, file: string): AnyStage {
  const guard = new Guard(plugin.name, file);
  const fields = Object.fromEntries(
    Object.keys(STAGE_FIELDS).map((key) => [key, plugin[key as keyof AnyStage]]).filter(([, value]) =>
      value !== undefined
    ),
  ) as unknown as AnyStage;
  const checked: AnyStage = {
    ...fields,
    async open(options, run) {
      return guard.run(await guard.open(run, (noted) => plugin.open(options, noted)) as StageRun);
    },
  };
  if (plugin.facts) checked.facts = (options, id) => guard.shape("facts", FACTS, () => plugin.facts?.(options, id));
  if (plugin.places) {
    const places = plugin.places.bind(plugin);
    checked.places = (options, id, config) =>
      guard.shape("places", PLACES, () => places(options, id, config)) as PlaceDeclaration[];
  }
  if (plugin.uses) {
    checked.uses = (options) => guard.shape("uses", USES, () => plugin.uses?.(options)) as PluginUse[];
  }
  if (plugin.goesOn) {
    // A copy: what it does to it is nobody's.
    checked.goesOn = (error) => guard.ask("goesOn", () => plugin.goesOn?.(soundCopy(error) ?? error)) === true;
  }
  return checked;
}

class Guard {
  readonly #name: string;
  readonly #file: string;
  readonly #engine = new EngineErrors();

  constructor(name: string, file: string) {
    this.#name = name;
    this.#file = file;
  }

  /** What a synchronous function of the stage answers, held against its schema. */
  shape<T>(name: string, schema: z.ZodType<T>, ask: () => unknown): T {
    const answer = this.ask(name, ask);
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    const faults = result.error.issues.map(({ path, message }) =>
      `${name}()${path.map((step) => typeof step === "number" ? `[${step}]` : `.${String(step)}`).join("")}: found ${
        shown(valueAt(answer, path))
      }: ${message}`
    );
    throw this.#nonsense(faults);
  }

  ask<T>(name: string, ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      throw this.#named(error, `ask ${name}() of`, { isDescribed: true });
    }
  }

  open<T>(run: RunContext, open: (run: RunContext) => T | Promise<T>): Promise<T> {
    return this.#answer("open", () => open(this.#engine.noting(run)), run.signal);
  }

  run(opened: StageRun): StageRun {
    if (typeof opened !== "object" || opened === null) {
      throw this.#nonsense([`open(): found ${shown(opened)}, wanted an object with plan and apply`]);
    }
    const faults = fieldFaults({ plan: opened.plan, apply: opened.apply }, RUN);
    if (faults.length > 0) throw this.#nonsense(faults.map((fault) => `open(): ${fault}`));
    return {
      plan: (item: Item, ctx: ReadContext) =>
        this.#plans(() => opened.plan(item, this.#engine.noting(ctx)), ctx.signal),
      apply: (step, ctx: WriteContext) =>
        this.#answer("apply", () => opened.apply(step, this.#engine.noting(ctx)), ctx.signal),
      [Symbol.asyncDispose]: () => this.#answer("dispose of", async () => await opened[Symbol.asyncDispose]?.()),
    };
  }

  async *#plans(draw: () => AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<Plan> {
    try {
      for await (const plan of draw()) yield this.#plan(plan);
    } catch (error) {
      throw this.#named(error, "plan", { signal });
    }
  }

  async #answer<T>(name: string, ask: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw this.#named(error, name, { signal });
    }
  }

  #plan(plan: unknown): Plan {
    const kind = typeof plan === "object" && plan !== null ? (plan as { kind?: unknown }).kind : undefined;
    if (typeof kind !== "string" || !Object.hasOwn(PLANS, kind)) {
      const found = typeof plan === "object" && plan !== null ? `kind ${shown(kind)}` : shown(plan);
      throw this.#nonsense([`plan(): found ${found}, wanted kind "todo", "skip", "drop" or "wait"`]);
    }
    const faults = fieldFaults(plan as object, PLANS[kind as Plan["kind"]]);
    const { files } = plan as { files?: unknown };
    if (Array.isArray(files)) faults.push(...fileFaults(files));
    const odd = kind === "todo" ? notJson((plan as { data: unknown }).data) : undefined;
    if (odd !== undefined) faults.push(`"data": found ${odd}, wanted what JSON can hold`);
    if (faults.length > 0) throw this.#nonsense(faults.map((fault) => `plan(): ${kind} ${fault}`));
    return plan as Plan;
  }

  #nonsense(faults: readonly string[]): PipelineError {
    const error = new PipelineError(
      "plugins/bad-answer",
      `Cannot use stage "${this.#name}" of "${this.#file}": ${faults.join("; ")}`,
      { hint: "This is a mistake in that file; tell its author" },
    );
    this.#engine.note(error);
    return error;
  }

  #named(thrown: unknown, doing: string, at: Pick<Thrower, "signal" | "isDescribed">): unknown {
    return stageError(thrown, { stage: this.#name, file: this.#file, doing, engine: this.#engine, ...at });
  }
}

/** What is wrong with the first of these files that is none; more would be the same mistake. */
function fileFaults(files: readonly unknown[]): string[] {
  for (const [i, file] of files.entries()) {
    const at = `"files[${i}]"`;
    if (typeof file !== "object" || file === null) return [`${at}: found ${shown(file)}, wanted a file of the study`];
    const { path, size } = file as { path?: unknown; size?: unknown };
    const faults = fieldFaults({ path, size }, FILE);
    if (faults.length > 0) return faults.map((fault) => `${at}: ${fault}`);
  }
  return [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], value);
}
