import assert from "node:assert/strict";
import { byteSize, duration, pathOption, z } from "../../../core/options.ts";
import { allowTemplates, type JsonSchema, toJsonSchema } from "../../../core/schema/json_schema.ts";

function option(schema: z.ZodType): JsonSchema {
  return allowTemplates(toJsonSchema(schema));
}

Deno.test("toJsonSchema() turns what is labferry's own into words and examples", () => {
  const made = toJsonSchema(z.strictObject({
    days: z.number().int().meta({ description: "Days it rests.", unit: "days", example: 14 }),
    idle: duration().prefault("14d").meta({ description: "How long it rests.", unit: "ms" }),
    root: pathOption().meta({ description: "Where it is." }),
  }));
  assert.deepEqual(made.properties?.days, {
    type: "integer",
    description: "Days it rests. Unit: days.",
    examples: [14],
  });
  assert.equal(made.properties?.idle.description, "How long it rests.");
  assert.equal(made.properties?.idle.default, "14d");
  assert.equal(made.properties?.root.format, undefined);
  assert.equal(made.additionalProperties, false);
});

Deno.test("allowTemplates() lets a template stand for a value of any type", () => {
  assert.deepEqual(option(z.boolean()), { type: ["boolean", "string"], pattern: "\\$\\{" });
  assert.deepEqual(option(z.number().min(1)), { type: ["number", "string"], minimum: 1, pattern: "\\$\\{" });
  assert.deepEqual(option(z.array(z.number())), {
    type: ["array", "string"],
    items: { type: ["number", "string"], pattern: "\\$\\{" },
    pattern: "\\$\\{",
  });
  assert.deepEqual(option(z.string()), { type: "string" });
  const size = option(byteSize());
  assert.deepEqual(size.type, ["integer", "string"]);
  for (const text of ["8 MiB", "${s3.part}", "${a.b} MiB"]) assert.match(text, new RegExp(size.pattern ?? ""), text);
  assert.doesNotMatch("8 MB", new RegExp(size.pattern ?? ""));
});

Deno.test("allowTemplates() keeps the words of a choice for editors, and refuses others by a pattern", () => {
  const made = option(z.enum(["auto", "read-back"]).default("auto").meta({ description: "How." }));
  assert.deepEqual(made.anyOf, [{ description: "How.", default: "auto", enum: ["auto", "read-back"] }, true]);
  for (const text of ["auto", "read-back", "${a.b}"]) assert.match(text, new RegExp(made.pattern ?? ""), text);
  for (const text of ["atuo", "autos", "$auto"]) assert.doesNotMatch(text, new RegExp(made.pattern ?? ""), text);
});
