/**
 * Why a fact is missing and what to do: which stage took it away, which would give it, or what to add.
 * @module
 */
import type { Fact, StageFacts } from "../contract.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { type Missing } from "../safety/demands.ts";
import { takesAway } from "../safety/lattice.ts";
import { pinHint } from "./external.ts";
import type { FlowStep } from "./flow.ts";

export interface Advice {
  why?: string;
  hint?: string;
}

/** Says why what is missing does not stand before a stage, and how to mend it. */
export function advise(
  step: FlowStep<CompiledStage>,
  about: { missing: Missing; stages: readonly CompiledStage[]; overBackups?: boolean },
): Advice {
  const advice = adviseOnTrees(step, about);
  // Of a backup every fact but the lock comes from one stage: what would make a backup has no place in its pipeline.
  const isToAdd = advice.why === undefined && about.missing.fact?.fact !== "locked";
  return about.overBackups && isToAdd ? { hint: PROVE_ARCHIVED } : advice;
}

const PROVE_ARCHIVED =
  `add before it: [[stage]] use = "prove-archived", id = "s3", with = { bucket = "\${s3.bucket}", prefix = "\${s3.prefix}" }`;

function adviseOnTrees(
  step: FlowStep<CompiledStage>,
  about: { missing: Missing; stages: readonly CompiledStage[] },
): Advice {
  const { fact } = about.missing;
  if (about.missing.kind === "nothing-written") return { hint: toAdd({ fact: "written" }) };
  if (fact === undefined) return {};
  const part = about.stages.find((stage) => writes(stage, { place: fact.place, strength: "none" }));
  if (part && fact.fact === "proved") {
    return {
      why: `stage ${named(part)} writes only some of the files there`,
      hint: `move "${part.id}" to a pipeline of its own`,
    };
  }
  const givers = about.stages.filter((stage) => stage !== step.stage && gives(stage.facts, fact));
  const earlier = givers.filter((stage) => step.ancestors.includes(stage));
  const taken = takenAway(step, { fact, earlier });
  if (taken) return taken;
  const unsure = earlier.find((stage) => stage.onError === "warn");
  if (unsure) {
    return {
      why: `stage ${named(unsure)} gives it, but with on_error = "warn" it may have failed`,
      hint: `take on_error = "warn" from "${unsure.id}"`,
    };
  }
  if (earlier.length > 0) {
    const giver = earlier[earlier.length - 1];
    return {
      why: `stage ${named(giver)} gives it only once what it needs itself stands`,
      hint: unflushedHint(about.stages, fact) ?? `mend what is said of "${giver.id}"`,
    };
  }
  const aside = givers.find((stage) => step.concurrent.includes(stage));
  if (aside) {
    return {
      why: `stage ${named(aside)} gives it, and may run at the same time`,
      hint: `add "${aside.id}" to after = […] of "${step.stage.id}"`,
    };
  }
  const later = givers[0];
  if (later) {
    const here = `"${step.stage.id}" (line ${step.stage.position.line})`;
    const there = `"${later.id}" (line ${later.position.line})`;
    return {
      why: `stage ${named(later)} gives it, too late`,
      // A destroy that came too early goes behind what it needs; what else stands between would be moved with it.
      hint: step.stage.facts.destroys ? `move ${here} behind ${there}` : `move ${there} before ${here}`,
    };
  }
  const weak = about.stages.find((stage) =>
    stage.facts.gives?.some((given) => given.fact === fact.fact && given.place === fact.place)
  );
  if (weak) return { why: `stage ${named(weak)} gives it too weakly`, hint: weakHint(weak, fact) ?? toAdd(fact) };
  return { hint: toAdd(fact) };
}

function named(stage: CompiledStage): string {
  return `"${stage.id}" (line ${stage.position.line})`;
}

/** Whether a stage gives a fact strongly enough to count. */
function gives(facts: StageFacts, fact: Fact): boolean {
  return facts.gives?.some((given) =>
    given.fact === fact.fact && (fact.place === undefined || given.place === fact.place) &&
    (given.fact !== "proved" || given.strength !== "none" || fact.strength === "none")
  ) ?? false;
}

/** The stage that took the fact away: after one that gives it, or at the same time. */
function takenAway(
  step: FlowStep<CompiledStage>,
  about: { fact: Fact; earlier: readonly CompiledStage[] },
): Advice | undefined {
  const giver = about.earlier.at(-1);
  if (giver === undefined || giver.onError === "warn") return undefined;
  const behind = step.ancestors.slice(step.ancestors.indexOf(giver) + 1);
  const killer = [...behind, ...step.concurrent].find((stage) => takesAway(stage.facts, about.fact, [...step.written]));
  if (killer === undefined) return undefined;
  const everything = killer.facts.kills === "everything";
  const why = `stage ${named(giver)} gives it, and stage ${named(killer)} takes it away${
    everything ? ": it may change any byte" : ""
  }`;
  const first = step.ancestors[0] ?? giver;
  return {
    why,
    hint: everything
      ? `move "${killer.id}" before "${first.id}" (line ${first.position.line})${
        killer.external ? `, or ${pinHint(killer.external)}` : OR_PIN_PROGRAM
      }`
      : killer.facts.destroys
      ? `move "${killer.id}" behind "${step.stage.id}" (line ${step.stage.position.line})`
      : `move "${killer.id}" before "${giver.id}"`,
  };
}

const OR_PIN_PROGRAM = " or to [[before]], or pin its program (sha256) and say what it touches";

function weakHint(stage: CompiledStage, fact: Fact): string | undefined {
  const given = stage.facts.gives?.find((one) => one.fact === fact.fact && one.place === fact.place);
  return given?.strength === "none" ? `let "${stage.id}" prove what it writes, for example verify = "auto"` : undefined;
}

function unflushedHint(stages: readonly CompiledStage[], fact: Fact): string | undefined {
  const writer = stages.find((stage) => writes(stage, { place: fact.place, strength: "weak" }));
  return writer ? `let "${writer.id}" flush what it writes: durability = "flushed"` : undefined;
}

function writes({ facts }: CompiledStage, as: Pick<Fact, "place" | "strength">): boolean {
  return facts.gives?.some((one) => one.fact === "written" && one.strength === as.strength && one.place === as.place) ??
    false;
}

/** The stage to add for a fact nobody gives. */
function toAdd(fact: Fact): string {
  const place = fact.place ?? "…";
  switch (fact.fact) {
    case "locked":
      return `add a stage that locks the item before it: [[stage]] use = "lock"`;
    case "hashed":
    case "written":
      return `add a stage that writes a place before it: [[stage]] use = "copy", or use = "s3-upload"`;
    case "proved":
      return `add before it: [[stage]] use = "verify", with = { place = "${place}" }`;
    case "sealed":
      return `add before it: [[stage]] use = "checksum-sidecar", with = { place = "${place}" }`;
    case "recorded":
      return `add before it: [[stage]] use = "manifest-append", id = "record", with = { status = "complete" }`;
  }
}
