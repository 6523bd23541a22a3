/** Stages from outside: a file in a folder, or named by the config, is a stage like any other, or is refused in words. */
import assert from "node:assert/strict";
import { fromFileUrl } from "@std/path";
import { acceptance, fates, type Lab, needsPosix, openLab, sha256, STUDY, study } from "./_lab.ts";
import { COUNT_FILES, pipelineOf, plainStage, put } from "./_plugins.ts";

async function labWith(...uses: string[]): Promise<Lab> {
  const lab = await openLab();
  await lab.pipeline("own", () => pipelineOf(...uses));
  return lab;
}

acceptance("a file in plugins/ is a stage: listed, shown, linted, planned, echoed and run", async () => {
  await using lab = await labWith("lock", "count-files");
  await study(lab);
  const hash = await put(lab, "plugins/größe und mehr.ts", COUNT_FILES);
  const file = lab.at("plugins", "größe und mehr.ts");
  const list = await lab.run(["list", "stages"]);
  assert.match(
    list.stdout,
    /^count-files +Counts the files of a study — größer .*\(from .*größe und mehr\.ts, not pinned\)$/m,
  );
  const listed = JSON.parse((await lab.run(["list", "stages", "--json"])).stdout).stages;
  assert.deepEqual(
    listed.find((stage: { name: string }) => stage.name === "count-files").external,
    { file, sha256: hash, pinned: false },
  );
  const show = await lab.run(["show", "count-files"]);
  assert.match(show.stdout, /not pinned/);
  assert.match(show.stdout, /touches +everything/);
  assert.match(show.stdout, /most +(?:number|integer) +1000 +How many files/);
  assert.deepEqual((await lab.run(["lint", "--offline", "own"])).code, 0);
  assert.match((await lab.run(["echo", "own"])).stdout, /use += "count-files"/);
  assert.match((await lab.run(["plan", "own"])).stdout, /count-files +count \d+ files/);
  const { report, code, stderr } = await lab.report(["run", "own"]);
  assert.deepEqual([code, report.items[0].stages[1].use, report.items[0].stages[1].outcome], [
    0,
    "count-files",
    "done",
  ]);
  assert.match(stderr, /counted \d+/);
  const log = await lab.logs();
  assert.ok(log.includes(hash) && log.includes("is code from outside"), log);
});

acceptance("a stage that would end the process at work fails its item, and the run with it", async () => {
  await using lab = await labWith("leave");
  await put(lab, "plugins/leave.js", plainStage("leave", { open: "Deno.exit(0);" }));
  await study(lab);
  const { report, code } = await lab.report(["run", "own"]);
  assert.deepEqual([code, report.items[0].outcome], [1, "failed"]);
  assert.match(report.items[0].error?.message ?? "", /only labferry itself ends the process/);
});

for (
  const [how, open, words] of [
    ["is rejected", "Promise.reject(new Error('left alone'));", /left alone/],
    ["throws when it is too late", "setTimeout(() => { throw new Error('too late'); });", /too late/],
    ["never ends", "return new Promise(() => {});", /nothing is left to wait for/],
    [
      "cannot be read",
      "Promise.reject(Object.defineProperty(new Error(), 'message', { get() { throw 1; } }));",
      /Error/,
    ],
  ] as const
) {
  acceptance(
    `what a stage from outside did not wait for and ${how} ends the run with 3 and the name of its file`,
    async () => {
      await using lab = await labWith("astray");
      await put(lab, "plugins/astray.js", plainStage("astray", { open: `${open} await new Promise(() => {});` }));
      await study(lab);
      const { code, stderr } = await lab.run(["run", "own"]);
      assert.equal(code, 3, stderr);
      assert.match(stderr, words);
      assert.ok(
        stderr.includes(
          `most likely this was code from outside: stage "astray" of "${lab.at("plugins", "astray.js")}"`,
        ),
        stderr,
      );
      assert.doesNotMatch(stderr, /fault of labferry/);
      assert.match(await lab.logs(), /most likely this was code from outside/);
    },
  );
}

