/** Stages from outside keep to SAFETY: they take away what they may have touched, and no fact comes from their words. */
import assert from "node:assert/strict";
import { acceptance, fates, type Lab, openLab, snapshot, STUDY, study, tree } from "./_lab.ts";
import { COUNT_FILES, plainStage, put } from "./_plugins.ts";

/** The shipped backup with a stage before another, by the `use` or `id` of that one. */
function inserted(block: string, before: string): (shipped: string) => string {
  return (shipped) => {
    const parts = shipped.split(/\n(?=(?:#.*\n)*\[)/);
    const at = parts.findIndex((part) => part.includes("[[stage]]") && part.includes(before));
    assert.ok(at >= 0, before);
    parts.splice(at, 0, `[[stage]]\nuse = "${block}"\n`);
    return parts.join("\n");
  };
}

const DELETE = 'use  = "delete"';

/** The pin of a file as the config has it. */
async function pin(lab: Lab, path: string, about: { sha256: string; touches?: string }): Promise<void> {
  const touches = about.touches === undefined ? "" : `, touches = ${about.touches}`;
  await lab.config(`[plugins]\nfiles = [{ path = "${path}", sha256 = "${about.sha256}"${touches} }]\n`);
}

async function isKept(lab: Lab): Promise<void> {
  assert.ok((await tree(lab.source)).some((path) => path.startsWith(`${STUDY}/`)));
}

acceptance(
  "between proof and delete, a stage from outside is refused until it is pinned and says what it touches",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const sha256 = await put(lab, "plugins/count.ts", COUNT_FILES);
    await lab.pipeline("backup", inserted("count-files", DELETE));
    const before = [await snapshot(lab.source), await snapshot(lab.nas)];
    const refuse = async (why: RegExp, hint: RegExp) => {
      const lint = await lab.run(["lint", "--offline", "backup"]);
      const run = await lab.run(["backup", "run"]);
      assert.deepEqual([lint.code, run.code], [2, 2], lint.stdout + run.stderr);
      for (const said of [lint.stdout, run.stderr]) {
        assert.match(
          said,
          /backup\.toml:\d+:\d+: error safety\/destroy-unrecorded: .*stage "count-files" \(line \d+\) takes/,
        );
        assert.match(said, why);
        assert.match(said, hint);
        assert.ok(said.includes(`sha256 = "${sha256}", touches = []`), said);
      }
      assert.deepEqual([await snapshot(lab.source), await snapshot(lab.nas)], before);
    };
    await refuse(
      /it may change any byte/,
      /hint: move "count-files" .*read its code, then pin it and say what it touches/,
    );
    await pin(lab, "plugins/count.ts", { sha256 });
    await refuse(/it may change any byte/, /hint: move "count-files" .*say beside its pin what it touches/);
    await pin(lab, "plugins/count.ts", { sha256, touches: '["truenas"]' });
    const touching = await lab.run(["lint", "--offline", "backup"]);
    assert.equal(touching.code, 2);
    assert.match(touching.stdout, /stage "count-files" \(line \d+\) takes it away/);
    await pin(lab, "plugins/count.ts", { sha256, touches: '["truenass"]' });
    const unknown = await lab.run(["lint", "--offline", "backup"]);
    assert.match(
      unknown.stdout,
      /error safety\/unknown-place: .*no stage writes place "truenass"[\s\S]*did you mean "truenas"/,
    );
    await pin(lab, "plugins/count.ts", { sha256, touches: "[]" });
    const lint = await lab.run(["lint", "--offline", "backup"]);
    assert.deepEqual([lint.code, lint.stdout], [0, "backup: ok\n"]);
    const { code, report } = await lab.report(["backup", "run"]);
    assert.deepEqual([code, fates(report)], [0, [`${STUDY} done`]]);
    assert.equal((await tree(lab.source)).some((path) => path.startsWith(`${STUDY}/`)), false);
  },
);

acceptance("before the copy, a stage that nobody vouches for is no obstacle", async () => {
  await using lab = await openLab();
  await study(lab);
  await put(lab, "plugins/count.ts", COUNT_FILES);
  await lab.pipeline("backup", inserted("count-files", 'use   = "copy"'));
  const { code, report } = await lab.report(["backup", "run"]);
  assert.deepEqual([code, fates(report)], [0, [`${STUDY} done`]]);
});

/** Changes a byte past the ports, and puts size and time of change back as they were. */
function sneak(place: "nas" | "source"): string {
  const root = place === "nas" ? 'ctx.place("truenas").uri(ctx.item)' : "ctx.item.root";
  return `export default (api) => api.defineStage({
  kind: "stage", name: "sneak", summary: "Lies.", takes: "tree", effect: "read", resume: "redo",
  options: api.z.strictObject({}), example: "",
  open: () => ({
    async *plan() { yield { kind: "todo", id: "x", summary: "look", data: null }; },
    async apply(_step, ctx) {
      const path = ${root} + "/${STUDY}.xpd";
      const bytes = await Deno.readFile(path);
      const { atime, mtime } = await Deno.stat(path);
      bytes[0] ^= 1;
      await Deno.writeFile(path, bytes);
      await Deno.utime(path, atime, mtime);
    },
  }),
});
`;
}

for (const place of ["nas", "source"] as const) {
  acceptance(
    `a stage vouched for that writes at the ${place} behind the engine's back is caught before the delete`,
    async () => {
      await using lab = await openLab();
      await study(lab);
      const sha256 = await put(lab, "plugins/sneak.js", sneak(place));
      await pin(lab, "plugins/sneak.js", { sha256, touches: "[]" });
      await lab.pipeline("backup", inserted("sneak", DELETE));
      const { code, report, stderr } = await lab.report(["backup", "run"]);
      assert.equal(code, 1, stderr);
      assert.match(fates(report)[0], new RegExp(`^${STUDY} failed delete `));
      await isKept(lab);
      const [last] = (await lab.ledger()).slice(-1);
      assert.equal(last.source_deleted_at, null);
    },
  );
}

/** Says that it proves the NAS, and asks no port. */
const BOAST = plainStage("boast", {
  more: 'facts: () => ({ gives: [{ fact: "proved", place: "truenas" }, { fact: "sealed", place: "truenas" }] }),',
});

acceptance("what a stage from outside says it gives counts for nothing unless a port made it so", async () => {
  await using lab = await openLab();
  await study(lab);
  const sha256 = await put(lab, "plugins/boast.js", BOAST);
  await lab.pipeline("backup", (shipped) => {
    const parts = shipped.split(/\n(?=(?:#.*\n)*\[)/);
    return parts.map((part) => /use {2}= "verify"/.test(part) ? '[[stage]]\nuse = "boast"\n' : part)
      .filter((part) => !part.includes('"checksum-sidecar"')).join("\n");
  });
  const lint = await lab.run(["lint", "--offline", "backup"]);
  assert.equal(lint.code, 2);
  assert.match(
    lint.stdout,
    /warning safety\/facts-not-counted: .*"boast" of .*boast\.js says it gives \(proved at "truenas", sealed/,
  );
  assert.match(lint.stdout, /error safety\/complete-before-proof: .*proved at "truenas" is missing/);
  await pin(lab, "plugins/boast.js", { sha256, touches: "[]" });
  const vouched = await lab.run(["lint", "--offline", "backup"]);
  assert.equal(vouched.code, 0, vouched.stdout);
  const { code, report } = await lab.report(["backup", "run"]);
  assert.deepEqual([code, fates(report)], [1, [`${STUDY} failed boast plugins/not-minted`]]);
  assert.match(
    report.items[0].error.message,
    /it says that it gives proved at "truenas", found 0 of \d+ files proved strongly/,
  );
  await isKept(lab);
});

acceptance("in its plan a stage from outside is given nothing that writes", async () => {
  const acts = [
    'await ctx.place("truenas").write([{ path: "x", size: 1, mtimeMs: 0 }]);',
    'await ctx.place("truenas").seal();',
    'await ctx.record("complete");',
    "await ctx.lock();",
    'await ctx.exec({ argv: ["true"] });',
    "await ctx.finishDestroy({});",
  ];
  await using lab = await openLab();
  await study(lab);
  for (const act of acts) {
    await put(lab, "plugins/early.js", plainStage("early", { open: act }).replace("*plan()", "*plan(_item, ctx)"));
    await lab.pipeline("backup", inserted("early", 'use   = "copy"'));
    const { code, report } = await lab.report(["backup", "run"]);
    assert.deepEqual([act, code, fates(report)], [act, 1, [`${STUDY} failed early plugins/stage-failed`]]);
    assert.match(report.items[0].error.message, /TypeError: .* is not a function/, act);
  }
  await isKept(lab);
});

acceptance("a stage from outside that destroys is refused until it is vouched for", async () => {
  await using lab = await openLab();
  await put(
    lab,
    "plugins/wipe.js",
    plainStage("wipe", {
      more: 'effect: "destroy", facts: () => ({ destroys: { place: "source", places: 2 } }),',
    }),
  );
  await lab.pipeline(
    "backup",
    (shipped) => shipped.replace(DELETE, 'use  = "wipe"').replace(/^with = \{ require.*$/m, ""),
  );
  const lint = await lab.run(["lint", "--offline", "backup"]);
  assert.equal(lint.code, 2);
  assert.match(
    lint.stdout,
    /error safety\/unpinned-destroy: .*stage "wipe": nobody vouches for its code in .*wipe\.js, wanted a pin and touches/,
  );
});

acceptance("no stage can point the engine at another folder, nor change the name of a study", async () => {
  const acts = [
    'item.root = "HOME/docs";',
    "item.name = item.name.toUpperCase();",
    'ctx.item.root = "HOME/docs";',
    'ctx.run.config.paths.truenas_root = "HOME/docs";',
    "ctx.clock.now = () => 0;",
  ];
  await using lab = await openLab();
  await study(lab);
  await put(lab, "home/docs/thesis.txt", "thesis");
  await lab.pipeline("backup", inserted("mover", 'use   = "copy"'));
  for (const act of acts) {
    const open = act.replace("HOME", lab.at("home")) + ' yield { kind: "skip", why: "looked" };';
    await put(lab, "plugins/mover.js", plainStage("mover", { open }).replace("*plan()", "*plan(item, ctx)"));
    const { code, report } = await lab.report(["backup", "run"]);
    assert.deepEqual([act, code, fates(report)], [act, 1, [`${STUDY} failed mover plugins/stage-failed`]]);
    assert.match(report.items[0].error.message, /TypeError: Cannot assign to read only property/, act);
  }
  // One that hides its failure changes nothing either.
  const hidden = `try { ${acts[0].replace("HOME", lab.at("home"))} } catch {} yield { kind: "skip", why: item.root };`;
  await put(lab, "plugins/mover.js", plainStage("mover", { open: hidden }).replace("*plan()", "*plan(item, ctx)"));
  const { code, report } = await lab.report(["backup", "run"]);
  assert.deepEqual([code, fates(report)], [0, [`${STUDY} done`]]);
  assert.deepEqual(await tree(lab.at("home")), ["docs/thesis.txt"]);
  const names = new Set((await lab.ledger()).map((record) => record.backup_name));
  assert.deepEqual([...names], [STUDY]);
});
