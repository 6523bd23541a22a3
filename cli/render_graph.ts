/** A pipeline as a Mermaid flowchart: stages as boxes, what they write and prove as edges. Pure. @module */
import type { Fact, PlaceDeclaration } from "../core/contract.ts";
import { SOURCE_PLACE } from "../core/evidence.ts";
import { flow, type FlowStep, placesWritten } from "../core/lint/flow.ts";
import type { CompiledPipeline, CompiledStage } from "../core/pipeline/compile.ts";
import { takesAway } from "../core/safety/lattice.ts";

type Step = FlowStep<CompiledStage>;

/** Renders a compiled pipeline, also one that lint refuses: the missing edge is then plain to see. */
export function renderGraph(pipeline: CompiledPipeline): string {
  return new Graph(pipeline).lines().map((line) => `${line}\n`).join("");
}

class Graph {
  readonly #pipeline: CompiledPipeline;
  readonly #steps: readonly Step[];
  readonly #names = new Map<CompiledStage, string>();

  constructor(pipeline: CompiledPipeline) {
    this.#pipeline = pipeline;
    this.#steps = flow(pipeline.stages);
    const lists = [["before", pipeline.before], ["stage", pipeline.stages], ["failed", pipeline.onItemFailed]] as const;
    for (const [list, stages] of lists) stages.forEach((stage, at) => this.#names.set(stage, `${list}${at + 1}`));
  }

  lines(): string[] {
    const { source, places } = this.#pipeline;
    return [
      "flowchart TB",
      `  source(["${text(source.use)}"])`,
      ...this.#group("before", this.#pipeline.before),
      ...this.#group("stages", this.#pipeline.stages),
      ...this.#group("failed", this.#pipeline.onItemFailed),
      ...places.map((place) => `  ${placeName(place.id)}[("${placeText(place)}")]`),
      ...this.#order(),
      ...this.#steps.flatMap((step) => [...this.#bytes(step), ...this.#evidence(step)]),
      ...this.#looks(),
    ];
  }

  #name(stage: CompiledStage): string {
    return this.#names.get(stage) ?? "";
  }

  #group(name: keyof typeof TITLES, stages: readonly CompiledStage[]): string[] {
    if (stages.length === 0) return [];
    const boxes = stages.map((stage) => `    ${this.#name(stage)}["${stageText(stage)}"]`);
    return [`  subgraph ${name} ["${TITLES[name]}"]`, ...boxes, "  end"];
  }

  /** What runs after what. */
  #order(): string[] {
    const { before, stages, onItemFailed } = this.#pipeline;
    const follow = (list: readonly CompiledStage[]) =>
      list.slice(1).map((stage, at) => `  ${this.#name(list[at])} --> ${this.#name(stage)}`);
    const byId = new Map(stages.map((stage) => [stage.id, stage]));
    const lines = [...before.length > 0 ? ["  before --> source"] : [], ...follow(before)];
    for (const stage of stages) {
      const above = stage.after.flatMap((id) => byId.get(id) ?? []);
      if (above.length === 0) lines.push(`  source --> ${this.#name(stage)}`);
      for (const one of above) lines.push(`  ${this.#name(one)} --> ${this.#name(stage)}`);
    }
    if (onItemFailed.length > 0) lines.push(`  stages -. "an item fails" .-> failed`);
    return [...lines, ...follow(onItemFailed)];
  }

  /** What is written, and what is removed. */
  #bytes({ stage }: Step): string[] {
    const { facts } = stage;
    const does = stage.plugin.effect === "read" ? "reads" : "writes";
    const lines = placesWritten(facts).map((place) => `  ${this.#name(stage)} == "${does}" ==> ${placeName(place)}`);
    if (facts.destroys) lines.push(`  ${this.#name(stage)} == "removes" ==> ${placeName(facts.destroys.place)}`);
    return lines;
  }

  /** Which stage proves what this one needs. */
  #evidence(step: Step): string[] {
    const { stage, ancestors } = step;
    return ancestors.filter(({ onError }) => onError === "fail").flatMap((giver) => {
      const given = (giver.facts.gives ?? []).filter((fact) => wants(stage, fact));
      // Of two that give the same, the one nearer counts; what is taken away does not.
      const left = given.filter((fact) =>
        !behind(ancestors, giver).some((later) => givesToo(later, fact) || takesAway(later.facts, fact))
      );
      const labels = [...new Set(left.map(factText))];
      return labels.length === 0 ? [] : [`  ${this.#name(giver)} -. "${labels.join(", ")}" .-> ${this.#name(stage)}`];
    });
  }

  #looks(): string[] {
    const all = [...this.#names.keys()];
    const names = (stages: CompiledStage[]) => stages.map((stage) => this.#name(stage)).join(",");
    const destroys = all.filter(({ plugin }) => plugin.effect === "destroy");
    const warns = all.filter(({ onError }) => onError === "warn");
    return [
      ...destroys.length > 0
        ? ["  classDef destroys stroke:#c00,stroke-width:3px", `  class ${names(destroys)} destroys`]
        : [],
      ...warns.length > 0 ? ["  classDef mayFail stroke-dasharray:5 5", `  class ${names(warns)} mayFail`] : [],
    ];
  }
}

const TITLES = { before: "once, before any item", stages: "each item", failed: "an item that failed" };

function behind(stages: readonly CompiledStage[], stage: CompiledStage): readonly CompiledStage[] {
  return stages.slice(stages.indexOf(stage) + 1);
}

function givesToo({ facts }: CompiledStage, { fact, place }: Fact): boolean {
  return facts.gives?.some((other) => other.fact === fact && other.place === place) ?? false;
}

/** Whether a stage counts on a fact: it needs it, or records or destroys on its strength. */
function wants({ facts }: CompiledStage, { fact, place, strength }: Fact): boolean {
  if (facts.needs?.some((need) => need.fact === fact && need.place === place)) return true;
  const proves = fact === "proved" && strength !== "none";
  if (facts.needsAllProved && (proves || fact === "sealed")) return true;
  return facts.destroys !== undefined &&
    (fact === "locked" || fact === "recorded" || (proves && place !== facts.destroys.place));
}

function factText({ fact, place }: Fact): string {
  return text(place === undefined ? fact : `${fact} at ${place}`);
}

function stageText({ id, use, onError }: CompiledStage): string {
  const name = id === use ? text(use) : `${text(id)}<br/>(${text(use)})`;
  return onError === "warn" ? `${name}<br/>may fail` : name;
}

function placeName(id: string): string {
  return id === SOURCE_PLACE ? "source" : `place_${id.replace(/[^A-Za-z0-9_]/g, "_")}`;
}

function placeText(place: PlaceDeclaration): string {
  const { bucket } = place.kind === "objects" ? place.options : {};
  const where = place.kind === "directory" ? place.root : `${place.store}://${String(bucket ?? "")}/${place.prefix}`;
  return `${text(place.id)}<br/>${text(where)}`;
}

/** What would end a label, or be read as a tag or an entity, is written as Mermaid wants it. */
function text(words: string): string {
  return words.replace(/[#&"<>`;]/g, (letter) => `#${letter.charCodeAt(0)};`);
}
