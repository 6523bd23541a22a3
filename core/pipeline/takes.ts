/** Whether a stage can work on what a source yields. @module */
import type { AnySource, AnyStage } from "../contract.ts";

const WORDS = {
  tree: "trees",
  backup: "complete backups",
  folder: "trees and backups",
  event: "events",
  any: "anything",
};

/** Returns in words what the stage takes and what the source yields; undefined when they fit. */
export function takesOther(
  { takes }: Pick<AnyStage, "takes">,
  { yields }: Pick<AnySource, "yields">,
): { takes: string; yields: string } | undefined {
  if (takes === "any" || takes === yields || (takes === "folder" && yields !== "event")) return undefined;
  return { takes: WORDS[takes], yields: WORDS[yields] };
}
