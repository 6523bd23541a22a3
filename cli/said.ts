/** What was said lately, so that a command which lives for long does not say it at every turn. @module */

/** How many different words are remembered; of more, the oldest are said again. */
const REMEMBERED = 100;

export class Said {
  readonly #at = new Map<string, number>();

  /** Whether this was not said in the last `ageMs`; from now on it was. A clock that was set back silences nothing. */
  isNews(words: string, { now, ageMs }: { now: number; ageMs: number }): boolean {
    const last = this.#at.get(words);
    if (last !== undefined && now >= last && now - last < ageMs) return false;
    this.#at.delete(words); // so that the first of the map is the oldest
    this.#at.set(words, now);
    if (this.#at.size > REMEMBERED) this.#at.delete(this.#at.keys().next().value as string);
    return true;
  }
}
