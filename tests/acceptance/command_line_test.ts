import assert from "node:assert/strict";
import { join } from "@std/path";
import deno from "../../deno.json" with { type: "json" };
import { runCli } from "../cli/_terminal.ts";
import { acceptance, needsRoot, openLab, STUDY, study, tree } from "./_lab.ts";

/** Every way to call the program, with a word that its help must hold. */
const CALLS: readonly (readonly [string[], RegExp])[] = [
  [["run"], /--dry-run[^]*--only[^]*--force\[=STAGE\][^]*--json/],
  [["backup", "run"], /--dry-run[^]*--smtp-env PATH/],
  [["backup"], /Commands:\n +run /],
  [["plan"], /PIPELINE/],
  [["validate"], /study[^]*root/],
  [["validate", "study"], /-f, --format text\|json/],
  [["validate", "root"], /-f, --format text\|json/],
  [["manifest", "show"], /-f, --format text\|json/],
  [["manifest", "verify"], /hash chain/],
  [["install", "places"], /\.labferry-place/],
  [["lint"], /--json/],
  [["echo"], /without secrets/],
  [["list"], /KIND/],
  [["show"], /NAME/],
  [["unlock"], /-y, --yes/],
  [["demo"], /--keep DIR/],
];

Deno.test("--help and -h tell of every command its usage, flags, exit codes and an example, on stdout, with 0", async () => {
  const whole = await runCli(["--help"]);
  assert.equal(whole.code, 0);
  assert.equal(whole.stderr, "");
  for (const flag of ["--verbose", "--quiet", "--log-format text|json", "--config PATH", "--version", "--help"]) {
    assert.ok(whole.stdout.includes(flag), flag);
  }
  for (const [words, wanted] of CALLS) {
    for (const help of ["--help", "-h"]) {
      const { code, stdout, stderr } = await runCli([...words, help]);
      assert.deepEqual([code, stderr], [0, ""], words.join(" "));
      assert.match(stdout, wanted);
      assert.match(stdout, new RegExp(`Usage: labferry ${words.join(" ")}`));
      if (!["backup", "validate"].includes(words.join(" "))) {
        assert.match(stdout, /Exit codes:\n(.*\n)*? +2 +the configuration or the command line is wrong\n +3 +an/);
        assert.match(stdout, /Example:\n {2}labferry /);
      }
    }
    assert.ok(whole.stdout.includes(words.join(" ")), `${words.join(" ")} is not in the help of the program`);
  }
});

Deno.test("a command line that is wrong ends with 2, says what was meant, and prints nothing on stdout", async () => {
  for (
    const [argv, words] of [
      [[], /no command was given/],
      [["runn", "backup"], /no such command.*\nhint: did you mean "run"/],
      [["backup"], /no sub-command was given, wanted one of run/],
      [["backup", "rum"], /no such sub-command of "backup".*\nhint: did you mean "run"/],
      [["run"], /PIPELINE is missing/],
      [["run", "backup", "more"], /unexpected argument "more"/],
      [["run", "backup", "--dryrun"], /it is not a flag of "run".*\nhint: did you mean --dry-run/],
      [["--frob", "run", "backup"], /it is not a flag/],
      [["run", "backup", "--only"], /--only: no value was given/],
      [["run", "backup", "--json=yes"], /takes no value/],
      [["run", "backup", "--log-format", "xml"], /wanted text or json/],
      [["validate", "study", "x", "-f", "yaml"], /wanted text or json/],
      [["validate", "study"], /PATH is missing/],
      [["list", "stagess"], /no such kind/],
      [["show", "cpoy"], /did you mean "copy"/],
    ] as const
  ) {
    const { code, stdout, stderr } = await runCli([...argv], { env: { HOME: "/nowhere/of/this/machine" } });
    assert.deepEqual([code, stdout], [2, ""], argv.join(" "));
    assert.match(stderr, words, argv.join(" "));
  }
});

acceptance("the program answers --version, and takes global flags before and after the command", async () => {
  await using lab = await openLab({ marked: false });
  for (const argv of [["--version"], ["-v", "--version"], ["run", "backup", "--version"]]) {
    assert.deepEqual(await lab.run(argv), { code: 0, stdout: `labferry ${deno.version}\n`, stderr: "" });
  }
  for (
    const argv of [
      ["-q", "--log-format", "json", "--config", lab.at("config.toml"), "lint", "--offline", "backup"],
      ["lint", "--offline", "backup", "-q", "--log-format=json", `--config=${lab.at("config.toml")}`],
    ]
  ) {
    const env = { LABFERRY_CONFIG: lab.at("absent.toml") };
    assert.deepEqual(await lab.run(argv, { env }), { code: 0, stdout: "backup: ok\n", stderr: "" });
  }
});

