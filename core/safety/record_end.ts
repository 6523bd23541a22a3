/** The end of a destroy, in the ledger and in the journal (SAFETY S4). @module */
import { PipelineError } from "../errors.ts";
import { follow } from "../ledger/entry.ts";
import type { LedgerRecord } from "../ledger/record.ts";
import type { DestroyServices, Victim } from "./victim.ts";

/** Whether the ledger shows that a destroy of a complete backup was begun, and not its end. */
export function isUnderWay(record: LedgerRecord, { begun, ended }: Pick<Victim, "begun" | "ended">): boolean {
  return record.status === "complete" && record[begun] !== null && record[ended] === null;
}

/** Closes a destroy whose victim is gone: ledger first, then the journal forgets the item. */
export async function recordEnd(
  services: Pick<DestroyServices, "clock" | "journal" | "ledger">,
  victim: Pick<Victim, "id" | "begun" | "ended">,
  item: { id: string; name: string },
): Promise<void> {
  const record = await services.ledger.latest(item.name);
  if (record?.status !== "complete" || record.incarnation !== item.id || record[victim.begun] === null) {
    throw new PipelineError(
      "destroy/no-intent",
      `Cannot record that "${item.name}" is gone from ${victim.id}: the ledger does not show this destroy as begun`,
      {
        hint: "The ledger's folder is another than it was. Bring it back and run again; the next run records the end.",
      },
    );
  }
  if (record[victim.ended] === null) {
    await services.ledger.append(follow(record, { [victim.ended]: new Date(services.clock.now()).toISOString() }));
  }
  await services.journal.intents.close(item.id, victim.id);
  await services.journal.evidence.remove(item.id);
  await services.journal.steps.remove(item.id);
}
