/** Stages from outside along a pipeline: what lint says of them, and how the config vouches for one. @module */
import { type ExternalOrigin, isVouchedFor } from "../external/external_stage.ts";
import type { CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import { factWords } from "../safety/demands.ts";
import { ruleSeverity } from "./rules.ts";

/** Says what a pipeline may not leave to a stage from outside, and what of its words does not count. */
export function lintExternal({ before, stages, onItemFailed, document }: CompiledPipeline): Diagnostic[] {
  const found: Diagnostic[] = [];
  const add = (code: string, stage: CompiledStage, words: { message: string; hint: string }) => {
    const at = { source: document.source, span: stage.position };
    found.push(diagnose(at, { code, severity: ruleSeverity(code), ...words }));
  };
  for (const stage of [...before, ...stages, ...onItemFailed]) {
    const { external, id, facts, uncounted } = stage;
    if (external === undefined) continue;
    const destroys = facts.destroys !== undefined || stage.plugin.effect === "destroy";
    if (destroys && !isVouchedFor(external)) {
      add("safety/unpinned-destroy", stage, {
        message: `Cannot destroy in stage "${id}": nobody vouches for its code in ${external.file}, ${
          lackWords(external)
        }`,
        hint: pinHint(external),
      });
    }
    if (uncounted.length > 0) {
      add("safety/facts-not-counted", stage, {
        message: `Cannot count on what stage "${id}" of ${external.file} says it gives (${
          uncounted.map(factWords).join(", ")
        }): ${whyUncounted(external)}`,
        hint: isVouchedFor(external)
          ? "let a stage behind it prove that anew, for example verify"
          : `let a stage behind it prove that anew, or ${pinHint(external)}`,
      });
    }
  }
  return found;
}

function lackWords(external: ExternalOrigin): string {
  return external.pinned ? "wanted touches beside its pin" : "wanted a pin and touches";
}

function whyUncounted(external: ExternalOrigin): string {
  return isVouchedFor(external)
    ? "its code may change the same bytes by itself, as touches says"
    : "its code may change any byte";
}

/** What to write into the config so that a stage from outside takes away no more than it touches. */
export function pinHint({ file, sha256, pinned }: ExternalOrigin): string {
  const entry = `{ path = ${tomlText(file)}, sha256 = "${sha256}", touches = [] }`;
  const verb = pinned ? "say beside its pin what it touches" : "read its code, then pin it and say what it touches";
  return `${verb}, in [plugins] files of the config: ${entry} (in touches: source, or ids of stages whose place it changes)`;
}

/** A path as TOML takes it: with backslashes, in single quotes. */
function tomlText(path: string): string {
  return path.includes("\\") && !path.includes("'") ? `'${path}'` : JSON.stringify(path);
}
