/** When a thing of a kind was told of last. @module */
import type { EventReadContext } from "../core/ports.ts";

/**
 * When the key was last left by an item that ended well (ms since 1970), if that is less than `windowMs` ago; undefined
 * otherwise, and where the run is forced. A clock that was set back silences nothing: the future is no answer.
 */
export async function seenWithin(ctx: EventReadContext, key: string, windowMs: number): Promise<number | undefined> {
  if (ctx.force) return undefined;
  const last = await ctx.seen(key);
  return last !== undefined && ctx.clock.now() - last < windowMs ? last : undefined;
}
