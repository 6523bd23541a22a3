import assert from "node:assert/strict";
import { join } from "@std/path";
import type { RunReport } from "../../core/run/report.ts";
import { openJournal } from "../../core/journal/sqlite.ts";
import { lab, LOCAL_PIPELINE, makeStudy, STUDY } from "./_lab.ts";

/** Notifications that go to a server that is not there. */
const NOTIFY_CONFIG = '\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n';

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test("run copies, proves and seals, and prints the report", async () => {
  await using place = await lab();
  const study = await makeStudy(place.source);
  const marked = await place.cli(["install", "places", "local"]);
  assert.equal(marked.code, 0, marked.stderr);
  assert.equal(marked.stdout.trimEnd().split("\n").length >= 2, true);
  const { code, stdout, stderr } = await place.cli(["run", "local", "--json"]);
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as RunReport;
  assert.deepEqual(report.items.map(({ name, outcome }) => [name, outcome]), [[STUDY, "done"]]);
  assert.deepEqual(report.items[0].stages.map((stage) => stage.id), [
    "validate",
    "lock",
    "truenas",
    "verify",
    "checksum-sidecar",
  ]);
  const copy = join(place.truenas, STUDY, `${STUDY}.xpd`);
  assert.equal(await Deno.readTextFile(copy), await Deno.readTextFile(join(study, `${STUDY}.xpd`)));
  assert.ok(await isThere(join(place.truenas, STUDY, "_checksums.sha256")));
  const again = await place.cli(["run", "local"]);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /exit code 0/);
});

Deno.test("S1 run exits 2 for a place that is not marked, writes nothing, and queues the event", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  await Deno.writeTextFile(join(place.path, "config.toml"), NOTIFY_CONFIG, { append: true });
  await Deno.writeTextFile(join(place.path, "smtp.env"), "LABFERRY_SMTP_USER=u\nLABFERRY_SMTP_APP_PASSWORD=p\n");
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab\n");
  const { code, stdout } = await place.cli(["run", "local", "--json"]);
  assert.equal(code, 2);
  assert.equal(JSON.parse(stdout).error.code, "place/not-marked");
  assert.deepEqual([...Deno.readDirSync(place.truenas)], []);
  await using journal = await openJournal(join(place.state, "journal.db"));
  assert.deepEqual((await journal.outbox.pending()).map(({ event }) => event), ["local_failure", "toolkit_error"]);
});

Deno.test("run queues no event where notify is not enabled", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  assert.equal((await place.cli(["run", "local"])).code, 2);
  await using journal = await openJournal(join(place.state, "journal.db"));
  assert.deepEqual(await journal.outbox.pending(), []);
});

Deno.test("run leaves the event to the end of a process that broke", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  await Deno.writeTextFile(join(place.path, "config.toml"), "\n[notify]\nenabled = true\n", { append: true });
  const { code, stderr } = await place.cli(["run", "local"], { interrupted: true, broken: AbortSignal.abort() });
  assert.notEqual(code, 0);
  assert.doesNotMatch(stderr, /interrupt again/);
  await using journal = await openJournal(join(place.state, "journal.db"));
  assert.deepEqual(await journal.outbox.pending(), []);
});

Deno.test("run queues the event although the config cannot be read", async () => {
  await using place = await lab();
  await Deno.writeTextFile(join(place.path, "config.toml"), "not toml");
  const login = "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n";
  await Deno.writeTextFile(join(place.path, "smtp.env"), login);
  assert.equal((await place.cli(["backup", "run"])).code, 2);
  await using journal = await openJournal(join(place.state, "journal.db"));
  const [event] = await journal.outbox.pending();
  assert.equal(event.event, "backup_failure");
  assert.equal((event.data as { exit_code: number }).exit_code, 2);
});

Deno.test("S17 run --dry-run and plan show the steps and change nothing", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  await place.cli(["install", "places", "local"]);
  await Deno.remove(place.state, { recursive: true });
  const dry = await place.cli(["run", "local", "--dry-run", "--json"]);
  assert.equal(dry.code, 0, dry.stderr);
  assert.equal(JSON.parse(dry.stdout).dry_run, true);
  const plan = await place.cli(["plan", "local"]);
  assert.equal(plan.code, 0, plan.stderr);
  assert.match(plan.stdout, new RegExp(`^${STUDY}\\n {2}lock +lock ${STUDY}\\n {2}truenas +copy 3 files`));
  const json = JSON.parse((await place.cli(["plan", "local", "--json"])).stdout);
  assert.ok(
    json.steps.some((step: { stage: string; kind: string }) => step.stage === "truenas" && step.kind === "todo"),
  );
  assert.equal(await isThere(place.state), false);
  assert.equal(await isThere(join(place.truenas, STUDY)), false);
});

