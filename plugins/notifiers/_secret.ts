/** A secret that a notifier cannot work without. */
import type { NotifierContext } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";

/** @throws {PipelineError} `notify/no-credentials`: `Cannot <verb>: <name> is not set` */
export function secretOf({ secrets }: Pick<NotifierContext, "secrets">, name: string, verb: string): string {
  const value = secrets.get(name);
  if (value !== undefined && value !== "") return value;
  throw new PipelineError("notify/no-credentials", `Cannot ${verb}: ${name} is not set`, {
    hint: `Set ${secrets.where(name)}`,
  });
}
