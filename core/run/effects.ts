/** Holds a stage to the effect it declares: people and lint judge a pipeline by it. @module */
import type { AnyStage } from "../contract.ts";
import { PipelineError } from "../errors.ts";

const EFFECTS = ["read", "create", "modify", "destroy"] as const;

/** Throws unless the stage declares at least this effect. @throws {PipelineError} `stage/effect` */
export function assertEffect(
  { name, effect }: Pick<AnyStage, "name" | "effect">,
  act: string,
  wanted: "create" | "destroy",
): void {
  if (EFFECTS.indexOf(effect) >= EFFECTS.indexOf(wanted)) return;
  throw new PipelineError(
    "stage/effect",
    `Cannot do ${act} for stage "${name}": its effect is "${effect}", wanted "${wanted}"${
      wanted === "create" ? " or more" : ""
    }`,
    {
      hint: `This is a mistake of the stage: its author must declare what it does (effect: "${wanted}"), or not do it`,
    },
  );
}
