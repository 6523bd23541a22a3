/** What may be believed of the facts a stage declares. @module */
import type { AnyStage, Fact, StageFacts } from "../contract.ts";
import { SOURCE_PLACE } from "../evidence.ts";
import { isVouchedFor } from "../external/external_stage.ts";
import type { Registry } from "../registry.ts";
import { takesAway } from "../safety/lattice.ts";

export interface EffectiveFacts {
  facts: StageFacts;
  /** What the stage says it gives and what is not counted: it may touch by itself what these facts speak of. */
  uncounted: Fact[];
}

/**
 * Returns the facts of a stage as they count. A stage nobody vouches for, and one that changes things without saying
 * which, may touch every byte; one whose file the config pins, what the config says besides. The engine takes away the
 * evidence of what a stage may have touched once it has run, so that nothing it gave before stands either.
 */
export function effectiveFacts(
  plugin: AnyStage,
  { declared, registry }: { declared: StageFacts | undefined; registry: Registry },
): EffectiveFacts {
  const origin = registry.externalOf(plugin);
  const changes = plugin.effect === "modify" || plugin.effect === "destroy";
  if (origin === undefined && !registry.isUntrusted(plugin)) {
    const facts: StageFacts = declared === undefined && changes ? { kills: "everything" } : declared ?? {};
    return { facts, uncounted: [] };
  }
  const isKnown = origin !== undefined && isVouchedFor(origin);
  const known = isKnown && declared?.kills !== "everything"
    ? [...declared?.kills ?? [], ...(origin.touches ?? []).map(touched)]
    : "everything";
  // What modifies modifies something: where neither the stage nor the config says what, it may be anything.
  const kills = known.length === 0 && plugin.effect === "modify" ? "everything" : known;
  if (kills.length === 0) return { facts: declared ?? {}, uncounted: [] };
  const gives = declared?.gives ?? [];
  const places = gives.flatMap(({ place }) => place === undefined ? [] : [place]);
  const uncounted = gives.filter((fact) => fact.fact === "recorded" || takesAway({ kills }, fact, places));
  return {
    facts: {
      ...declared,
      kills,
      ...(declared?.gives ? { gives: gives.filter((one) => !uncounted.includes(one)) } : {}),
    },
    uncounted,
  };
}

/** What no longer stands where code has written past the ports. */
function touched(place: string): Fact {
  return place === SOURCE_PLACE ? { fact: "hashed" } : { fact: "written", place };
}
