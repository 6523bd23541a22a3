/**
 * What every stage must be, whatever it does: one suite, for the shipped stages and for yours.
 * @module
 */
import type { AnyStage } from "../core/contract.ts";
import { stageFaults } from "../core/external/check_stage.ts";
import { crashChecks } from "./conformance_crash.ts";
import { descriptionCheck } from "./conformance_description.ts";
import { evidenceChecks } from "./conformance_evidence.ts";
import { itemCheck } from "./conformance_item.ts";
import { repetitionChecks } from "./conformance_repetition.ts";
import { inTime } from "./deadline.ts";
import { assertSound } from "./sound_stage.ts";
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
  /** `stage NAME` and what it says. */
  name: string;
  /** What it may do. */
  permissions: Deno.PermissionOptions;
  /** Rejects with what is wrong. */
  fn: () => Promise<void>;
}

/**
 * The checks of one stage: it describes itself, lint accepts it, it leaves the item as it is, its plan is pure and the same each time, a run or a
 * step that is repeated ends as one, evidence is what `facts().gives` says, a crash at any moment is made good by the
 * next run, and what it opened is disposed of however the run ends.
 * @throws {Error} each check, with what is wrong
 *
 * In a test file each check becomes a test: `for (const check of conformance(stage, …)) Deno.test(check);`
 * @example The names of the checks
 * ```ts
 * import assert from "node:assert/strict";
 * import { defineStage, z } from "labferry";
 * import { conformance } from "labferry/testing";
 *
 * const nothing = defineStage({
 *   kind: "stage",
 *   name: "do-nothing",
 *   summary: "Does nothing.",
 *   takes: "tree",
 *   effect: "read",
 *   resume: "redo",
 *   options: z.strictObject({}),
 *   example: `[[stage]]\nuse = "do-nothing"\n`,
 *   open: () => ({
 *     async *plan() {
 *       yield { kind: "skip", why: "there is nothing to do" };
 *     },
 *     apply: () => Promise.resolve(),
 *   }),
 * });
 *
 * const checks = conformance(nothing);
 * assert.equal(checks[0].name, "stage do-nothing describes itself");
 * for (const { fn } of checks) await fn();
 * ```
 */
export function conformance(plugin: AnyStage, options: ConformanceOptions = {}): Check[] {
  if (stageFaults(plugin).length > 0) {
    // What the other checks would say of it is the same. Asynchronous, so that what is wrong rejects.
    // deno-lint-ignore require-await
    const fn = async () => assertSound(plugin);
    return [{ name: `stage ${plugin?.name} is one`, permissions: "none", fn }];
  }
  const parts = [
    descriptionCheck(plugin),
    itemCheck(plugin, options),
    ...repetitionChecks(plugin, options),
    ...evidenceChecks(plugin, options),
    ...crashChecks(plugin, options),
  ];
  return parts.map(([says, fn]) => ({
    name: `stage ${plugin.name} ${says}`,
    permissions: options.permissions ?? "none",
    fn: () => inTime(`stage "${plugin.name}"`, options.deadlineMs, fn),
  }));
}
