/** Evidence is minted for what a stage says it gives, for all of it and for nothing else. @module */
import assert from "node:assert/strict";
import type { AnyStage, Fact } from "../core/contract.ts";
import { type Evidence, SOURCE_PLACE, strengthOf } from "../core/evidence.ts";
import type { ConformanceOptions } from "./conformance.ts";
import { assertEnded, type NamedCheck, openWorld } from "./conformance_run.ts";
import { observed } from "./observed.ts";
import { evidenceOf } from "./run_stage.ts";
import { pipelineOf, SUBJECT } from "./stage_setting.ts";
import type { World } from "./world.ts";

/** The checks of evidence. */
export function evidenceChecks(plugin: AnyStage, options: ConformanceOptions): NamedCheck[] {
  if (plugin.takes === "event") return [];
  return [
    ["mints evidence only for facts it gives", async () => {
      const { gives, before, after } = await evidenceAround(plugin, options);
      const stood = new Set(before.map(keyOf));
      for (const row of after.filter((row) => !stood.has(keyOf(row)))) {
        assert.ok(gives.some((fact) => allows(fact, row)), `${row.level} at "${row.place}" is not among what it gives`);
      }
    }],
    ["mints the evidence of every fact it gives", async () => {
      const { gives, after } = await evidenceAround(plugin, options);
      const files = new Set(after.map((row) => row.path));
      // A stage that destroys gives nothing, and of a part of the files nothing is said.
      const parts = gives.filter(({ fact, strength }) => fact === "written" && strength === "none");
      for (const fact of gives.filter((fact) => !parts.some((part) => part.place === fact.place))) {
        if (fact.fact !== "written" && fact.fact !== "proved") continue;
        const rows = after.filter((row) => row.place === fact.place && shows(row, fact));
        assert.equal(rows.length, files.size, `${fact.fact} at "${fact.place}" stands for ${rows.length} of the files`);
      }
    }],
  ];
}

interface Around {
  gives: readonly Fact[];
  before: Evidence[];
  after: Evidence[];
}

async function evidenceAround(plugin: AnyStage, options: ConformanceOptions): Promise<Around> {
  const pipeline = pipelineOf(plugin, options);
  const items = new Set<string>();
  let before: Evidence[] | undefined;
  const world: World = await openWorld(
    observed(plugin, {
      async planning(item) {
        items.add(item.id);
        before ??= await evidenceOf(world, [item.id]);
      },
    }),
    options,
  );
  await using _ = world;
  const { gives = [] } = world.compile(pipeline).pipeline?.stages.find(({ id }) => id === SUBJECT)?.facts ?? {};
  assertEnded(await world.run({ pipeline }), options);
  return { gives, before: before ?? [], after: await evidenceOf(world, [...items]) };
}

const keyOf = ({ place, path, level, guarantee }: Evidence) => JSON.stringify([place, path, level, guarantee]);

/** Whether a fact that is given covers a row. */
function allows({ fact, place }: Fact, row: Evidence): boolean {
  if (row.place === SOURCE_PLACE) return fact === "hashed";
  if (place !== row.place) return false;
  return fact === "proved" || (fact === "written" && row.level === "written");
}

/** Whether a row shows as much as the fact claims. */
function shows(row: Evidence, { fact, strength = "strong" }: Fact): boolean {
  if (fact === "written" || strength === "none") return true;
  if (row.level !== "proved") return false;
  const shown = strengthOf(row.guarantee);
  return shown === "strong" || (shown === "weak" && strength === "weak");
}
