/**
 * Nearest names, for "did you mean".
 * @module
 */
import { closestString } from "@std/text/closest-string";

/** Share of letters two words have in common, 0 to 1, so that a far-off word is not suggested. */
function likeness(a: string, b: string): number {
  const left = [...b];
  let common = 0;
  for (const letter of a) {
    const at = left.indexOf(letter);
    if (at < 0) continue;
    left.splice(at, 1);
    common++;
  }
  return common / Math.max([...a].length, [...b].length, 1);
}

/** Returns the candidate nearest to `word`, or undefined when none is near enough to be meant. */
export function nearestName(word: string, candidates: Iterable<string>): string | undefined {
  const known = [...candidates].filter((name) => name.length > 0);
  if (known.length === 0) return undefined;
  const nearest = closestString(word, known);
  if (likeness(word.toLowerCase(), nearest.toLowerCase()) >= 0.55) return nearest;
  // A part of a name, such as `checksum` of `checksum-sidecar`, is far off by letters and plainly meant.
  const whole = known.filter((name) => word.length >= 4 && name.toLowerCase().includes(word.toLowerCase()));
  return whole.toSorted((a, b) => a.length - b.length)[0];
}

/** What to say of an unknown name, for people and for programs. */
export interface NameAdvice {
  hint?: string;
  /** The name that was most likely meant. */
  nearest?: string;
  /** Every name that would do, sorted. */
  wanted?: readonly string[];
}

/** Hint, nearest name and all names that would do, to be spread into a diagnostic. */
export function nameAdvice(word: string, candidates: Iterable<string>, what?: string): NameAdvice {
  const known = [...new Set(candidates)].toSorted();
  const nearest = nearestName(word, known);
  const hint = nameHint(word, known, what);
  return {
    ...hint === undefined ? {} : { hint },
    ...nearest === undefined ? {} : { nearest },
    ...known.length === 0 ? {} : { wanted: known },
  };
}

/** Hint for an unknown name: the nearest one, else all of them. Undefined when nothing is known. */
export function nameHint(word: string, candidates: Iterable<string>, what = "known"): string | undefined {
  const known = [...candidates];
  const nearest = nearestName(word, known);
  if (nearest !== undefined) return `did you mean "${nearest}"`;
  return known.length === 0 ? undefined : `${what}: ${known.toSorted().join(", ")}`;
}