Deno.test("plan and run --dry-run end with the code of the run they stand for, and plan every study nevertheless", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  for (const argv of [["plan", "local"], ["run", "local", "--dry-run"]]) {
    const unmarked = await place.cli(argv);
    assert.equal(unmarked.code, 2, unmarked.stderr);
    assert.match(unmarked.stdout, new RegExp(`^planned +${STUDY}$`, "m"));
    assert.match(unmarked.stdout, /^error: .*\[place\/not-marked\]\nhint: .*labferry install places$/m);
    assert.match(unmarked.stdout, /exit code 2 \(dry run, nothing was changed\)/);
  }
  assert.equal((await place.cli(["run", "local"])).code, 2);
  await place.cli(["install", "places", "local"]);
  await Deno.mkdir(join(place.source, "not a study"));
  for (const argv of [["plan", "local"], ["run", "local", "--dry-run"], ["run", "local"]]) {
    const { code, stdout } = await place.cli([...argv, "--json"]);
    assert.equal(code, 1);
    const items = (JSON.parse(stdout) as RunReport).items;
    assert.deepEqual(items.map(({ name, outcome }) => [name, outcome]).sort(), [[STUDY, "done"], [
      "not a study",
      "failed",
    ]]);
  }
});

Deno.test("S19 run fails the study that breaks the standard and goes on with the others", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  await Deno.mkdir(join(place.source, "20250131_bad"));
  await Deno.writeTextFile(join(place.source, "20250131_bad", "x.txt"), "x");
  await place.cli(["install", "places", "local"]);
  const { code, stdout } = await place.cli(["run", "local"]);
  assert.equal(code, 1);
  assert.match(stdout, /failed {4}20250131_bad\n/);
  assert.match(stdout, /R1 {2}study name "20250131_bad" has 2 fields/);
  assert.match(stdout, /1 failed/);
  assert.ok(await isThere(join(place.truenas, STUDY, "_checksums.sha256")));
  const only = await place.cli(["run", "local", "--only", `${STUDY}/`]);
  assert.equal(only.code, 0);
  assert.doesNotMatch(only.stdout, /20250131_bad/);
});

Deno.test("run takes up no item once it was interrupted, prints the report, and exits 130", async () => {
  await using place = await lab();
  await makeStudy(place.source);
  await place.cli(["install", "places", "local"]);
  const { code, stdout } = await place.cli(["run", "local", "--json"], { interrupted: true });
  assert.equal(code, 130);
  assert.deepEqual(JSON.parse(stdout).items, []);
  assert.equal(await isThere(join(place.truenas, STUDY)), false);
});

Deno.test("run refuses a stage to force that the pipeline has not, and credentials that are not there", async () => {
  await using place = await lab();
  const force = await place.cli(["run", "local", "--force=truenass"]);
  assert.equal(force.code, 2);
  assert.match(force.stderr, /did you mean "truenas"/);
  const smtp = await place.cli(["run", "local", "--smtp-env", "absent.env"]);
  assert.equal(smtp.code, 2);
  assert.match(smtp.stderr, /--smtp-env "absent\.env": the file does not exist/);
});

Deno.test("run takes a pipeline by its path", async () => {
  await using place = await lab();
  await Deno.writeTextFile(join(place.path, "mine.toml"), LOCAL_PIPELINE.replace(`"local"`, `"mine"`));
  const { code, stdout } = await place.cli(["echo", "./mine.toml"]);
  assert.equal(code, 0);
  assert.match(stdout, /name = "mine"/);
});

Deno.test("install places refuses a folder that is not there, and makes no marker", async () => {
  await using place = await lab();
  await Deno.remove(place.truenas);
  const { code, stderr } = await place.cli(["install", "places", "local"]);
  assert.equal(code, 2);
  assert.match(stderr, /place\/missing/);
  assert.equal(await isThere(join(place.source, ".labferry-place")), false);
});

Deno.test("unlock clears the lock of a dead process and leaves that of a living one", async () => {
  await using place = await lab();
  const study = await makeStudy(place.source);
  const lock = join(study, ".labferry.lock");
  assert.match((await place.cli(["unlock", STUDY])).stdout, /is not locked/);
  const holder = { host: "testhost", pid: 2 ** 30, started_at: new Date(0).toISOString(), run_name: "backup" };
  await Deno.writeTextFile(lock, JSON.stringify(holder));
  const asked = await place.cli(["unlock", STUDY]);
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /pass --yes/);
  const refused = await place.cli(["unlock", STUDY], { answer: "no" });
  assert.equal(refused.code, 1);
  assert.ok(await isThere(lock));
  const cleared = await place.cli(["unlock", study, "--yes"]);
  assert.equal(cleared.code, 0, cleared.stdout);
  assert.equal(await isThere(lock), false);
  await Deno.writeTextFile(lock, JSON.stringify({ ...holder, pid: Deno.pid, started_at: new Date().toISOString() }));
  using held = await Deno.open(lock, { read: true, write: true });
  await held.lock(true);
  const living = await place.cli(["unlock", STUDY, "--yes"]);
  assert.equal(living.code, 1);
  assert.ok(await isThere(lock));
  const absent = await place.cli(["unlock", "nobody", "--yes"]);
  assert.equal(absent.code, 2);
});