acceptance("the stage of the documentation is one, and its pin is right", async () => {
  await using lab = await labWith("count-files");
  const page = await Deno.readTextFile(fromFileUrl(new URL("../../docs/external_stages.md", import.meta.url)));
  const [, text] = /^```ts\n([^]*?)^```$/m.exec(page) ?? [];
  const hash = await put(lab, "plugins/count_files.ts", text);
  const [, config] =
    /^```toml\n(\[plugins\][^]*?sha256[^]*?)^```$/m.exec(page.slice(page.indexOf("To vouch for it"))) ?? [];
  assert.ok(config.includes(hash), hash);
  await lab.config(config);
  const lint = await lab.run(["lint", "--offline", "own"]);
  assert.deepEqual([lint.code, lint.stdout], [0, "own: ok\n"], lint.stderr);
  await study(lab);
  const { code, stderr } = await lab.report(["run", "own"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /\d+ of at most 1000 files/);
});

acceptance("an option of a stage from outside is checked as any, and its failure names the file", async () => {
  await using lab = await openLab();
  await study(lab);
  await put(lab, "plugins/count.ts", COUNT_FILES);
  await lab.pipeline("own", () => `${pipelineOf("count-files")}with = { mots = 3 }\n`);
  const lint = await lab.run(["lint", "--offline", "own"]);
  assert.equal(lint.code, 2);
  assert.match(lint.stdout, /own\.toml:7:\d+: error options\/unknown-key: .*"mots"[\s\S]*did you mean "most"/);
  await lab.pipeline("own", () => `${pipelineOf("count-files")}with = { most = 1 }\n`);
  const { code, report } = await lab.report(["run", "own"]);
  assert.equal(code, 1);
  assert.deepEqual(fates(report), [`${report.items[0].name} failed count-files plugins/stage-failed`]);
  assert.match(report.items[0].error.message, /count\.ts": Error: too many files/);
});

acceptance("a pinned file is loaded as long as it is that file; a changed one is refused, and not run", async () => {
  await using lab = await labWith("count-files");
  const hash = await put(lab, "own stages/count.ts", COUNT_FILES);
  const entry = `{ path = "own stages/count.ts", sha256 = "${hash.toUpperCase()}", touches = [] }`;
  await lab.config(`[plugins]\nfiles = [${entry}]\n`);
  assert.equal((await lab.run(["lint", "--offline", "own"])).code, 0);
  assert.match((await lab.run(["list", "stages"])).stdout, /count-files .*, pinned\)/);
  const touched = lab.at("was run");
  const changed = `Deno.writeTextFileSync(${JSON.stringify(touched)}, "");\n${COUNT_FILES}`;
  await put(lab, "own stages/count.ts", changed);
  for (const argv of [["lint", "--offline"], ["plan", "own"], ["run", "own"], ["echo", "own"]]) {
    const { code, stderr, stdout } = await lab.run(argv);
    assert.equal(code, 2, argv.join(" "));
    assert.match(stderr, /config\.toml:\d+:\d+: error plugins\/changed: Cannot load ".*count\.ts"/);
    assert.ok(stderr.includes(sha256(changed)) && stderr.includes(hash) && stderr.includes("hint: "), stderr);
    assert.equal(stdout, "");
  }
  const list = await lab.run(["list", "stages"]);
  assert.equal(list.code, 0);
  assert.match(list.stdout, /^\(broken\) .*count\.ts.*\[plugins\/changed\]$/m);
  await assert.rejects(Deno.stat(touched), Deno.errors.NotFound);
});

interface Case {
  what: string;
  files: Record<string, string>;
  code: string;
  says: RegExp;
  hint: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "ends the process at load",
    files: { "plugins/bad.ts": "Deno.exit(0);" },
    code: "plugins/load-failed",
    says: /bad\.ts": .*only labferry itself ends the process/,
    hint: /./,
  },
  {
    what: "throws at load",
    files: { "plugins/bad.ts": 'throw new Error("no licence");' },
    code: "plugins/load-failed",
    says: /bad\.ts": Error: no licence/,
    hint: /while it was loaded/,
  },
  {
    what: "throws when it is called",
    files: { "plugins/bad.js": "export default (api) => api.defineStag({});" },
    code: "plugins/load-failed",
    says: /bad\.js": its default export threw TypeError: api\.defineStag is not a function/,
    hint: /version 1 of the API/,
  },
  {
    what: "is not the language",
    files: { "plugins/bad.ts": "\n\nexport default (api => ;\n" },
    code: "plugins/load-failed",
    says: /bad\.ts": .*Expression expected, at .*bad\.ts:3:\d+/,
    hint: /not valid/,
  },
  {
    what: "imports a neighbour",
    files: {
      "plugins/bad.ts": 'import { x } from "./_x.ts";\nexport default x;',
      "plugins/_x.ts": "export const x = 1;",
    },
    code: "plugins/load-failed",
    says: /bad\.ts": it imports what is not there/,
    hint: /one file/,
  },
  {
    what: "default export is no function",
    files: { "plugins/bad.ts": "export default { kind: 'stage' };" },
    code: "plugins/no-function",
    says: /its default export is an object, wanted a function \(api\) => stage/,
    hint: /export default/,
  },
  {
    what: "gives nothing",
    files: { "plugins/bad.ts": "export default (api: unknown) => { void api; };" },
    code: "plugins/bad-stage",
    says: /it gave nothing, wanted a stage/,
    hint: /external_stages/,
  },
  {
    what: "gives nonsense",
    files: {
      "plugins/bad.mjs": plainStage("Bad_Name", { more: 'takes: "trees", effect: 3, onItemFail: true, parallel: 0,' }),
    },
    code: "plugins/bad-stage",
    says:
      /"name": found "Bad_Name", wanted a name of lower-case words.*"takes": found "trees", wanted one of "tree".*"effect": found the number 3.*"parallel": found the number 0, wanted a whole number.*"onItemFail": found the boolean true, wanted no such field \(did you mean "onItemFailed"\)/,
    hint: /show/,
  },
  {
    what: "is written for a later API",
    files: { "plugins/bad.ts": "export const apiVersion = 99;\nexport default (api: any) => api.later();" },
    code: "plugins/api-too-new",
    says: /written for version 99 of the API, and this labferry has 1/,
    hint: /Update labferry/,
  },
  {
    what: "has the name of a shipped stage",
    files: { "plugins/bad.ts": plainStage("copy") },
    code: "plugins/name-taken",
    says: /bad\.ts": its stage is called "copy", and the stage of that name comes with labferry/,
    hint: /Rename/,
  },
  {
    what: "two files, one name",
    files: { "plugins/a.ts": plainStage("mine"), "plugins/b.ts": plainStage("mine") },
    code: "plugins/name-taken",
    says: /b\.ts": its stage is called "mine", and ".*a\.ts" has that name/,
    hint: /Rename/,
  },
];

