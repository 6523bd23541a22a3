import assert from "node:assert/strict";
import { type PluginApi, pluginApi, type StageFactory } from "../../core/plugin_api.ts";

const factory: StageFactory = ({ defineStage, z, pathOption, PipelineError }: PluginApi) =>
  defineStage({
    kind: "stage",
    name: "nothing",
    summary: "Does nothing.",
    takes: "tree",
    effect: "read",
    resume: "redo",
    options: z.strictObject({ to: pathOption().meta({ description: "Where." }) }),
    example: "",
    open: () => ({
      async *plan() {
        yield { kind: "skip", why: "nothing to do" };
      },
      apply() {
        throw new PipelineError("nothing/done", "Cannot do nothing: it is done already");
      },
    }),
  });

Deno.test("pluginApi carries what a stage file needs, so that it imports nothing", () => {
  const stage = factory(pluginApi);
  assert.deepEqual(stage.options.parse({ to: "/nas" }), { to: "/nas" });
  assert.throws(() => stage.options.parse({ to: "" }), /wanted a path/);
});

Deno.test("pluginApi cannot be changed by a file for the next one", () => {
  assert.throws(() => Object.assign(pluginApi, { z: undefined }), TypeError);
});
