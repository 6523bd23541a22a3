import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { acceptance, isAtWork, type Lab, needsPosix, openLab, STUDY, study } from "./_lab.ts";
import { put } from "./_plugins.ts";

const OTHER = "20250201_bob_liver_b2";

/** A stage that hangs in `apply`; `more` keeps the process alive or says that it hangs. */
const hanging = (takes: "tree" | "event", apply: string) =>
  `export default (api) => api.defineStage({
  kind: "stage", name: "hang", summary: "Hangs.", takes: "${takes}", resume: "redo", effect: "read",
  options: api.z.strictObject({}), example: "",
  open: () => ({
    async *plan() { yield { kind: "todo", id: "x", summary: "look", data: null }; },
    async apply(_step, ctx) { ${apply} },
  }),
});
`;

const HANG = `ctx.log.info("it hangs"); setInterval(() => {}, 1000); await new Promise(() => {});`;

async function behindLock(lab: Lab, keys = ""): Promise<void> {
  await lab.pipeline(
    "backup",
    (shipped) => shipped.replace(/(?=\[\[stage\]\]\nuse +=? ?= *"copy")/, `[[stage]]\nuse = "hang"\n${keys}\n`),
  );
}

/** An endless pipeline with an event and this stage. */
async function watch(lab: Lab, stage: string): Promise<void> {
  await Deno.writeTextFile(lab.at("log.txt"), "2026-01-01 00:00:00 ERROR one\n2026-01-01 00:00:01 ok\n");
  await Deno.writeTextFile(
    lab.at("pipelines", "watch.toml"),
    `name = "watch"
summary = "Watches."
[source]
use = "log-tail"
with = { path = "${lab.at("log.txt")}", start = "beginning", find = ["ERROR"] }
[[stage]]
${stage}
`,
  );
}

acceptance("a step that never ends fails its study when its timeout is over; the others are backed up", async () => {
  await using lab = await openLab();
  await study(lab);
  await study(lab, OTHER);
  // Nothing but the timeout keeps this process alive. It is long: the other study has it too, on a busy machine.
  await put(lab, "plugins/hang.js", hanging("tree", `if (ctx.item.name === "${STUDY}") await new Promise(() => {});`));
  await behindLock(lab, `timeout = "10s"`);
  const { code, stderr, report } = await lab.report(["backup", "run"]);
  assert.equal(code, 1, stderr);
  const ends = report.items.map(({ name, error }: { name: string; error?: { code: string } }) => [name, error?.code]);
  assert.deepEqual(ends.sort(), [[STUDY, "run/timeout"], [OTHER, undefined]].sort());
  assert.match(stderr, /is left behind/);
});

acceptance("a run whose step hears nothing is ended by the second interrupt; the third ends it at once", async () => {
  await using lab = await openLab();
  await study(lab);
  await put(lab, "plugins/hang.js", hanging("tree", HANG));
  await behindLock(lab);
  await lab.config('[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n');
  const env = { LABFERRY_SMTP_USER: "ferry@lab.example", LABFERRY_SMTP_APP_PASSWORD: "hunter22" };
  for (const interrupts of [2, 3]) {
    const run = lab.start(["backup", "run"], { env });
    await run.says(/it hangs/);
    run.kill("SIGINT");
    await run.says(/Stopping: /);
    run.kill("SIGINT");
    await run.says(/Stopping now/);
    if (interrupts === 3) run.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    assert.equal(code, 130, stderr);
  }
  // People are told of either end, the one over its work too.
  const queued = new DatabaseSync(join(lab.state, "journal.db")).prepare("SELECT event, data FROM outbox ORDER BY id")
    .all();
  const failures = queued.filter(({ event }) => event === "backup_failure").map(({ data }) => JSON.parse(`${data}`));
  assert.deepEqual(failures.map(({ code, exit_code }) => [code, exit_code]), [["run/stopped", 130], [
    "run/stopped",
    130,
  ]]);
  assert.match(failures[1].message, /was ended/);
  // What the hanging step held is judged dead, and taken over.
  await put(lab, "plugins/hang.js", hanging("tree", ""));
  const { code, stderr } = await lab.run(["backup", "run"]);
  assert.equal(code, 0, stderr);
});

acceptance("an endless run ends with 0 when asked to stop, whatever a stage does", async () => {
  await using lab = await openLab();
  await put(lab, "plugins/hang.js", hanging("event", HANG));
  await watch(lab, `use = "hang"`);
  const run = lab.start(["run", "watch"]);
  await run.says(/it hangs/);
  run.kill("SIGTERM");
  // That it has 2 s for it is up to the timer, which interrupts_test looks at; here, that it ends at all.
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
});

acceptance(
  "an endless run that is asked to stop leaves no hook behind, also one that does not hear of it",
  async () => {
    await using lab = await openLab();
    await watch(
      lab,
      `use = "hook"\nwith = { argv = ["sh", "-c", "trap : TERM; echo at work as $$; while :; do sleep 0.05; done"] }`,
    );
    const run = lab.start(["run", "watch"]);
    const [, pid] = await run.says(/at work as (\d+)/);
    run.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    assert.equal(await isAtWork(Number(pid)), false, "the hook is at work behind the end of the run");
    assert.equal(code, 0, stderr);
  },
  needsPosix,
);
