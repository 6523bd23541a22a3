import assert from "node:assert/strict";
import { join } from "@std/path";
import { openJournal } from "../../core/journal/sqlite.ts";
import { lab } from "./_lab.ts";
import type { Lab } from "./_lab.ts";

async function monitorLab(logPath: string): Promise<Lab> {
  const place = await lab();
  const config = `\n[monitor]\nlog_path = "${logPath}"\n[notify]\nenabled = true\n` +
    `[notify.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n`;
  await Deno.writeTextFile(join(place.path, "config.toml"), config, { append: true });
  await Deno.writeTextFile(
    join(place.path, "smtp.env"),
    "LABFERRY_SMTP_USER=ops@lab.example\nLABFERRY_SMTP_APP_PASSWORD=none\n",
  );
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  return place;
}

Deno.test("S17 monitor tail --dry-run shows what is in the log, one item a line, and ends", async () => {
  await using place = await monitorLab("Fusion.log");
  await Deno.writeTextFile(join(place.path, "Fusion.log"), "2026-01-02 03:04:05 ERROR Pump stalled\n");
  const preset = (await place.cli(["echo", "monitor"])).stdout;
  await place.pipeline("monitor", preset.replace("[source.with]", '[source.with]\nstart = "beginning"'));
  const { code, stdout, stderr } = await place.cli(["monitor", "tail", "--dry-run", "--json"]);
  assert.equal(code, 0, stderr);
  const items = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(items.map(({ outcome }) => outcome), ["dropped", "done"]);
  assert.equal(await Deno.lstat(place.state).then(() => true, () => false), false);
});

Deno.test("monitor tail queues monitor_crash when it ends by itself", async () => {
  await using place = await monitorLab("instrument");
  const { code, stderr } = await place.cli(["monitor", "tail"]);
  assert.equal(code, 2);
  assert.match(stderr, /Cannot follow ".*instrument": it is a folder, wanted a file/);
  await using journal = await openJournal(join(place.state, "journal.db"));
  const events = (await journal.outbox.pending()).map(({ event }) => event);
  assert.ok(events.includes("monitor_crash"), JSON.stringify(events));
});
