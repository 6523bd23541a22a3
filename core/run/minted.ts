/** Holds what a stage from outside says it gives against what the ports minted (SAFETY: only ports mint facts). @module */
import type { Fact } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { factWords } from "../safety/demands.ts";
import type { ItemSession } from "./item_session.ts";
import type { RunState } from "./run_state.ts";

/**
 * Throws when a stage from outside has ended and a fact it declares was minted by no port: lint counted on it.
 * @throws {PipelineError} `plugins/not-minted`
 */
export async function assertMinted(
  run: RunState,
  session: ItemSession,
  { id, external, facts, onError }: CompiledStage,
): Promise<void> {
  // With on_error = "warn" nothing counted on it.
  if (external === undefined || onError === "warn" || run.request.dryRun) return;
  const gives = facts.gives ?? [];
  const isPart = ({ place }: Fact) =>
    gives.some((one) => one.fact === "written" && one.strength === "none" && one.place === place);
  // Nothing counts on a place that only some of the files are written to.
  for (const fact of gives.filter((one) => !isPart(one))) {
    const found = await lacking(run, session, fact);
    if (found === undefined) continue;
    throw new PipelineError(
      "plugins/not-minted",
      `Cannot go on behind stage "${id}" of ${external.file}: it says that it gives ${factWords(fact)}, found ${found}`,
      {
        hint: "Only a port can make it so: its author must ask one (ctx.place(…).write, .prove, .seal; ctx.lock, " +
          "ctx.record), or take the fact out of facts().gives",
      },
    );
  }
}

/** What is found in place of the fact; undefined when it stands. */
async function lacking(run: RunState, session: ItemSession, fact: Fact): Promise<string | undefined> {
  const { evidence } = session.scope;
  const { id } = session.item;
  const place = fact.place ?? "";
  switch (fact.fact) {
    case "locked":
      return await session.assertLocked().then(() => undefined, () => "no lock");
    case "recorded":
      return (await session.ledger())?.status === "complete" ? undefined : "no complete record in the ledger";
    case "sealed":
      return await run.place(place).sealed(session.scope) === undefined ? "no list of checksums" : undefined;
    case "hashed":
      return (await evidence.totals(id, SOURCE_PLACE)).files === 0 ? "no file hashed" : undefined;
    case "written":
    case "proved": {
      const { files } = await evidence.totals(id, SOURCE_PLACE);
      const there = await evidence.totals(id, place);
      if (there.files < files || there.files === 0) return `${there.files} of ${files} files written`;
      if (fact.fact === "written" || fact.strength === "none") return undefined;
      if (fact.strength === "weak") return there.weakest === "none" ? "files that are not proved" : undefined;
      return there.strong < there.files ? `${there.strong} of ${there.files} files proved strongly` : undefined;
    }
  }
}
