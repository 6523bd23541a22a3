/** Sees to it that no two steps of a plan have one id: the journal would take the second for done. @module */
import type { Plan } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import type { CompiledStage } from "../pipeline/compile.ts";

/** Passes on what a plan yields. @throws {PipelineError} `stage/step-twice` */
export async function* distinctSteps(
  plans: AsyncIterable<Plan>,
  { id, external }: Pick<CompiledStage, "id" | "external">,
): AsyncGenerator<Plan> {
  const seen = new SeenIds();
  for await (const plan of plans) {
    if (plan.kind === "todo" && !seen.add(plan.id)) throw twice(plan.id, external ? `${id}" of "${external.file}` : id);
    yield plan;
  }
}

const LONGEST_SHOWN = 80;

function twice(id: string, stage: string): PipelineError {
  const shown = id.length > LONGEST_SHOWN ? `${id.slice(0, LONGEST_SHOWN)}…` : id;
  return new PipelineError(
    "stage/step-twice",
    `Cannot run stage "${stage}": its plan has two steps with the id "${shown}", wanted one of its own for each`,
    { hint: "This is a mistake of the stage: the second step would never be done. Tell its author" },
  );
}

const FEWEST_SLOTS = 64;

/**
 * Ids that were seen, by 64 bits of hash each: 16 to 32 bytes for an id of any length, so that the plan of a million
 * steps takes less than 40 MB. Two of a million are taken for one in a run of 30 million.
 */
export class SeenIds {
  /** Two words a slot; both 0 for an empty one. */
  #slots = new Uint32Array(2 * FEWEST_SLOTS);
  #count = 0;

  /** Returns whether the id is new. */
  add(id: string): boolean {
    const [high, low] = hashOf(id);
    if (!put(this.#slots, high, low)) return false;
    this.#count++;
    if (this.#count * 4 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const wider = new Uint32Array(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += 2) {
      const [high, low] = [this.#slots[at], this.#slots[at + 1]];
      if (high !== 0 || low !== 0) put(wider, high, low);
    }
    this.#slots = wider;
  }
}

/** Returns false when it is there. */
function put(slots: Uint32Array, high: number, low: number): boolean {
  const mask = slots.length / 2 - 1;
  for (let slot = low & mask;; slot = (slot + 1) & mask) {
    const at = 2 * slot;
    if (slots[at] === high && slots[at + 1] === low) return false;
    if (slots[at] !== 0 || slots[at + 1] !== 0) continue;
    slots[at] = high;
    slots[at + 1] = low;
    return true;
  }
}

/** Two words, never both 0. Nobody attacks it: who makes two ids of one hash fails his own stage. */
function hashOf(id: string): [high: number, low: number] {
  let high = 0xdeadbeef, low = 0x41c6ce57;
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return high === 0 && low === 0 ? [1, 0] : [high >>> 0, low >>> 0];
}
