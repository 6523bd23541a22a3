import assert from "node:assert/strict";
import type { EngineServices } from "../../../core/run/services.ts";
import { event, eventStage, listSource } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

/** The services with an outbox that refuses `times` times. */
function refusing(services: EngineServices, times: number): EngineServices {
  const { journal } = services;
  const outbox = Object.assign(Object.create(journal.outbox), {
    enqueueMany: (events: Parameters<typeof journal.outbox.enqueueMany>[0]) =>
      times-- > 0 ? Promise.reject(new Error("the journal is busy")) : journal.outbox.enqueueMany(events),
  });
  const own = new Proxy(journal, {
    get(target, key) {
      if (key === "outbox") return outbox;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { ...services, journal: own };
}

const RAISE = `[[stage]]\nuse = "raise"\non_error = "warn"\n`;

for (const [next, stages] of [["a further stage", `${RAISE}[[stage]]\nuse = "next"\n`], ["none", RAISE]]) {
  for (const [times, outcome, queued] of [[1, "done", 1], [9, "failed", 0]] as const) {
    Deno.test(`an event that the journal refused ${times === 1 ? "once" : "each time"}, at a stage with on_error = "warn" and ${next} behind it, is queued or fails its item`, async () => {
      const raise = eventStage("raise", {
        apply: async (_step, ctx) => void await ctx.emit({ event: "fusion_error", data: { message: "pump" } }),
      });
      const list = listSource([event("a")]);
      await using world = await World.open({
        plugins: [list.plugin, raise, eventStage("next", {})],
        config: "[notify]\nenabled = true\n",
      });
      const report = await world.run({
        pipeline: `name = "events"\n[source]\nuse = "list"\n${stages}`,
        wrap: (services) => refusing(services, times),
      });

      assert.deepEqual(report.items.map((item) => item.outcome), [outcome]);
      assert.equal((await world.journal.outbox.pending()).length, queued);
    });
  }
}
