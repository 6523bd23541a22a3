/** The stage under test as the engine would load it from a file: what is refused there is refused here. @module */
import type { AnyStage } from "../core/contract.ts";
import { stageFaults } from "../core/external/check_stage.ts";
import { checkedStage } from "../core/external/checked_stage.ts";
import type { ExternalStage } from "../core/external/external_stage.ts";
import { stages } from "../stages/mod.ts";

/** Throws unless it is a stage. @throws {TypeError} with every field that is wrong */
export function assertSound(plugin: AnyStage): void {
  const faults = stageFaults(plugin);
  if (faults.length === 0) return;
  const name = (plugin as { name?: unknown } | null | undefined)?.name;
  throw new TypeError(`Cannot test ${typeof name === "string" ? `stage "${name}"` : "it"}: ${faults.join("; ")}`);
}

/** A stage as if it were loaded from a file that the config vouches for; undefined for one that comes with labferry. */
export function asLoaded(plugin: AnyStage): ExternalStage | undefined {
  if (stages.some(({ name }) => name === plugin.name)) return undefined;
  const file = `plugins/${plugin.name}.ts`;
  return { plugin: checkedStage(plugin, file), origin: { file, sha256: "0".repeat(64), pinned: true, touches: [] } };
}
