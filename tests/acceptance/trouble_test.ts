import assert from "node:assert/strict";
import { join } from "@std/path";
import {
  acceptance,
  fate,
  fates,
  isAtWork,
  type Json,
  type Lab,
  needsPosix,
  openLab,
  snapshot,
  STUDY,
  study,
  tree,
} from "./_lab.ts";

async function nothingWritten(lab: Lab, what: string): Promise<void> {
  assert.deepEqual(await tree(lab.nas), [".labferry-place"], what);
  assert.deepEqual(await tree(lab.manifests), [".labferry-place"], what);
  assert.ok((await tree(lab.source)).includes(`${STUDY}/${STUDY}.xpd`), what);
}

acceptance(
  "a bucket, a key, a clock or an endpoint that is wrong: told before a byte is written, by run and by lint",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const { faults } = lab.server;
    const check = async (
      what: string,
      wanted: { code: number; error: string; words: RegExp; lint: string; env?: Record<string, string> },
    ) => {
      const { code, report, stderr } = await lab.report(["backup", "run"], { env: wanted.env });
      assert.deepEqual([what, code, report.error?.code], [what, wanted.code, wanted.error], stderr);
      assert.match(`${report.error.message}\n${report.error.hint}`, wanted.words);
      await nothingWritten(lab, what);
      const lint = await lab.run(["lint", "backup"], { env: wanted.env });
      assert.equal(lint.code, 2, lint.stdout);
      assert.match(lint.stdout, new RegExp(`error ${wanted.lint}: `));
    };
    await lab.config([`bucket = "lab-archive"`, `bucket = "lab-archiv"`]);
    await check("no bucket", {
      code: 2,
      error: "s3/no-bucket",
      words: /the bucket does not exist[^]*Check bucket, region and endpoint under \[s3\]/,
      lint: "env/bucket-missing",
    });
    await lab.config();
    const denied = {
      code: 2,
      error: "s3/denied",
      words: /refuses access[^]*AWS_ACCESS_KEY_ID/,
      lint: "env/store-denied",
    };
    await check("wrong secret", { ...denied, env: { AWS_SECRET_ACCESS_KEY: "not-the-secret-of-this-lab" } });
    await check("wrong key", { ...denied, env: { AWS_ACCESS_KEY_ID: "AKIANOBODY00000001" } });
    await check("no key", {
      ...denied,
      env: {
        AWS_ACCESS_KEY_ID: "",
        AWS_SECRET_ACCESS_KEY: "",
        AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
        AWS_CONFIG_FILE: "/nowhere",
      },
    });
    faults.clockOffsetMs = 20 * 60_000;
    await check("clock", {
      code: 2,
      error: "s3/clock-skew",
      words: /this computer is 20 min behind, wanted less than 15 min apart\nSet this computer's clock/,
      lint: "env/store-unusable",
    });
    faults.clockOffsetMs = 0;
    assert.equal((await lab.report(["backup", "run"])).code, 0);
  },
);

