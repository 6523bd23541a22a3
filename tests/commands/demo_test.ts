/** `labferry demo`: once as a process with everything kept, and what the command makes of what the tour finds. */
import assert from "node:assert/strict";
import { fromFileUrl, join } from "@std/path";
import PostalMime from "postal-mime";
import type { Arguments, Command } from "../../cli/command.ts";
import { runDemo } from "../../commands/demo.ts";
import type { TourOptions } from "../../demo/tour/lab.ts";
import { runCli } from "../cli/_terminal.ts";
import { tempDir } from "../kit/temp.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
const EVICTED = ["20260115_lin_tonsil_panel1", "20260203_okafor_lung_pilot"];
const STAYED = ["20260318_mbeki_colon_cohort2", "20260322_lin_kidney_panel3"];
const MISNAMED = "20260230_lin_spleen_run2";

/** Of a house that has a config and credentials of its own, none of which concern the demo. */
const ELSEWHERE = {
  LABFERRY_CONFIG: "/nowhere/config.toml",
  LABFERRY_STATE_DIR: "/nowhere/state",
  LABFERRY_SMTP_USER: "not-this-one",
  LABFERRY_SMTP_APP_PASSWORD: "nor-this",
  AWS_ACCESS_KEY_ID: "AKIAOTHER",
  AWS_SECRET_ACCESS_KEY: "other",
  AWS_SESSION_TOKEN: "other",
};

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("demo --keep shows the whole job and leaves studies, ledger and mails to be looked at", async () => {
  await using dir = await tempDir();
  const folder = join(dir.path, "with space", "kept");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", CLI, "demo", "--keep", folder],
    env: { ...ELSEWHERE, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, 0, err);
  assert.doesNotMatch(err, /not as it should be/);

  // The NAS: what had to go is gone, and S3 holds all of it.
  assert.match(
    out,
    /\$ labferry cleanup run --dry-run\n[^]*planned +20260115\w+ \(11\.1 MiB .*, then \d\d\.\d % free\)/,
  );
  assert.match(out, /This made-up NAS holds 32\.0 MiB\. \d\.\d % of it is free, wanted 50 %/);
  assert.deepEqual((await names(join(folder, "truenas"))).filter((name) => !name.startsWith(".")), STAYED);
  for (const name of EVICTED) {
    assert.match(out, new RegExp(`${name}: gone from the NAS; (\\d+) of \\1 files stand in S3`));
  }
  for (const name of STAYED) assert.match(out, new RegExp(`${name}: on the NAS; (\\d+) of \\1 files stand in S3`));
  // Two of them where the month ended meanwhile.
  const months = (await names(join(folder, "manifests"))).filter((name) => name.endsWith(".jsonl"));
  const texts = await Promise.all(months.map((name) => Deno.readTextFile(join(folder, "manifests", name))));
  const lines = texts.flatMap((text) => text.trimEnd().split("\n"));
  const ledger = new Map(lines.map((line) => JSON.parse(line)).map((record) => [record.backup_name, record]));
  for (const name of EVICTED) {
    const { status, truenas_evicted_at, s3_verified_at } = ledger.get(name);
    assert.deepEqual([status, typeof truenas_evicted_at, typeof s3_verified_at], ["complete", "string", "string"]);
  }
  for (const name of STAYED) assert.equal(ledger.get(name).truenas_evicted_at, null);
  assert.equal(ledger.get(MISNAMED).status, "failed_validation");

  // The mails: one for each run that failed, one for each error of the instrument.
  assert.equal((await Deno.readTextFile(join(folder, "Fusion.log"))).match(/ERROR Stage: axis Z/g)?.length, 2);
  const files = await names(join(folder, "mails"));
  const mails = await Promise.all(
    files.map(async (file) => PostalMime.parse(await Deno.readFile(join(folder, "mails", file)))),
  );
  assert.deepEqual(mails.map(({ to }) => to?.map(({ address }) => address).join()), [
    ...Array(3).fill("it@lab.example"),
    ...Array(2).fill("operator@lab.example"),
  ]);
  for (const { subject, text } of mails.slice(0, 3)) {
    assert.match(subject ?? "", new RegExp(`backup_failure .*${MISNAMED}`));
    assert.match(text ?? "", new RegExp(`${MISNAMED} \\(stage validate\\): Cannot accept`));
  }
  for (const [at, words] of ["Stage: axis Z did not reach", "Lamp: no light"].entries()) {
    const { subject = "", text = "" } = mails[3 + at];
    assert.ok(subject.includes(words) && text.includes(words), subject);
    assert.match(text, /sample: 20260318_mbeki_colon_cohort2\s+cycle: 2/);
    assert.match(out, new RegExp(`From: +labferry@lab\\.example\nTo: +operator@lab\\.example\nSubject: .*${words}`));
  }
  assert.match(out, /The monitor is stopped, as by SIGTERM\n[^]*It ends with 0\./);
});