acceptance("a file that gives no stage is refused, exit 2, with its name, what was found, and what to do", async () => {
  for (const { what, files, code, says, hint } of CASES) {
    await using lab = await openLab();
    for (const [path, text] of Object.entries(files)) await put(lab, path, text);
    const lint = await lab.run(["lint", "--offline"]);
    assert.deepEqual([what, lint.code, lint.stdout], [what, 2, ""], lint.stderr);
    assert.match(lint.stderr, says, what);
    assert.ok(lint.stderr.includes(`[${code}]`), lint.stderr);
    assert.match(lint.stderr, new RegExp(`hint: .*${hint.source}`), what);
    const list = await lab.run(["list", "stages"]);
    assert.deepEqual([what, list.code], [what, 0], list.stderr);
    assert.match(list.stdout, new RegExp(`^\\(broken\\) .*\\[${code}\\]$`, "m"), what);
  }
});

acceptance("a broken file hinders no command that runs no pipeline", async () => {
  await using lab = await openLab();
  await study(lab);
  const folder = lab.at("instrument", STUDY);
  await put(lab, "plugins/bad.ts", 'throw new Error("no licence");');
  for (
    const argv of [
      ["--version"],
      ["validate", "study", folder],
      ["notify", "list-subscribers"],
      ["manifest", "show", lab.manifests],
      ["list"],
      ["show", "copy"],
      ["show", "backup"],
    ]
  ) {
    const { code, stderr } = await lab.run(argv);
    assert.equal(code, 0, `${argv.join(" ")}: ${stderr}`);
    assert.doesNotMatch(stderr, /no licence/, argv.join(" "));
  }
  const show = await lab.run(["show", "count-files"]);
  assert.equal(show.code, 2);
  assert.match(show.stderr, /bad\.ts.*no licence[\s\S]*could not be loaded/);
});

acceptance("code from outside runs only where it is needed", async () => {
  await using lab = await openLab();
  await study(lab);
  const folder = lab.at("instrument", STUDY);
  const trace = lab.at("trace");
  await put(
    lab,
    "plugins/trace.js",
    `Deno.writeTextFileSync(${JSON.stringify(trace)}, "x", { append: true });\n${plainStage("trace")}`,
  );
  const traced = async (argv: string[]) => {
    await lab.run(argv);
    const there = await Deno.stat(trace).then(() => true, () => false);
    if (there) await Deno.remove(trace);
    return there;
  };
  for (
    const argv of [
      ["--version"],
      ["validate", "study", folder],
      ["notify", "list-subscribers"],
      ["show", "copy"],
      ["list", "sources"],
      ["unlock", "nothing"],
    ]
  ) assert.equal(await traced(argv), false, argv.join(" "));
  for (const argv of [["list"], ["show", "trace"], ["lint", "--offline", "backup"], ["backup", "run", "--dry-run"]]) {
    assert.equal(await traced(argv), true, argv.join(" "));
  }
});

