/** Events that stages name: whoever hears of one nobody defines hears nothing, ever. Pure. @module */
import { EVENTS } from "../events/events.ts";
import type { CompiledPipeline, CompiledStage } from "../pipeline/compile.ts";
import { diagnose, type Diagnostic } from "../pipeline/diagnostic.ts";
import { nameAdvice } from "../pipeline/nearest.ts";
import { walkSchema } from "../pipeline/schema_walk.ts";
import type { TomlPath } from "../pipeline/toml_document.ts";
import { writtenAt } from "../pipeline/written.ts";
import { ruleSeverity } from "./rules.ts";

/** Where a stage names an event, as its schema says (`.meta({ event: "raises" })`). */
export interface NamedEvent {
  event: string;
  /** `raises` defines the event; `hears` counts on somebody else to. */
  role: "raises" | "hears";
  stage: CompiledStage;
  /** Below the document's root. */
  path: TomlPath;
}

/** Events that the stages of a pipeline name. */
export function eventsNamed({ stages, onItemFailed, before }: CompiledPipeline): NamedEvent[] {
  const found: NamedEvent[] = [];
  for (const stage of [...before, ...stages, ...onItemFailed]) {
    walkSchema(stage.plugin.options, stage.written, {
      event(event, role, at) {
        if (event.includes("${") || (role !== "raises" && role !== "hears")) return;
        found.push({ event, role, stage, path: [...stage.path, "with", ...at] });
      },
    });
  }
  return found;
}

/**
 * Refuses events nobody defines. `defined` are those of pipelines: what they raise, and the event of their failure. A
 * stage may raise an event of its own, unless its name is that of a known one but for a letter or two.
 */
export function lintEvents(pipeline: CompiledPipeline, defined: Iterable<string>): Diagnostic[] {
  const named = eventsNamed(pipeline);
  const raised = named.flatMap(({ event, role }) => role === "raises" ? [event] : []);
  const others = new Set([...Object.keys(EVENTS), ...defined]);
  return named.flatMap(({ event, role, stage, path }) => {
    if (role === "raises" ? others.has(event) || !isNearly(event, others) : [...others, ...raised].includes(event)) {
      return [];
    }
    const known = role === "raises" ? others : new Set([...others, ...raised]);
    const advice = nameAdvice(event, known, "events");
    const also = role === "raises" ? "; an event of your own needs a name that is not so much alike" : "";
    return diagnose(writtenAt(pipeline, path), {
      code: "safety/unknown-event",
      severity: ruleSeverity("safety/unknown-event"),
      message: `Cannot run stage "${stage.id}": nobody defines the event "${event}"`,
      ...advice,
      hint: `${advice.hint ?? ""}${also}`,
    });
  });
}

/** Whether a name is another one but for at most two letters. */
function isNearly(name: string, others: Iterable<string>): boolean {
  return [...others].some((other) => distance(name, other) <= 2);
}

/** How many letters must be put in, taken out or changed, two neighbours exchanged counting as two. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
