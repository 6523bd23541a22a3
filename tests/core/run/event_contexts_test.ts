import assert from "node:assert/strict";
import type { EventWriteContext } from "../../../core/ports.ts";
import { event, eventStage, listSource } from "../../../testing/event_plugins.ts";
import { World } from "../../../testing/world.ts";

const ACTS: Record<string, (ctx: EventWriteContext) => Promise<unknown>> = {
  "emit()": (ctx) => ctx.emit({ event: "own_event", data: {} }),
  "notifier()": (ctx) => ctx.notifier("email", {}),
  "exec()": (ctx) => ctx.exec({ argv: ["touch", "x"] }),
};

for (const [name, act] of Object.entries(ACTS)) {
  Deno.test(`a stage of events that says that it only reads is refused ${name}`, async () => {
    const own = eventStage("own", { apply: async (_step, ctx) => void await act(ctx) }, { effect: "read" });
    await using world = await World.open({ plugins: [listSource([event("a")]).plugin, own] });
    const pipeline = 'name = "events"\n[source]\nuse = "list"\n[[stage]]\nuse = "own"\n';
    const { error } = (await world.run({ pipeline })).items[0];
    assert.deepEqual([error?.code, error?.message], [
      "stage/effect",
      `Cannot do ${name} for stage "own": its effect is "read", wanted "create" or more`,
    ]);
  });
}
