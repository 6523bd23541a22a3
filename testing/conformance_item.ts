/** The item belongs to the engine: a stage looks at it. @module */
import assert from "node:assert/strict";
import type { AnyStage, Item, Json, StageRun, Takes } from "../core/contract.ts";
import type { ConformanceOptions } from "./conformance.ts";
import { type NamedCheck, openWorld } from "./conformance_run.ts";
import { pipelineOf } from "./stage_setting.ts";

/** The check that neither plan nor apply changes the item; the engine would not let them, and they would fail there. */
export function itemCheck(plugin: AnyStage, options: ConformanceOptions): NamedCheck {
  return ["leaves the item as it is", async () => {
    const changed: string[] = [];
    const watch = (item: Item, when: string): { lent: Item; look: () => void } => {
      const lent = structuredClone(item);
      return {
        lent,
        look: () => {
          try {
            assert.deepEqual(lent, structuredClone(item));
          } catch {
            changed.push(`${when} made ${JSON.stringify(lent)} of the item ${JSON.stringify(item)}`);
          }
        },
      };
    };
    await using world = await openWorld(lending(plugin, watch), options);
    await world.run({ pipeline: pipelineOf(plugin, options) });
    assert.deepEqual(changed, [], "a stage looks at the item, and changes nothing of it");
  }];
}

type Watch = (item: Item, when: string) => { lent: Item; look: () => void };

/** The stage, lent an item that it could change. */
function lending(plugin: AnyStage, watch: Watch): AnyStage {
  const open: AnyStage["open"] = async (options, run) => {
    const opened = await plugin.open(options, run) as StageRun<Json, Takes>;
    const lender: StageRun<Json, Takes> = {
      async *plan(item, ctx) {
        const { lent, look } = watch(item, "plan");
        try {
          yield* opened.plan(lent, { ...ctx, item: lent } as never);
        } finally {
          look();
        }
      },
      async apply(step, ctx) {
        const { lent, look } = watch(ctx.item, "apply");
        try {
          await opened.apply(step, { ...ctx, item: lent } as never);
        } finally {
          look();
        }
      },
      [Symbol.asyncDispose]: async () => await opened[Symbol.asyncDispose]?.(),
    };
    return lender;
  };
  return { ...plugin, open };
}
