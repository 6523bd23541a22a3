/**
 * Tier 2 of lint: the lattice walked along the pipeline. What the engine would refuse at the act is refused here, with
 * the line, the missing fact, the stage that would give it and what to do.
 * @module
 */
import type { Fact } from "../contract.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic, type DiagnosticWords, type Span } from "../pipeline/diagnostic.ts";
import { nearestName } from "../pipeline/nearest.ts";
import { nodeAt, type TomlNode } from "../pipeline/toml_document.ts";
import { type Missing, missingForDestroy, missingForRecord, missingNeeds } from "../safety/demands.ts";
import { NOTHING } from "../safety/lattice.ts";
import { advise } from "./advice.ts";
import { adviseOnBranches } from "./branches.ts";
import { lintEvents } from "./events.ts";
import { lintExternal } from "./external.ts";
import { flow, type FlowStep, placesWritten } from "./flow.ts";
import { lintPlaces } from "./places.ts";
import { ruleSeverity } from "./rules.ts";

type Step = FlowStep<CompiledStage>;

/** What lint knows of the other pipelines. */
export interface LintOptions {
  /** Events that pipelines define. Without them, whether an event is defined is not asked. */
  events?: Iterable<string>;
}

/** Checks a compiled pipeline against the lattice of facts; every finding carries its line. */
export function lintPipeline(pipeline: CompiledPipeline, { events }: LintOptions = {}): Diagnostic[] {
  const run = (one: CompiledPipeline) => new SafetyLint(one).run();
  const found = adviseOnBranches(pipeline, run(pipeline), run);
  return events === undefined ? found : [...found, ...lintEvents(pipeline, events)];
}

class SafetyLint {
  readonly #pipeline: CompiledPipeline;
  readonly #found: Diagnostic[] = [];
  readonly #places: Set<string>;
  readonly #domains: Map<string, string>;
  readonly #folders: ReadonlySet<string>;
  /** Places that a misspelt name most likely meant: whatever lacks there follows from the misspelling. */
  readonly #meant = new Set<string>();
  /** Destroys that were refused: whatever they take from the stages behind them follows from that. */
  readonly #refused = new Set<CompiledStage>();

  constructor(pipeline: CompiledPipeline) {
    this.#pipeline = pipeline;
    const declared = pipeline.places.map((place) => place.id);
    this.#places = new Set([...declared, ...pipeline.stages.flatMap((stage) => placesWritten(stage.facts))]);
    this.#folders = new Set(pipeline.places.flatMap((place) => place.kind === "directory" ? [place.id] : []));
    this.#domains = new Map(pipeline.places.map((place) => [place.id, place.domain ?? place.id]));
  }

  run(): Diagnostic[] {
    const { before, stages, onItemFailed } = this.#pipeline;
    this.#found.push(...lintPlaces(this.#pipeline));
    const steps = flow(stages);
    const unknownAt = new Map(stages.map((stage) => [stage, this.#unknownPlaces(stage)]));
    for (const step of steps) {
      this.#declarations(step.stage);
      const unknown = unknownAt.get(step.stage) ?? new Set();
      this.#needs(step, unknown);
      this.#record(step);
      this.#destroy(step, unknown);
      this.#afterDestroy(step);
    }
    for (const stage of before) this.#handler(stage, "before");
    for (const stage of onItemFailed) this.#handler(stage, "on_item_failed");
    this.#writtenAfterRecord(steps);
    this.#unproved(steps);
    this.#unreachable();
    this.#found.push(...lintExternal(this.#pipeline));
    return this.#found;
  }

  #add(code: string, span: Span, words: DiagnosticWords & { message: string }): void {
    this.#found.push(
      diagnose({ source: this.#pipeline.document.source, span }, { code, severity: ruleSeverity(code), ...words }),
    );
  }

  /** The option that names a place, or `use` when none does. */
  #placeSpan(stage: CompiledStage, place: string): Span {
    const options = nodeAt(this.#pipeline.document, [...stage.path, "with"]);
    return options && findText(options, place) || stage.position;
  }

  #declarations(stage: CompiledStage): void {
    if (stage.plugin.effect !== "destroy" || stage.facts.destroys) return;
    this.#add("safety/undeclared-destroy", stage.position, {
      message: `Cannot run stage "${stage.id}": "${stage.use}" destroys, and does not say what`,
      hint: "its author must declare facts().destroys; until then, leave the stage out",
    });
  }

