import assert from "node:assert/strict";
import { renderLedger, tornWarnings } from "../../../core/ledger/show.ts";
import type { LedgerEntry, LedgerRecord } from "../../../core/ledger/record.ts";
import { entry, started } from "./_entry.ts";

function fold(...entries: LedgerEntry[]) {
  const records = new Map<string, LedgerRecord>();
  for (const one of entries) records.set(one.backup_name, { ...one, prev: "0".repeat(64) });
  return { records, torn: [] };
}

Deno.test("renderLedger() aligns a table and sums it up", () => {
  const deleted = "2026-03-02T04:05:06Z";
  const text = renderLedger(
    fold(
      entry("study", { source_deleting_at: deleted, source_deleted_at: deleted }),
      entry("日本語", { total_bytes: 1.5 * 2 ** 40, truenas_evicting_at: deleted, truenas_evicted_at: deleted }),
      started("bad", { status: "failed_s3", error: "s3/denied: \x1b[31mno" }),
    ),
    "text",
  );
  assert.equal(
    text,
    [
      "BACKUP  STATUS     FILES     SIZE  STARTED           COMPLETED         SOURCE                    WHERE",
      "study   complete       3  3.0 MiB  2026-03-01 02:00  2026-03-01 02:21  deleted 2026-03-02 04:05  truenas read-back, s3 server-checksum",
      "日本語  complete       3  1.5 TiB  2026-03-01 02:00  2026-03-01 02:21  kept                      truenas evicted 2026-03-02 04:05, s3 server-checksum",
      "bad     failed_s3      3  3.0 MiB  2026-03-01 02:00  -                 kept                      s3/denied: \\u001b[31mno",
      "3 backups, 1.5 TiB: 2 complete, 1 failed_s3",
      "",
    ].join("\n"),
  );
});

Deno.test("renderLedger() as JSON is the folded object, whatever the names", () => {
  const ledger = fold(entry("a"), entry("__proto__"));
  const parsed = JSON.parse(renderLedger(ledger, "json"));
  assert.deepEqual(Object.keys(parsed), ["a", "__proto__"]);
  assert.deepEqual(parsed.a, ledger.records.get("a"));
});

Deno.test("renderLedger() says that there is nothing", () => {
  assert.equal(renderLedger(fold(), "text"), "The ledger has no records yet.\n");
  assert.deepEqual(JSON.parse(renderLedger(fold(), "json")), {});
});

Deno.test("tornWarnings() names file, line and reason", () => {
  const torn = [{ file: "2026-03.jsonl", line: 7, reason: "it is not JSON" }];
  assert.deepEqual(tornWarnings(torn), ["2026-03.jsonl, line 7 is left out: it is not JSON"]);
});
