/** What a program of the system said, in the words of an error. */
import type { ProgramResult } from "../../core/contract.ts";

/** ` and says: …`, on one line; nothing when it said nothing. */
export function saidBy({ output }: Pick<ProgramResult, "output">): string {
  const words = output.trim().replace(/\s+/g, " ").replace(/\.$/, "");
  return words === "" ? "" : ` and says: ${words}`;
}