  #unknownPlaces(stage: CompiledStage): Set<string> {
    const { needs = [], gives = [], kills, destroys } = stage.facts;
    const named = [...needs, ...gives, ...(Array.isArray(kills) ? kills : [])].map((fact) => fact.place);
    const unknown = new Set<string>();
    for (const place of [...named, destroys?.place]) {
      if (place === undefined || place === SOURCE_PLACE || this.#places.has(place) || unknown.has(place)) continue;
      unknown.add(place);
      const nearest = nearestName(place, this.#places);
      if (nearest !== undefined) this.#meant.add(nearest);
      const known = [...this.#places].map((id) => `"${id}"`).join(", ");
      const need = needs.find((fact) => fact.place === place && fact.fact !== "sealed");
      this.#add("safety/unknown-place", this.#placeSpan(stage, place), {
        message: `Cannot run stage "${stage.id}": no stage writes place "${place}"${
          need ? `, so that ${need.fact} at "${place}" is missing` : ""
        }`,
        hint: nearest === undefined
          ? `add before it: [[stage]] use = "copy", id = "${place}"${known ? `; places written are ${known}` : ""}`
          : `did you mean "${nearest}"`,
        nearest,
        wanted: [...this.#places].toSorted(),
      });
    }
    return unknown;
  }

  #needs(step: Step, unknown: ReadonlySet<string>): void {
    const { stage } = step;
    // A place nobody writes explains whatever else is missing.
    if (unknown.size > 0) return;
    for (const missing of missingNeeds(step.mended, stage.facts)) {
      const fact = missing.fact as Fact;
      this.#missing("safety/missing-fact", step, {
        verb: `run stage "${stage.id}"`,
        missing,
        span: fact.place === undefined ? stage.position : this.#placeSpan(stage, fact.place),
      });
    }
  }

  #record(step: Step): void {
    const { stage } = step;
    if (stage.facts.needsAllProved !== true || step.ancestors.some((other) => this.#refused.has(other))) return;
    for (const missing of missingForRecord(step.mended, step.written, { folders: this.#folders })) {
      const code = missing.kind === "unsealed" ? "safety/not-sealed" : "safety/complete-before-proof";
      this.#missing(code, step, {
        verb: `record the backup as complete in stage "${stage.id}"`,
        missing,
        span: this.#placeSpan(stage, "complete"),
      });
    }
  }

  #destroy(step: Step, unknown: ReadonlySet<string>): void {
    const { stage } = step;
    const demand = stage.facts.destroys;
    if (demand !== undefined && stage.onError !== "fail") {
      this.#add("safety/destroy-may-fail", this.#keySpan(stage, "on_error"), {
        message:
          `Cannot let stage "${stage.id}" fail with a warning: it destroys, and an item that is half gone would count as done`,
        hint: `remove on_error = "${stage.onError}" from "${stage.id}"`,
      });
    }
    if (demand === undefined || unknown.has(demand.place)) return;
    const domainOf = (place: string) => this.#domains.get(place) ?? place;
    const known = this.#pipeline.places.map((place) => place.id);
    const wanted = { victim: demand.place, places: demand.places, domainOf, known };
    const verb = `destroy "${demand.place}" in stage "${stage.id}"`;
    // Proofs are counted as they are; a lock or a record that only lacks something reported above is not reported again.
    const proofs = missingForDestroy(step.state, wanted).filter((missing) => missing.kind === "too-few");
    const others = missingForDestroy(step.mended, wanted).filter((missing) =>
      missing.kind === "unlocked" || missing.kind === "unrecorded"
    );
    for (const missing of others) {
      const code = missing.kind === "unlocked" ? "safety/destroy-unlocked" : "safety/destroy-unrecorded";
      this.#missing(code, step, { verb, missing, span: stage.position });
    }
    for (const missing of proofs) this.#proofs(step, { verb, missing });
    if (others.length + proofs.length > 0) this.#refused.add(stage);
  }

  #proofs(step: Step, about: { verb: string; missing: Missing }): void {
    if (this.#meant.size > 0) return;
    const { stage } = step;
    const demand = stage.facts.destroys as { place: string; places: number };
    const wanted = Math.max(1, demand.places);
    const others = this.#pipeline.places.filter((place) => place.id !== demand.place);
    const domains = new Set(others.map((place) => place.domain ?? place.id));
    const span = this.#countSpan(stage, demand.places);
    if (domains.size >= wanted) {
      this.#missing("safety/destroy-unproved", step, { ...about, span });
      return;
    }
    const shared = domains.size < others.length
      ? `; places of one domain count once: ${
        others.map((place) => `"${place.id}" in "${place.domain ?? place.id}"`).join(", ")
      }`
      : "";
    this.#add("safety/too-few-places", span, {
      message: `Cannot ${about.verb}: ${about.missing.words}; the pipeline writes ${domains.size} such place${
        domains.size === 1 ? "" : "s"
      }, wanted ${wanted}${shared}`,
      hint: this.#pipeline.source.plugin.yields === "backup"
        ? `add a "prove-archived" of another place before "${stage.id}"`
        : `add a stage that writes another place (copy, s3-upload) and proves it, before "${stage.id}"`,
    });
  }

  /** The value of an engine key, or `use`. */
  #keySpan(stage: CompiledStage, key: string): Span {
    return nodeAt(this.#pipeline.document, [...stage.path, key])?.span ?? stage.position;
  }

  /** `places = 2` within the options, or `use` when it is a default. */
  #countSpan(stage: CompiledStage, places: number): Span {
    const node = nodeAt(this.#pipeline.document, [...stage.path, "with", "require", "places"]);
    return node?.kind === "scalar" && node.value === places ? node.span : stage.position;
  }

  #missing(code: string, step: Step, about: { verb: string; missing: Missing; span: Span }): void {
    const lacking = about.missing.fact?.place;
    if (lacking !== undefined && this.#meant.has(lacking)) return;
    const { stages, source } = this.#pipeline;
    const overBackups = source.plugin.yields === "backup";
    const { why, hint } = advise(step, { missing: about.missing, stages, overBackups });
    this.#add(code, about.span, {
      message: `Cannot ${about.verb}: ${about.missing.words}${why ? `; ${why}` : ""}`,
      hint,
    });
  }

  /** Whatever reads a place, or the item itself, must run while it is there. */
  #afterDestroy(step: Step): void {
    const { stage } = step;
    for (const other of [...step.ancestors, ...step.concurrent]) {
      const gone = other.facts.destroys?.place;
      if (gone === undefined || !touches(stage, gone)) continue;
      const when = step.ancestors.includes(other)
        ? "has destroyed it by then"
        : "may be destroying it at the same time";
      this.#add("safety/read-after-destroy", stage.position, {
        message:
          `Cannot run stage "${stage.id}": it works on "${gone}", and stage "${other.id}" (line ${other.position.line}) ${when}`,
        hint: `move "${stage.id}" before "${other.id}"`,
      });
      return;
    }
  }

  #handler(stage: CompiledStage, list: "before" | "on_item_failed"): void {
    if (stage.facts.destroys || stage.plugin.effect === "destroy") {
      this.#add("safety/destroy-in-handler", stage.position, {
        message:
          `Cannot destroy in [[${list}]]: nothing is proved there, wanted in [[stage]] behind lock, proofs and record`,
        hint: `move "${stage.id}" to the end of [[stage]]`,
      });
      return;
    }
    const missing = missingNeeds(NOTHING, stage.facts);
    if (stage.facts.needsAllProved) missing.push(...missingForRecord(NOTHING));
    for (const one of missing.slice(0, 1)) {
      this.#add("safety/missing-fact", stage.position, {
        message: `Cannot run stage "${stage.id}" in [[${list}]]: ${one.words}; no fact stands there`,
        hint: `move "${stage.id}" to [[stage]]`,
      });
    }
  }

  /** The ledger names the places it was told of: one written after `complete` would never be found again. */
  #writtenAfterRecord(steps: readonly Step[]): void {
    for (const { stage } of steps.filter((step) => step.stage.facts.needsAllProved === true)) {
      // Also when it is recorded again behind that: whoever reads "complete" in between would count on places that lack.
      for (const writer of steps.filter((step) => step.ancestors.includes(stage))) {
        for (const place of placesWritten(writer.stage.facts)) {
          const { id, position } = writer.stage;
          this.#add("safety/complete-before-proof", this.#placeSpan(stage, "complete"), {
            message:
              `Cannot record the backup as complete in stage "${stage.id}": proved at "${place}" is missing; stage "${id}" (line ${position.line}) writes it later`,
            hint: `move "${stage.id}" behind what writes and proves "${place}"`,
          });
        }
      }
    }
  }

  /** A place that is written and nowhere proved is not a backup. */
  #unproved(steps: readonly Step[]): void {
    const stages = steps.map((step) => step.stage);
    for (const place of this.#places) {
      const writer = stages.find((stage) => placesWritten(stage.facts).includes(place));
      if (writer === undefined || this.#meant.has(place)) continue;
      const proves = stages.some((stage) =>
        stage.facts.gives?.some((fact) => fact.fact === "proved" && fact.place === place && fact.strength !== "none")
      );
      if (proves) continue;
      this.#add("safety/unproved-place", writer.position, {
        message: `Cannot count on place "${place}": stage "${writer.id}" writes it and nothing proves it`,
        hint: this.#folders.has(place)
          ? `add behind it: [[stage]] use = "verify", with = { place = "${place}" }`
          : `let "${writer.id}" prove what it writes: verify = "auto"`,
      });
    }
  }

  #unreachable(): void {
    const { stages, onItemFailed } = this.#pipeline;
    const handler = onItemFailed[0];
    if (handler === undefined || stages.some((stage) => stage.onError === "fail")) return;
    this.#add("safety/unreachable", handler.position, {
      message: `Cannot reach [[on_item_failed]]: every stage has on_error = "warn", so that no item ever fails`,
      hint: `take on_error = "warn" from the stages that matter`,
    });
  }
}

/** Whether a stage reads, writes, proves or destroys at a place. The item itself is at the source. */
function touches(stage: CompiledStage, place: string): boolean {
  const { needs = [], gives = [], destroys } = stage.facts;
  if (destroys?.place === place) return true;
  if (place !== SOURCE_PLACE) {
    return [...needs, ...gives].some((fact) => fact.place === place && fact.fact !== "written");
  }
  if (gives.some((fact) => fact.fact === "hashed" || fact.fact === "locked" || fact.fact === "written")) return true;
  if (needs.some((fact) => fact.fact === "hashed")) return true;
  // Takes trees and says nothing of facts: it looks at the study itself, as validation does.
  return stage.plugin.takes === "tree" && stage.plugin.effect === "read";
}

/** Span of the text `wanted` somewhere within a value. */
function findText(node: TomlNode, wanted: string): Span | undefined {
  if (node.kind === "scalar") return node.value === wanted ? node.span : undefined;
  const children = node.kind === "array" ? node.items : [...node.entries.values()].map((entry) => entry.node);
  for (const child of children) {
    const span = findText(child, wanted);
    if (span) return span;
  }
  return undefined;
}
