/** What the stages of a log hand on to each other in the data of an item. @module */
import type { Json } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { z } from "../core/options.ts";

/** Whole lines of a log. `at`: where they begin, in bytes. */
export interface LogRecord {
  at: number;
  text: string;
  /** The nearest lines before it, of the kinds the source was asked for. */
  context?: string[];
}

/** An error in a log. */
export interface Block extends LogRecord {
  /** Which error of its record it is, from 0. */
  nth: number;
  /** What was found in the context: a sample, a cycle. */
  found?: { [name: string]: string };
  /** How many more of its kind came with it. */
  repeats?: number;
}

const RECORD = z.object({ at: z.number(), text: z.string(), context: z.array(z.string()).optional() });
const BLOCK = RECORD.extend({
  nth: z.number(),
  found: z.record(z.string(), z.string()).optional(),
  repeats: z.number().optional(),
});

/** The records a source of a log has put into an item. @throws {PipelineError} `item/wrong-data` */
export function recordsOf(data: { readonly [key: string]: Json }): LogRecord[] {
  return read("records", z.array(RECORD), data);
}

/** The errors `error-blocks` has put into an item. @throws {PipelineError} `item/wrong-data` */
export function blocksIn(data: { readonly [key: string]: Json }): Block[] {
  return read("blocks", z.array(BLOCK), data);
}

function read<T>(key: string, schema: z.ZodType<T>, data: { readonly [key: string]: Json }): T {
  const parsed = schema.safeParse(data[key]);
  if (parsed.success) return parsed.data;
  throw new PipelineError("item/wrong-data", `Cannot read "${key}" of the item: it does not come from a log`, {
    cause: parsed.error,
    hint:
      "error-blocks stands behind the source log-tail; error-context, drop-repeats, raise-event behind error-blocks",
  });
}
