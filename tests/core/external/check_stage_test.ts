import assert from "node:assert/strict";
import { STAGE_FIELDS, stageFaults } from "../../../core/external/check_stage.ts";
import { z } from "../../../core/options.ts";
import { stages } from "../../../stages/mod.ts";

const sound = {
  kind: "stage",
  name: "own",
  summary: "Looks.",
  takes: "tree",
  effect: "read",
  resume: "redo",
  options: z.strictObject({}),
  example: "",
  open: () => {},
};

Deno.test("stageFaults() finds nothing wrong with the shipped stages", () => {
  for (const stage of stages) assert.deepEqual(stageFaults(stage), [], stage.name);
});

Deno.test("stageFaults() says of every field what was found and what is wanted", () => {
  for (const [name, field] of Object.entries(STAGE_FIELDS)) {
    for (const value of [null, 7, "", {}, [], Symbol("s")]) {
      if (field.is(value)) continue;
      const faults = stageFaults({ ...sound, [name]: value });
      assert.equal(faults.length, 1, `${name} ${String(value)}`);
      assert.ok(faults[0].startsWith(`"${name}": found `) && faults[0].endsWith(`wanted ${field.wanted}`), faults[0]);
    }
    const { [name as keyof typeof sound]: _, ...without } = sound;
    assert.equal(stageFaults(without).length, "optional" in field ? 0 : 1, name);
  }
});

Deno.test("stageFaults() wants options of the zod of the API", () => {
  // A second copy of zod, bundled into the file, makes schemas of classes of its own.
  const [fault] = stageFaults({ ...sound, options: { _zod: { def: { type: "object" } }, shape: {} } });
  assert.match(fault, /"options": found an object, wanted an object schema made with the z of the API/);
  assert.equal(stageFaults({ ...sound, options: z.string() }).length, 1);
});

Deno.test("stageFaults() tells of all that is wrong at once, and of fields nobody knows", () => {
  const faults = stageFaults({ ...sound, takes: "trees", efect: "read", effect: undefined });
  assert.deepEqual(faults, [
    '"takes": found "trees", wanted one of "tree", "backup", "folder", "event", "any"',
    '"effect": found nothing, wanted one of "read", "create", "modify", "destroy"',
    '"efect": found "read", wanted no such field (did you mean "effect")',
  ]);
});

Deno.test("stageFaults() takes nothing but a stage", () => {
  const given: [unknown, RegExp][] = [
    [undefined, /gave nothing/],
    [[], /gave an empty list/],
    ["x".repeat(200), /gave "x{60}…"/],
    [{ kind: "source", name: "s" }, /gave a source, wanted a stage: nothing else is taken from outside/],
    [{ kind: "stge" }, /"kind": found "stge", wanted "stage"/],
  ];
  for (const [value, says] of given) assert.match(stageFaults(value).join("; "), says);
});
