/** Options of a store as a stage declared them, checked by the store's own schema. @module */
import { LARGEST_PART_BYTES } from "../contract.ts";
import type { AnyStore, PlaceDeclaration } from "../contract.ts";
import { PipelineError } from "../errors.ts";

/** @throws {PipelineError} `options/bad-value` (exit 2), naming option, value and what was wanted */
export function storeOptions(store: AnyStore, declared: Extract<PlaceDeclaration, { kind: "objects" }>) {
  const { partSize } = declared.upload;
  if (partSize > LARGEST_PART_BYTES) {
    throw new PipelineError(
      "options/bad-value",
      `Cannot use place "${declared.id}": its parts have ${partSize} bytes, wanted at most ${LARGEST_PART_BYTES}`,
      { stopsRun: 2, hint: "Parts are held in memory. Mend the part size in the stage." },
    );
  }
  const checked = store.options.safeParse(declared.options);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const option = issue.path.join(".");
  const found = JSON.stringify(declared.options[option] ?? null);
  throw new PipelineError(
    "options/bad-value",
    `Cannot use place "${declared.id}": its option "${option}" is ${found}, ${issue.message}`,
    {
      cause: checked.error,
      stopsRun: 2,
      hint: `Mend "${option}" in [${declared.store}] of the config, or in the stage.`,
    },
  );
}