acceptance(
  "the config is --config, else LABFERRY_CONFIG, else that of the home folder; its relative paths are its own",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const home = lab.at("home");
    const own = join(home, ".config", "labferry");
    await Deno.mkdir(own, { recursive: true });
    const text = await Deno.readTextFile(lab.at("config.toml"));
    await Deno.writeTextFile(
      join(own, "config.toml"),
      text.replaceAll(/= "(instrument|nas|manifests)"/g, `= "../../../$1"`),
    );
    const denoDir = JSON.parse(
      new TextDecoder().decode((await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output()).stdout),
    ).denoDir;
    const env = { HOME: home, USERPROFILE: home, DENO_DIR: denoDir, LABFERRY_CONFIG: "", LABFERRY_STATE_DIR: "" };
    // A working folder that has nothing to do with it, as the Task Scheduler gives one.
    const run = await lab.report(["backup", "run"], { env, cwd: own });
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual((await tree(own)).filter((path) => !path.startsWith("state/logs/")), [
      "config.toml",
      ...(await tree(own)).filter((path) => path.startsWith("state/journal")),
    ]);
    assert.ok((await tree(lab.nas)).includes(`${STUDY}/_checksums.sha256`));
  },
);

acceptance(
  "a config that is absent, malformed or wrong ends with 2, its place in the file, and a trace in the log",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const cases: [change: readonly [string, string], words: RegExp][] = [
      [
        [`bucket = "lab-archive"`, `bucket = "lab-archive`],
        /config\.toml:7:22: error toml\/syntax: .*unterminated[^]*\n {2}bucket = "lab-archive\n +\^\n/,
      ],
      [
        ["source_root", "source_rot"],
        /:2:1: error config\/unknown-key: [^]*\^{10}\n {2}hint: did you mean "source_root"/,
      ],
      [["[s3]", "[s33]"], /error config\/unknown-key: [^]*did you mean "s3"/],
      [
        [`truenas_root = "nas"\n`, ""],
        /"truenas_root" is not set in \[paths\] of .*config\.toml[^]*hint: add to \[paths\]/,
      ],
      [["idle_days = 14", `idle_days = "14"`], /:14:13: error config\/wrong-type: [^]*hint: write 14 without quotes/],
      [["idle_days = 14", "idle_days = -1"], /wanted at least 0/],
      [["settle_minutes = 0", `stale_locks = "maybe"`], /wanted one of "reclaim", "refuse"/],
      [[`"instrument"`, String.raw`"C:\Users\lab"`], /write 'C:\\Users\\lab' with single quotes/],
      [[`"nas"`, `"instrument/nas"`], /safety\/same-place-twice: .*it lies within the source/],
      [[`"instrument"`, `"absent"`], /absent.*\n.*labferry install places/],
    ];
    for (const [change, words] of cases) {
      await lab.config(change);
      const { code, stdout, stderr } = await lab.run(["backup", "run"]);
      assert.equal(code, 2, stderr);
      assert.match(stdout + stderr, words);
      const [, told = ""] = /error ([a-z]+\/[a-z-]+)/.exec(stderr) ?? [];
      if (told !== "") assert.equal(stderr.split(told).length, 2, `said once:\n${stderr}`);
    }
    await lab.config('\n[hooks]\nbackup = "mount.ps1 -Drive N"\n');
    assert.match((await lab.run(["lint", "--offline"])).stderr, /hint: write \["mount.ps1", "-Drive", "N"\]/);
    await Deno.remove(lab.at("config.toml"));
    const absent = await lab.run(["backup", "run", "--json"]);
    assert.deepEqual([absent.code, absent.stdout], [2, ""]);
    assert.match(absent.stderr, /the file does not exist \[config\/not-found\]/);
    await Deno.mkdir(lab.at("config.toml"));
    assert.equal((await lab.run(["backup", "run"])).code, 2, "a folder in place of the config");
    const logs = await lab.logs();
    for (const word of ["toml/syntax", "config/unknown-key", "config/not-found", "io/folder"]) {
      assert.ok(
        logs.includes(word),
      );
    }
    assert.equal(logs.match(/ends with exit code 2/g)?.length, cases.length + 2);
    assert.deepEqual(await tree(lab.nas), [".labferry-place"]);
    assert.deepEqual(await tree(lab.manifests), [".labferry-place"]);
  },
);

