/** Functions that type a plugin from one object. Re-exported by contract.ts. @module */
import type { z } from "zod";
import type { SourcePlugin, StagePlugin, StorePlugin, Takes, Yields } from "./contract.ts";
import type { Json } from "./json.ts";

/**
 * Types a stage's options, step data and contexts from one object, and returns that object.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineStage, pathOption, z } from "labferry";
 *
 * const lookAt = defineStage({
 *   kind: "stage",
 *   name: "look-at",
 *   summary: "Says how large a study is.",
 *   takes: "tree",
 *   effect: "read",
 *   resume: "redo",
 *   options: z.strictObject({ below: pathOption().optional().meta({ description: "Folder to look at." }) }),
 *   example: `[[stage]]\nuse = "look-at"\n`,
 *   open: ({ below = "" }) => ({
 *     async *plan(_item, ctx) {
 *       let bytes = 0;
 *       for await (const { path, size } of ctx.source.walk()) if (path.startsWith(below)) bytes += size;
 *       yield { kind: "skip", why: `${bytes} bytes` };
 *     },
 *     apply: () => Promise.resolve(),
 *   }),
 * });
 * assert.equal(lookAt.name, "look-at");
 * ```
 */
export function defineStage<S extends z.ZodObject, D extends Json, const T extends Takes>(
  plugin: StagePlugin<S, D, T>,
): StagePlugin<S, D, T> {
  return plugin;
}

/**
 * Types a source's options and contexts, and returns it.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineSource, z } from "labferry";
 *
 * const once = defineSource({
 *   kind: "source",
 *   name: "once",
 *   summary: "Yields one event.",
 *   yields: "event",
 *   endless: false,
 *   options: z.strictObject({ name: z.string().meta({ description: "Name of the event." }) }),
 *   example: `[source]\nuse = "once"\nwith = { name = "tick" }\n`,
 *   open: ({ name }) => ({
 *     async *items() {
 *       yield { id: name, name, kind: "event", data: {} };
 *     },
 *   }),
 * });
 * assert.equal(once.yields, "event");
 * ```
 */
export function defineSource<S extends z.ZodObject, const Y extends Yields>(
  plugin: SourcePlugin<S, Y>,
): SourcePlugin<S, Y> {
  return plugin;
}

/**
 * Types a store's options.
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineStore, z } from "labferry";
 * import { memoryStore } from "labferry/testing";
 *
 * const shelf = defineStore({
 *   kind: "store",
 *   name: "shelf",
 *   summary: "Keeps objects in memory.",
 *   options: z.strictObject({ bucket: z.string().meta({ description: "Name of the bucket." }) }),
 *   example: "",
 *   open: ({ bucket }) => Promise.resolve(memoryStore({ bucket })),
 * });
 * assert.equal((await shelf.open({ bucket: "archive" })).uri, "s3://archive");
 * ```
 */
export function defineStore<S extends z.ZodObject>(plugin: StorePlugin<S>): StorePlugin<S> {
  return plugin;
}