acceptance(
  "a store that is slow, drops connections and loses answers is tried again, and the backup is whole",
  async () => {
    await using lab = await openLab();
    const files = await study(lab);
    Object.assign(lab.server.faults, { slowDowns: 3, lostAnswers: 2, dropAtByte: 4_000 });
    const { code, report, stderr } = await lab.report(["backup", "run"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(fates(report), [`${STUDY} done`]);
    for (const [path, text] of Object.entries(files)) assert.equal(await lab.body(`fusion/${STUDY}/${path}`), text);
  },
);

acceptance("S8 a store that lies about what it stored: failed_s3, and the study stays", async () => {
  await using lab = await openLab();
  const files = await study(lab);
  Object.assign(lab.server.faults, { lies: true, ignoresChecksums: true });
  const { code, report } = await lab.report(["backup", "run"]);
  assert.equal(code, 1);
  assert.equal(report.items[0].error.stage, "s3");
  assert.equal(fate((await lab.ledger()).at(-1)), `${STUDY} failed_s3`);
  assert.equal((await tree(join(lab.source, STUDY))).length, Object.keys(files).length);
});

acceptance("S1 an unmounted NAS: exit 2 with the command that marks it, nothing written, also by lint", async () => {
  await using lab = await openLab();
  await study(lab);
  await Deno.remove(join(lab.nas, ".labferry-place"));
  const before = await snapshot(lab.source);
  const { code, report, stderr } = await lab.report(["backup", "run"]);
  assert.deepEqual([code, report.error.code, report.items], [2, "place/not-marked", []]);
  assert.match(stderr, /mount it\. .*labferry install places/);
  assert.deepEqual([await tree(lab.nas), await tree(lab.manifests)], [[], [".labferry-place"]]);
  assert.deepEqual(await snapshot(lab.source), before);
  const lint = await lab.run(["lint", "backup"]);
  assert.equal(lint.code, 2);
  assert.match(lint.stdout, /env\/not-marked[^]*labferry install places/);
  // A marker that came along with a copy of another place is no place of its own.
  await Deno.copyFile(join(lab.source, ".labferry-place"), join(lab.nas, ".labferry-place"));
  const copied = await lab.report(["backup", "run"]);
  assert.deepEqual([copied.code, copied.report.error.code], [2, "place/same-marker"]);
});

acceptance(
  "S3 S4 a name that comes back: other bytes are refused and nothing is written; the same bytes are archived again",
  async () => {
    await using lab = await openLab();
    const files = await study(lab);
    assert.equal((await lab.report(["backup", "run"])).code, 0);
    const kept = [await snapshot(lab.nas), await lab.keys()];
    const lines = (await lab.ledger()).length;
    await study(lab, STUDY, { files: { [`${STUDY}/Scan1/image.qptiff`]: "another experiment" } });
    for (const argv of [["backup", "run"], ["backup", "run", "--force"], ["backup", "run", "--dry-run"]]) {
      const { code, report } = await lab.report(argv);
      assert.equal(code, 1);
      assert.deepEqual(fates(report), [`${STUDY} failed item/name-reused`]);
      assert.match(report.items[0].error.message, /this name was completed on .* with other content: 1 changed/);
      assert.match(report.items[0].error.hint, /give it a name of its own/);
      assert.deepEqual([await snapshot(lab.nas), await lab.keys()], kept, argv.join(" "));
      assert.equal((await lab.ledger()).length, lines);
    }
    assert.equal(
      await Deno.readTextFile(join(lab.source, STUDY, STUDY, "Scan1", "image.qptiff")),
      "another experiment",
    );
    await Deno.remove(join(lab.source, STUDY), { recursive: true });
    await study(lab, STUDY, { files });
    const same = await lab.report(["backup", "run"]);
    assert.equal(same.code, 0, same.stderr);
    assert.deepEqual(await tree(lab.source), [".labferry-place"]);
    assert.equal(fate((await lab.ledger()).at(-1)), `${STUDY} complete deleted`);
  },
);

acceptance(
  "S4 a byte flipped on the NAS after the record: told, the source stays, and the ledger keeps its complete",
  async () => {
    await using lab = await openLab();
    await study(lab);
    await lab.pipeline(
      "keep",
      (shipped) => shipped.replace('"backup"', '"keep"').replace(/# Frees[^]*?(?=# Says)/, ""),
    );
    assert.equal((await lab.report(["run", "keep"])).code, 0);
    const file = join(lab.nas, STUDY, STUDY, "Scan1", "image.qptiff");
    const { mtime } = await Deno.stat(file);
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, `X${text.slice(1)}`);
    await Deno.utime(file, mtime as Date, mtime as Date);
    const before = await snapshot(lab.nas);
    const { code, report, stderr } = await lab.report(["backup", "run"]);
    assert.equal(code, 1, stderr);
    assert.equal(report.items[0].outcome, "failed");
    assert.match(report.items[0].error.message, /image\.qptiff/);
    assert.ok((await tree(lab.source)).includes(`${STUDY}/${STUDY}/Scan1/image.qptiff`));
    assert.equal(fate((await lab.ledger()).at(-1)), `${STUDY} complete`);
    const after = await snapshot(lab.nas);
    for (
      const path of Object.keys(before).filter((path) => path.startsWith(`${STUDY}/`) && !path.endsWith("/"))
    ) {
      assert.equal(after[path], before[path], path);
    }
  },
);

acceptance(
  "S14 S15 a link, a reserved name, names that collide or are no text fail the study, each named; nothing is followed",
  async () => {
    await using lab = await openLab();
    const inside = (name: string, ...parts: string[]) => join(lab.source, name, name, "Scan1", ...parts);
    const cases: [name: string, spoil: (name: string) => Promise<void>, words: RegExp][] = [
      [
        "20250131_ada_kidney_n1",
        (name) => Deno.symlink(lab.manifests, inside(name, "link")),
        /Scan1\/link" is a symbolic link/,
      ],
      [
        "20250131_ada_kidney_n2",
        (name) => Deno.writeTextFile(inside(name, ".labferry-place"), "x"),
        /reserved for labferry/,
      ],
      [
        "20250131_ada_kidney_n3",
        async (name) => {
          await Deno.writeTextFile(inside(name, "Tile.dat"), "1");
          await Deno.writeTextFile(inside(name, "tile.dat"), "2");
        },
        /Tile\.dat.*tile\.dat|tile\.dat.*Tile\.dat/,
      ],
      [
        "20250131_ada_kidney_n4",
        async (name) => {
          const done = await new Deno.Command("sh", {
            args: ["-c", `printf x > "$(printf 'bad\\377')"`],
            cwd: inside(name),
          }).output();
          assert.ok(done.success);
        },
        /the name is not valid text/,
      ],
      [
        "20250131_ada_kidney_n5",
        (name) => Deno.writeTextFile(join(lab.source, name, "_checksums.sha256"), "x"),
        /_checksums\.sha256/,
      ],
    ];
    for (const [name, spoil] of cases) {
      await study(lab, name);
      await spoil(name);
      const then = new Date(Date.now() - 20 * 86_400_000);
      await new Deno.Command("find", {
        args: [join(lab.source, name), "-exec", "touch", "-h", "-d", then.toISOString(), "{}", "+"],
      }).output();
    }
    await study(lab, "20250131_ada_kidney_ok");
    const { code, report, stderr } = await lab.report(["backup", "run"]);
    assert.equal(code, 1, stderr);
    assert.equal(report.items.length, cases.length + 1, stderr);
    for (const [name, , words] of cases) {
      const item = report.items.find((item: Json) => item.name === name);
      assert.equal(item?.outcome, "failed", name);
      const findings = (item.error.findings ?? []).map((finding: Json) => `${finding.path}: ${finding.message}`);
      assert.match([item.error.message, ...findings].join("\n"), words, name);
      assert.ok(!(await tree(lab.nas)).some((path) => path.startsWith(`${name}/`)), `${name}: nothing is copied`);
    }
    assert.equal(report.items.at(-1).outcome, "done");
  },
  needsPosix,
);

/** A pipeline whose item waits in a hook until the file `go` is there. */
const waiting = (shipped: string) =>
  shipped.replace(
    "# Copies and hashes in one pass.",
    '[[stage]]\nuse = "hook"\nwith = { argv = ["sh", "-c", "echo at work; while [ ! -e go ]; do sleep 0.05; done"] }\n\n# Copies',
  );

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  acceptance(
    `${signal} once: the step is finished, the locks are released, exit 130, and the next run completes`,
    async () => {
      await using lab = await openLab();
      await study(lab, "20250131_ada_kidney_b1");
      await study(lab, "20250131_ada_kidney_b2");
      await lab.pipeline("backup", waiting);
      const run = lab.start(["backup", "run", "--json"]);
      await run.says(/at work/);
      run.kill(signal);
      await run.says(/Stopping: the step at work is finished first/);
      await Deno.writeTextFile(lab.at("go"), "");
      const { code, stdout, stderr } = await run.ended;
      assert.equal(code, 130, stderr);
      const report = JSON.parse(stdout);
      assert.equal(report.exit_code, 130);
      assert.equal(report.items.length, 1, "no other study is taken up");
      const hook = report.items[0].stages.find((stage: Json) => stage.id === "hook");
      assert.deepEqual([hook.outcome, hook.applied], ["done", 1], "the step was finished");
      const all = [...await tree(lab.source), ...await tree(lab.nas)];
      assert.deepEqual(all.filter((path) => path.endsWith(".lock")), []);
      assert.equal((await lab.report(["backup", "run"])).code, 0);
      assert.deepEqual(await tree(lab.source), [".labferry-place"]);
    },
    needsPosix,
  );
}

/** The same with a hook that says its number and does not hear that it is to end. */
const deaf = (shipped: string) => waiting(shipped).replace("echo at work;", () => "trap : TERM; echo at work as $$;");

for (const [hook, change] of [["", waiting], [", also one that does not hear of it", deaf]] as const) {
  acceptance(
    `SIGINT twice: stops now with 130, leaves no child behind${hook}, and the next run completes`,
    async () => {
      await using lab = await openLab();
      await study(lab);
      await lab.pipeline("backup", (shipped) => change(shipped).replace("echo at work;", () => "echo at work as $$;"));
      const run = lab.start(["backup", "run"]);
      const [, pid] = await run.says(/at work as (\d+)/);
      run.kill("SIGINT");
      await run.says(/Stopping/);
      run.kill("SIGINT");
      const { code, stderr } = await run.ended;
      assert.equal(await isAtWork(Number(pid)), false, "the hook is at work behind the end of the run");
      assert.equal(code, 130, stderr);
      // A machine on which that takes over 5 s ends it by force, and says so: then the lock is that of a dead holder.
      if (!/labferry ends though the work did not/.test(stderr)) {
        assert.doesNotMatch(stderr, /left behind/);
        assert.deepEqual((await tree(lab.source)).filter((path) => path.endsWith(".lock")), []);
      }
      await Deno.writeTextFile(lab.at("go"), "");
      assert.equal((await lab.report(["backup", "run"])).code, 0);
    },
    needsPosix,
  );
}

acceptance("SIGINT three times: no child is left behind either, nor what it started", async () => {
  await using lab = await openLab();
  await study(lab);
  await lab.pipeline(
    "backup",
    (shipped) => deaf(shipped).replace("at work as $$;", () => "at work as $$; sleep 1000 & echo and $!;"),
  );
  const run = lab.start(["backup", "run"]);
  const [, pid, other] = await run.says(/at work as (\d+)[^]*and (\d+)/);
  run.kill("SIGINT");
  await run.says(/Stopping: /);
  run.kill("SIGINT");
  await run.says(/Stopping now/);
  run.kill("SIGINT");
  const { code, stderr } = await run.ended;
  assert.deepEqual([await isAtWork(Number(pid)), await isAtWork(Number(other))], [false, false], stderr);
  assert.equal(code, 130, stderr);
}, needsPosix);

acceptance("S22 kill -9 in the middle: the next run says so, completes, and the end is true", async () => {
  await using lab = await openLab();
  const files = await study(lab);
  await lab.pipeline("backup", waiting);
  const run = lab.start(["backup", "run"]);
  await run.says(/at work/);
  run.kill("SIGKILL");
  await run.ended;
  const locks = [...await tree(lab.source), ...await tree(lab.nas)].filter((path) => path.endsWith(".lock"));
  assert.deepEqual(locks, [`${STUDY}/.labferry.lock`, ".cleanup.lock"]);
  await Deno.writeTextFile(lab.at("go"), "");
  const { code, stderr } = await lab.report(["backup", "run"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /A lock that was left is reclaimed: its holder has ended/);
  assert.deepEqual(await tree(lab.source), [".labferry-place"]);
  for (const [path, text] of Object.entries(files)) {
    assert.equal(await Deno.readTextFile(join(lab.nas, STUDY, path)), text);
    assert.equal(await lab.body(`fusion/${STUDY}/${path}`), text);
  }
  assert.equal(fate((await lab.ledger()).at(-1)), `${STUDY} complete deleted`);
  assert.equal((await lab.run(["manifest", "verify", lab.manifests])).code, 0);
}, needsPosix);

acceptance("S10 kill -9 while a hook is at work: no run goes on with the study before the hook has ended", async () => {
  await using lab = await openLab();
  await study(lab);
  await lab.pipeline("backup", deaf);
  const run = lab.start(["backup", "run"]);
  const [, pid] = await run.says(/at work as (\d+)/);
  run.kill("SIGKILL");
  await run.ended;
  assert.equal(await isAtWork(Number(pid)), true, "nobody could end it");
  const early = lab.start(["backup", "run"]);
  const [said] = await early.says(/at work as (process )?\d+/);
  await Deno.writeTextFile(lab.at("go"), "");
  const { code, stderr } = await early.ended;
  assert.equal(said, `at work as process ${pid}`, "a second hook was started");
  assert.equal(code, 1, stderr);
  assert.match(stderr, /"sh", which it started, is at work.*\n.*Wait until that program has ended/);
  assert.equal((await lab.report(["backup", "run"])).code, 0);
  assert.deepEqual(await tree(join(lab.state, "children")), []);
}, needsPosix);

acceptance("a config that never answers leaves a trace in the log", async () => {
  await using lab = await openLab();
  await Deno.remove(lab.at("config.toml"));
  const made = await new Deno.Command("mkfifo", { args: [lab.at("config.toml")] }).output();
  assert.equal(made.code, 0);
  const run = lab.start(["backup", "run"]);
  await run.says(/lies apart from the config ".*config\.toml": no answer within 2000 ms/);
  run.kill("SIGKILL");
  await run.ended;
  assert.match(await lab.logs(), /backup run begins/);
}, needsPosix);
