import assert from "node:assert/strict";
import { unexpectedMails } from "../../../demo/tour/mails.ts";

const WANTED = { from: "ferry@lab.example", misnamed: ["bad"] };
const failure = { event: "backup_failure", from: "ferry@lab.example", to: ["it@lab.example"], text: "bad: refused" };
const error = { ...failure, event: "fusion_error", to: ["operator@lab.example"], text: "Lamp" };

Deno.test("unexpectedMails() is nothing when each failed run was told to whoever wants to hear of it", () => {
  assert.deepEqual(unexpectedMails([failure, failure, failure, error], WANTED), []);
});

Deno.test("unexpectedMails() names mails too few, to others, of other events, and without the misnamed study", () => {
  const wrong = [{ ...failure, to: ["operator@lab.example"] }, { ...failure, text: "" }, {
    ...error,
    event: "toolkit_error",
    from: "else@lab.example",
  }];
  assert.deepEqual(unexpectedMails(wrong, WANTED), [
    "2 mails of failed backups arrived, wanted 3: one of each run",
    "a mail of a failed backup does not name bad",
    "a mail of backup_failure went to operator@lab.example, wanted it@lab.example",
    "a mail of toolkit_error came from else@lab.example, wanted ferry@lab.example",
    "a mail of toolkit_error went to operator@lab.example, wanted nobody",
  ]);
});
