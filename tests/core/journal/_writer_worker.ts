/** A process of its own that writes a journal. Arguments: path, what, name. */
import { openJournal } from "../../../core/journal/sqlite.ts";
import { evidenceOf } from "./_evidence.ts";

const [path, what, name] = Deno.args;
const tell = (text: string) => Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
await using journal = await openJournal(path);
if (what === "cursor") {
  for (let i = 1;; i++) {
    await journal.cursors.set("count", i);
    await tell(String(i));
  }
}
if (what === "pairs") {
  // Large enough that the log is folded into the database every few transactions.
  for (let i = 0;; i++) {
    const paths = Array.from({ length: 2_000 }, (_, n) => `file${String(i % 20).padStart(4, "0")}-${n}`);
    await journal.evidence.put("inc", paths.flatMap((one) => [evidenceOf(one, "left"), evidenceOf(one, "right")]));
    await tell(String(i));
  }
}
if (what === "claims") {
  for (let i = 0; i < 100; i++) {
    await journal.evidence.put("inc", [evidenceOf(`f${i}`, name)]);
    if (await journal.claims.claim(`n${i}`, name, { now: 1000, ms: 1e9 })) await tell(`n${i}`);
  }
}
