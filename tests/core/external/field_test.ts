import assert from "node:assert/strict";
import { fieldFaults, flag, list, oneOf, optional, shown, text } from "../../../core/external/field.ts";

Deno.test("shown() says in a few words what a value is", () => {
  const words: [unknown, string][] = [
    [undefined, "nothing"],
    [null, "null"],
    [true, "the boolean true"],
    [3n, "the bigint 3"],
    ["a\nb", '"a\\nb"'],
    [() => {}, "a function"],
    [Promise.resolve(), "a promise"],
    [[], "an empty list"],
    [[1], "a list"],
    [Object.create(null), "an object"],
  ];
  for (const [value, said] of words) assert.equal(shown(value), said);
});

Deno.test("fieldFaults() tells what is missing, wrong and unknown, in the order of the fields", () => {
  const fields = { name: text, kind: oneOf("a", "b"), more: optional(list), on: optional(flag) };
  assert.deepEqual(fieldFaults({ name: "x", kind: "a" }, fields), []);
  assert.deepEqual(fieldFaults({ name: " ", more: "x", onn: true }, fields), [
    '"name": found " ", wanted a text',
    '"kind": found nothing, wanted one of "a", "b"',
    '"more": found "x", wanted a list',
    '"onn": found the boolean true, wanted no such field (did you mean "on")',
  ]);
});