acceptance(
  "a folder that cannot be listed, a file that is not there, a file named twice are told with their place",
  async () => {
    await using lab = await openLab();
    await Deno.writeTextFile(lab.at("plugins"), "no folder");
    const folder = await lab.run(["lint", "--offline"]);
    assert.equal(folder.code, 2);
    assert.match(
      folder.stderr,
      /Cannot list the folder of stages ".*plugins".*wanted a folder \[plugins\/folder-unreadable\]/,
    );
    assert.equal((await lab.run(["list"])).code, 0);
    await Deno.remove(lab.at("plugins"));
    await lab.config('[plugins]\nfiles = ["plugins/gone.ts", "plugins/mine.txt", "own"]\n');
    await Deno.mkdir(lab.at("own"));
    const gone = await lab.run(["lint", "--offline"]);
    assert.equal(gone.code, 2);
    assert.match(
      gone.stderr,
      /config\.toml:\d+:10: error plugins\/not-there: Cannot load the stage ".*gone\.ts": nothing is there/,
    );
    assert.match(
      gone.stderr,
      /error plugins\/not-a-stage-file: .*mine\.txt": its name ends in none of \.ts, \.js, \.mjs/,
    );
    await put(lab, "plugins/mine.ts", plainStage("mine"));
    await lab.config('[plugins]\nfiles = ["plugins/mine.ts", "./plugins/../plugins/mine.ts"]\n');
    const twice = await lab.run(["lint", "--offline"]);
    assert.match(twice.stderr, /plugins\/named-twice: .*line \d+ names the same file/);
    await lab.config('[plugins]\nfiles = [{ path = "plugins/mine.ts", touches = [] }]\n');
    const touches = await lab.run(["lint", "--offline"]);
    assert.match(touches.stderr, /config\/bad-value: .*touches" of the config: it is believed of a pinned file only/);
  },
);

acceptance("a link is followed: the file behind it is what is pinned, and is loaded once", async () => {
  await using lab = await labWith("count-files");
  const hash = await put(lab, "elsewhere/count.ts", COUNT_FILES);
  await Deno.mkdir(lab.at("plugins"));
  await Deno.symlink(lab.at("elsewhere", "count.ts"), lab.at("plugins", "count.ts"));
  assert.equal((await lab.run(["lint", "--offline", "own"])).code, 0);
  await lab.config(`[plugins]\nfiles = [{ path = "elsewhere/count.ts", sha256 = "${hash}" }]\n`);
  const list = await lab.run(["list", "stages"]);
  assert.equal(list.stdout.match(/^count-files/gm)?.length, 1, list.stdout);
  assert.match(list.stdout, /count-files .*pinned\)/);
  await Deno.remove(lab.at("elsewhere", "count.ts"));
  await lab.config("[plugins]\nfiles = []\n");
  const dangling = await lab.run(["lint", "--offline", "own"]);
  assert.equal(dangling.code, 2);
  assert.match(
    dangling.stderr,
    /Cannot load the stage ".*plugins.count\.ts": nothing is there.*\[plugins\/not-there\]/,
  );
}, needsPosix);

/** A stage over events, for a notify pipeline of the laboratory's own. */
const SHOUT = `export default (api) => api.defineStage({
  kind: "stage", name: "shout", summary: "Marks what is urgent.", takes: "event", effect: "read", resume: "redo",
  options: api.z.strictObject({}), example: "",
  open: () => ({
    async *plan() { yield { kind: "todo", id: "s", summary: "mark", promises: { urgent: true }, data: null }; },
    async apply(_step, ctx) { ctx.amend({ urgent: true }); },
  }),
});
`;

acceptance("a notify pipeline of one's own takes a stage from outside, and no other file hinders it", async () => {
  await using lab = await openLab();
  const shipped = await Deno.readTextFile(fromFileUrl(new URL("../../pipelines/notify.toml", import.meta.url)));
  await lab.pipeline("notify", () => shipped.replace("[[stage]]", '[[stage]]\nuse = "shout"\n\n[[stage]]'));
  await Deno.mkdir(lab.at("recipients"));
  await Deno.writeTextFile(lab.at("recipients", "default.txt"), "ops@lab.example\n");
  const test = () => lab.run(["notify", "test", "--event", "backup_failure", "--dry-run"]);
  await put(lab, "plugins/a.js", "throw new Error('broken');");
  await put(lab, "plugins/shout.js", SHOUT);
  const well = await test();
  assert.equal(well.code, 0, well.stderr);
  assert.match(well.stdout, /shout +planned/);
  await put(lab, "plugins/shout.js", `${SHOUT})`);
  const broken = await test();
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /Cannot load ".*a\.js": .*broken \[plugins\/load-failed\][^]*shout\.js/);
});
