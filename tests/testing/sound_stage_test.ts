import assert from "node:assert/strict";
import type { AnyStage } from "../../core/contract.ts";
import { eventStage } from "../../testing/event_plugins.ts";
import { asLoaded, assertSound } from "../../testing/sound_stage.ts";
import { copy } from "../../stages/copy.ts";

Deno.test("assertSound() takes stages, and tells of all that is wrong with what is none", () => {
  assertSound(copy);
  assert.throws(() => assertSound({ ...copy, effect: "reads" } as unknown as AnyStage), {
    message: 'Cannot test stage "copy": "effect": found "reads", wanted one of "read", "create", "modify", "destroy"',
  });
  assert.throws(() => assertSound(undefined as unknown as AnyStage), { message: /^Cannot test it: it gave nothing/ });
});

Deno.test("asLoaded() loads what does not come with labferry as if the config vouched for its file", () => {
  assert.equal(asLoaded(copy), undefined);
  const { pinned, touches, file } = asLoaded(eventStage("own", {}))?.origin ?? assert.fail();
  assert.deepEqual([pinned, touches, file], [true, [], "plugins/own.ts"]);
});
