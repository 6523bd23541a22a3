/** A process of its own that appends records and tells each name once it is appended. Arguments: root, name, count. */
import { systemClock } from "../../../core/io/clock.ts";
import { openLedger } from "../../../core/ledger/ledger_file.ts";
import { entry } from "./_entry.ts";
import { plainDisk } from "./_plain_disk.ts";

const [root, name, count] = Deno.args;
const ledger = openLedger({ fs: plainDisk(), root, clock: systemClock, host: name });
const most = count === "endless" ? Infinity : Number(count);
for (let i = 0; i < most; i++) {
  await ledger.append(entry(`${name}-${i}`));
  await Deno.stdout.write(new TextEncoder().encode(`${name}-${i}\n`));
}