acceptance("a config or a pipeline that this account may not read ends with 2 and says so", async () => {
  await using lab = await openLab();
  const wrap = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"];
  await lab.pipeline("own", (shipped) => shipped.replace('"backup"', '"own"'));
  await Deno.chmod(lab.at("pipelines", "own.toml"), 0);
  const pipeline = await lab.run(["run", "own"], { wrap });
  assert.equal(pipeline.code, 2);
  assert.match(pipeline.stderr, /Cannot read the pipeline ".*own\.toml": the system denies access/);
  await Deno.chmod(lab.at("config.toml"), 0);
  const config = await lab.run(["backup", "run"], { wrap });
  assert.equal(config.code, 2);
  assert.match(
    config.stderr,
    /Cannot read the config ".*config\.toml": the system denies access[^]*hint: Give the account/,
  );
}, needsRoot);

acceptance(
  "a pipeline of one's own takes the place of the preset, and its mistakes are told with line and caret",
  async () => {
    await using lab = await openLab({ marked: false });
    await lab.pipeline("backup", (shipped) => shipped.replace('summary = "Copy idle', 'summary = "Ours: copy idle'));
    const listed = await lab.run(["list", "pipelines"]);
    assert.match(listed.stdout, /backup +Ours: copy idle .*pipelines.backup\.toml\)/);
    const echoed = await lab.run(["echo", "backup"]);
    assert.match(echoed.stdout, new RegExp(`# .*backup\\.toml\\n[^]*bucket = "lab-archive"`));
    const file = await lab.run(["echo", join("pipelines", "backup.toml")]);
    assert.equal(file.stdout, echoed.stdout);
    for (
      const [from, to, words] of [
        [
          'use   = "copy"',
          'use   = "copyy"',
          /backup\.toml:36:9: error pipeline\/unknown-plugin: [^]*did you mean "copy"/,
        ],
        ['with = { place = "truenas" }', 'with = { plce = "truenas" }', /options\/unknown-key[^]*did you mean "place"/],
        ["${paths.truenas_root}", "${paths.truenas}", /template\/unknown[^]*did you mean "truenas_root"/],
        [
          'standard = "phenocycler"',
          'standard = "phenocyclr"',
          /Cannot find standard "phenocyclr"[^]*did you mean "phenocycler"/,
        ],
        ['use = "lock"', 'use = "lock"\nafter = ["record"]', /pipeline\/cycle/],
        ['[[stage]]\nuse = "lock"', '[stage]\nuse = "lock"', /write \[\[stage\]\] with double brackets/],
        ['attempts = 3, first = "2s"', 'attempts = 3, first = "soon"', /wanted a duration such as "15min"/],
      ] as const
    ) {
      await lab.pipeline("backup", (shipped) => shipped.replace(from, () => to));
      const { code, stdout } = await lab.run(["lint", "--offline", "backup"]);
      assert.equal(code, 2, stdout);
      assert.match(stdout, words);
      assert.match(stdout, /\n {2}.*\n {2}\s*\^+\n/);
    }
    const json = await lab.run(["lint", "--offline", "--json", "backup"]);
    assert.equal(json.code, 2);
    const [verdict] = JSON.parse(json.stdout);
    assert.deepEqual([verdict.pipeline, verdict.ok], ["backup", false]);
    assert.deepEqual(Object.keys(verdict.diagnostics[0]), [
      "code",
      "severity",
      "file",
      "line",
      "column",
      "length",
      "message",
      "hint",
      "nearest",
      "wanted",
      "source_line",
    ]);
    for (const argv of [["run", "backup"], ["plan", "backup"], ["install", "places"], ["echo", "backup"]]) {
      const { code, stderr } = await lab.run(argv);
      assert.equal(code, 2, argv.join(" "));
      assert.match(stderr, /wanted a duration/);
    }
  },
);

acceptance("list and show describe every plugin, as text and as JSON", async () => {
  const all = await runCli(["list", "--json"]);
  const listed = JSON.parse(all.stdout) as Record<string, { name: string; summary: string }[]>;
  const kinds = ["notifiers", "pipelines", "schedulers", "sources", "stages", "standards", "stores"];
  assert.deepEqual(Object.keys(listed).sort(), kinds);
  const stages = listed.stages.map(({ name }) => name);
  assert.deepEqual(stages, stages.toSorted());
  for (
    const wanted of ["checksum-sidecar", "copy", "delete", "health", "hook", "lock", "manifest-append", "s3-upload"]
  ) assert.ok(stages.includes(wanted), wanted);
  for (const { name, summary } of Object.values(listed).flat()) {
    assert.notEqual(summary, "", name);
    const shown = await runCli(["show", name]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.ok(shown.stdout.includes(name));
    assert.doesNotThrow(async () => JSON.parse((await runCli(["show", name, "--json"])).stdout));
  }
  for (const kind of ["stages", "stage", "standards", "pipelines"]) {
    assert.equal((await runCli(["list", kind])).code, 0);
  }
});
