import assert from "node:assert/strict";
import { join } from "@std/path";
import { PipelineError } from "../../../core/errors.ts";
import { openJournal } from "../../../core/journal/sqlite.ts";
import { inWords } from "../../../core/journal/_database.ts";
import { tempDir } from "../../kit/temp.ts";

const system = (code: string, message: string) => Object.assign(new Error(message), { code });

Deno.test("what the system says of the journal's folder is no fault of labferry, and names the folder", () => {
  const path = "/state/journal.db";
  for (
    const [code, said, wanted, words] of [
      ["EROFS", "Read-only file system (os error 30)", "journal/cannot-open", /the file system is mounted read-only/],
      ["EACCES", "Permission denied (os error 13)", "journal/cannot-open", /the system denies access/],
      ["EISDIR", "Is a directory (os error 21)", "journal/cannot-open", /it is a folder/],
      ["ENOSPC", "No space left on device (os error 28)", "journal/full", /the disk is full/],
    ] as const
  ) {
    const error = inWords(path, "keep work", system(code, said));
    assert.ok(error instanceof PipelineError, code);
    assert.deepEqual([error.code, error.stopsRun], [wanted, 1], code);
    assert.match(error.message, words);
    assert.match(error.message, /^Cannot use the journal "\/state\/journal\.db" to keep work: /);
    assert.match(error.hint ?? "", code === "ENOSPC" ? /state folder/ : /"\/state"; LABFERRY_STATE_DIR/);
  }
});

Deno.test("openJournal() says that its lock cannot be opened", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(join(dir.path, "journal.db.lock"));
  await assert.rejects(openJournal(join(dir.path, "journal.db")), { code: "journal/cannot-open", stopsRun: 1 });
});