/** Runs the command with another tour. */
async function demo(show: (options: TourOptions) => Promise<string[]>, ...flags: string[]) {
  const run: Command = (args: Arguments, context) => runDemo(args, context, { show });
  const commands = [
    { name: "demo", summary: "", log: "stderr" as const, flags: [{ name: "keep", value: "DIR", summary: "" }] },
    { name: "other", summary: "", log: "stderr" as const },
  ];
  const other: Command = (_args, { terminal }) => {
    terminal.out(`state ${terminal.env.LABFERRY_STATE_DIR}, secret ${terminal.env.SECRET}\n`);
    return Promise.resolve(7);
  };
  const loaded = commands.map((spec) => ({
    ...spec,
    load: () => Promise.resolve({ run: spec.name === "demo" ? run : other }),
  }));
  return await runCli(["demo", ...flags], { commands: loaded, env: { HOME: "/nowhere", SECRET: "of the house" } });
}

Deno.test("demo ends with 1 and names everything that is not as it should be", async () => {
  const { code, stdout, stderr } = await demo(() => Promise.resolve(["the ledger is empty", "no mail arrived"]));
  assert.equal(code, 1);
  assert.match(stderr, /not as it should be: the ledger is empty\nnot as it should be: no mail arrived\n$/);
  assert.doesNotMatch(stdout, /as it should/);
});

Deno.test("demo leaves no folder and no variable behind, and its commands see nothing of the environment", async () => {
  const variables = () =>
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"].map((name) => Deno.env.get(name));
  const before = variables();
  let scratch = "";
  const { code, stdout } = await demo(async ({ folder, useKeys, labferry }) => {
    scratch = folder;
    using _keys = useKeys({ accessKey: "AKIADEMO", secretKey: "made up" });
    assert.deepEqual(variables(), ["AKIADEMO", "made up", undefined]);
    assert.equal((await labferry(["other"])).code, 7);
    return [];
  });
  assert.equal(code, 0);
  assert.ok(stdout.includes(`state ${join(scratch, "state")}, secret undefined\n`), stdout);
  assert.match(stdout, /The demo went as it should/);
  assert.deepEqual(variables(), before);
  await assert.rejects(Deno.lstat(scratch), Deno.errors.NotFound);
});

Deno.test("demo removes its folder also when it breaks, and refuses one that is not empty", async () => {
  let scratch = "";
  const broken = await demo(({ folder }) => {
    scratch = folder;
    return Promise.reject(new RangeError("out of studies"));
  });
  assert.equal(broken.code, 3);
  await assert.rejects(Deno.lstat(scratch), Deno.errors.NotFound);
  await using dir = await tempDir();
  await Deno.writeTextFile(join(dir.path, "mine.txt"), "");
  const full = await demo(() => Promise.resolve([]), "--keep", dir.path);
  assert.equal(full.code, 2);
  assert.match(full.stderr, /"mine\.txt" is in it/);
  assert.deepEqual(await names(dir.path), ["mine.txt"]);
});
