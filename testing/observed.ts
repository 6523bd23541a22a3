/**
 * A stage watched from outside: told of every opening, plan, step and disposal, and otherwise itself.
 * @module
 */
import type { AnyStage, Item, Json, Plan, StageRun, Takes, Todo } from "../core/contract.ts";

/** What may be watched. Whatever throws here throws in the stage. */
export interface StageEvents {
  opened?(): void;
  disposed?(): void;
  /** Before the stage is asked for the plan of an item. */
  planning?(item: Item): void | Promise<void>;
  planned?(plan: Plan, item: Item): void;
  /** In the place of `apply`; `act` is the real one. */
  apply?(step: Todo, act: () => Promise<void>): Promise<void>;
}

/** Returns the stage, watched. */
export function observed(plugin: AnyStage, events: StageEvents): AnyStage {
  const open: AnyStage["open"] = async (options, run) => {
    const opened = await plugin.open(options, run) as StageRun<Json, Takes>;
    events.opened?.();
    const watched: StageRun<Json, Takes> = {
      async *plan(item, ctx) {
        await events.planning?.(item);
        for await (const plan of opened.plan(item, ctx as never)) {
          events.planned?.(plan, item);
          yield plan;
        }
      },
      apply(step, ctx) {
        const act = () => opened.apply(step, ctx as never);
        return events.apply?.(step, act) ?? act();
      },
      async [Symbol.asyncDispose]() {
        events.disposed?.();
        await opened[Symbol.asyncDispose]?.();
      },
    };
    return watched;
  };
  return { ...plugin, open };
}
