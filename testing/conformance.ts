/**
 * What every stage must be, whatever it does: one suite, for the shipped stages and for yours.
 * @module
 */
import type { AnyStage } from "../core/contract.ts";
import { crashChecks } from "./conformance_crash.ts";
import { descriptionCheck } from "./conformance_description.ts";
import { evidenceChecks } from "./conformance_evidence.ts";
import { repetitionChecks } from "./conformance_repetition.ts";
import type { StageSetting } from "./stage_setting.ts";

/** How a stage is put to work for the suite. */
export interface ConformanceOptions extends StageSetting {
  /** Exit code of a run with these stages alone. Default: 0. */
  exits?: number;
  /**
   * What the checks may do besides acting through the ports; for a stage that loads a package as it opens, for example
   * `{ read: true }`. Default: nothing, so that a stage that reads files, environment or network by itself fails.
   */
  permissions?: Deno.PermissionOptions;
}

/** One check, in the form that `Deno.test` takes. */
export interface Check {
  name: string;
  permissions: Deno.PermissionOptions;
  fn: () => Promise<void>;
}

/**
 * The checks of one stage: it describes itself, lint accepts it, its plan is pure and the same each time, a run or a
 * step that is repeated ends as one, evidence is what `facts().gives` says, a crash at any moment is made good by the
 * next run, and what it opened is disposed of however the run ends.
 * @throws {Error} each check, with what is wrong
 * @example The suite over a stage of your own, in its test file
 * ```ts
 * import { copy } from "../stages/copy.ts";
 * import { conformance } from "labferry/testing";
 *
 * const options = { to: "${paths.truenas_root}" };
 * for (const check of conformance(copy, { options, upstream: `[[stage]]\nuse = "lock"\n` })) Deno.test(check);
 * ```
 */
export function conformance(plugin: AnyStage, options: ConformanceOptions = {}): Check[] {
  const parts = [
    descriptionCheck(plugin),
    ...repetitionChecks(plugin, options),
    ...evidenceChecks(plugin, options),
    ...crashChecks(plugin, options),
  ];
  return parts.map(([says, fn]) => ({
    name: `stage ${plugin.name} ${says}`,
    permissions: options.permissions ?? "none",
    fn,
  }));
}

/** The check of what a stage says of itself, alone. */
export function conformanceOfDescription(plugin: AnyStage): Check {
  const [says, fn] = descriptionCheck(plugin);
  return { name: `stage ${plugin.name} ${says}`, permissions: "none", fn };
}
