/** What a stage needs, gives and takes away, with the options of its example. Pure. @module */
import type { AnyStage, Fact, StageFacts } from "../core/contract.ts";
import type { Json } from "../core/json.ts";
import { resolveTree } from "../core/pipeline/template.ts";
import { parseToml, tomlValue } from "../core/pipeline/toml_document.ts";
import { sampleConfig } from "../core/schema/sample_config.ts";

/** As `show --json` prints it. */
export interface ShownFacts {
  needs: Fact[];
  gives: Fact[];
  kills: Fact[] | "everything";
  /** Needs every place written so far to be proved, and one of them sealed. */
  needs_all_proved: boolean;
  destroys: { place: string; places: number } | null;
}

/** Returns the facts of a stage; undefined where its example cannot tell. */
export function factsOf(stage: AnyStage): ShownFacts | undefined {
  const example = exampleOf(stage);
  const parsed = stage.options.safeParse(filled(example.with));
  const options = parsed.success ? parsed : stage.options.safeParse({});
  if (!options.success) return undefined;
  let declared: StageFacts | undefined;
  try {
    declared = stage.facts?.(options.data, example.id);
  } catch {
    // Its author's mistake is told by lint, where it matters.
    return undefined;
  }
  const isWild = declared === undefined && (stage.effect === "modify" || stage.effect === "destroy");
  const { needs = [], gives = [], kills = [], needsAllProved = false, destroys } = declared ?? {};
  return {
    needs,
    gives,
    kills: isWild ? "everything" : kills,
    needs_all_proved: needsAllProved,
    destroys: destroys ?? null,
  };
}

/** The options with what a config would give for their templates. */
function filled(options: Json): Json {
  const scope = { config: sampleConfig(), configFile: "config.toml", env: {}, item: () => "item" };
  return resolveTree(options, scope, { problem: () => {} });
}

function exampleOf({ example, name }: AnyStage): { id: string; with: Json } {
  const { document } = parseToml({ file: name, text: example });
  const value = document === undefined ? {} : tomlValue(document.root);
  const list = isTable(value) ? value.stage ?? value.before ?? value.on_item_failed : undefined;
  const entry = Array.isArray(list) ? list[0] : undefined;
  if (!isTable(entry)) return { id: name, with: {} };
  return { id: typeof entry.id === "string" ? entry.id : name, with: entry.with ?? {} };
}

function isTable(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the facts as lines: `needs  written at "truenas"`. */
export function factLines(facts: ShownFacts): string[] {
  const { destroys, kills } = facts;
  const needs = facts.needs.map(words);
  if (facts.needs_all_proved) needs.push("every place written so far proved, one of them sealed");
  if (destroys) {
    const places = Math.max(1, destroys.places);
    needs.push(`locked, recorded, and each file proved at ${places} other place${places === 1 ? "" : "s"}`);
  }
  const takes = kills === "everything" ? ["everything: it may change any byte"] : kills.map(words);
  if (destroys) takes.push(`all that stands at "${destroys.place}": it removes the files there`);
  const rows: [string, string[]][] = [["needs", needs], ["gives", facts.gives.map(words)], ["takes away", takes]];
  return rows.map(([label, list]) => `${label.padEnd(12)}${list.length === 0 ? "nothing" : list.join("; ")}`);
}

function words({ fact, place, strength }: Fact): string {
  const at = place === undefined ? fact : `${fact} at "${place}"`;
  if (fact === "written" && strength === "weak") return `${at} (not flushed)`;
  return strength === undefined || strength === "strong" ? at : `${at} (${strength})`;
}
