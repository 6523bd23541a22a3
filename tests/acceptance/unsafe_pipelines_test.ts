/** Operators may reorder stages: whatever could lose data is refused by `lint` and by `run`, with file, line and fact. */
import assert from "node:assert/strict";
import { acceptance, type Lab, openLab, snapshot, study } from "./_lab.ts";

/** The shipped pipeline cut into its blocks, each with the comments above it. */
function blocks(text: string): string[] {
  return text.split(/\n(?=(?:#.*\n)*\[)/);
}

function at(parts: readonly string[], marker: string): number {
  const index = parts.findIndex((part) => part.includes("[[stage]]") && part.includes(marker));
  assert.ok(index >= 0, marker);
  return index;
}

const without = (marker: string) => (text: string) => {
  const parts = blocks(text);
  parts.splice(at(parts, marker), 1);
  return parts.join("\n");
};

const moved = (marker: string, before: string) => (text: string) => {
  const parts = blocks(text);
  const [part] = parts.splice(at(parts, marker), 1);
  parts.splice(at(parts, before), 0, part);
  return parts.join("\n");
};

const inserted = (block: string, before: string) => (text: string) => {
  const parts = blocks(text);
  parts.splice(at(parts, before), 0, `${block}\n`);
  return parts.join("\n");
};

const VERIFY = 'use  = "verify"';
const DELETE = 'use  = "delete"';
const RECORD = 'id   = "record"';
const UPLOAD = 'use  = "s3-upload"';

interface Case {
  what: string;
  change(shipped: string): string;
  /** Text of the line that the first error stands at. */
  line: RegExp;
  fact: RegExp;
  hint?: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "delete before verify",
    change: moved(DELETE, VERIFY),
    line: /use {2}= "delete"/,
    fact: /recorded is missing/,
    hint: /move "delete" \(line \d+\) behind "record"/,
  },
  { what: "no verify", change: without(VERIFY), line: /place = "truenas"/, fact: /proved at "truenas".* is missing/ },
  { what: "no lock", change: without('use = "lock"'), line: /use {2}= "delete"/, fact: /locked is missing/ },
  { what: "no record", change: without(RECORD), line: /use {2}= "delete"/, fact: /recorded is missing/ },
  {
    what: "an upload that is not proved",
    change: (text) => text.replace('"${s3.prefix}", verify = "auto"', '"${s3.prefix}", verify = "none"'),
    line: /status = "complete"/,
    fact: /proved at "s3" is missing/,
    hint: /verify = "auto"/,
  },
  {
    what: "no sidecar",
    change: without('"checksum-sidecar"'),
    line: /status = "complete"/,
    fact: /sealed is missing/,
  },
  {
    what: "delete before the record",
    change: moved(DELETE, RECORD),
    line: /use {2}= "delete"/,
    fact: /recorded is missing/,
  },
  {
    what: "complete before the upload",
    change: moved(RECORD, UPLOAD),
    line: /status = "complete"/,
    fact: /proved at "s3" is missing/,
    hint: /move "record" behind/,
  },
  { what: "no upload, two places wanted", change: without(UPLOAD), line: /places = 2/, fact: /proved at 2 places/ },
  {
    what: "three places wanted",
    change: (text) => text.replace("places = 2", "places = 3"),
    line: /places = 3/,
    fact: /proved at 3 places .*found 2/,
  },
  {
    what: "a program that may change any byte between proof and delete",
    change: inserted('[[stage]]\nuse = "hook"\nwith = { argv = ["true"] }', DELETE),
    line: /use {2}= "delete"/,
    fact: /recorded is missing.* stage "hook" .* takes it away: it may change any byte/,
  },
  {
    what: "a verify that may fail and be passed over",
    change: (text) => text.replace(VERIFY, `on_error = "warn"\n${VERIFY}`),
    line: /place = "truenas"/,
    fact: /proved at "truenas".* is missing.*on_error = "warn"/,
  },
  {
    what: "verify beside, not before, the sidecar",
    change: (text) => text.replace('use  = "checksum-sidecar"', 'use  = "checksum-sidecar"\nafter = ["truenas"]'),
    line: /place = "truenas"/,
    fact: /proved at "truenas".* is missing.*may run at the same time/,
  },
  {
    what: "a delete in [[on_item_failed]]",
    change: (text) => `${text}\n[[on_item_failed]]\nuse = "delete"\n`,
    line: /use = "delete"/,
    fact: /may not stand there|nothing is proved there/,
  },
  {
    what: "the copy into the instrument's own folder",
    change: (text) => text.replace("${paths.truenas_root}", "${paths.source_root}/backup"),
    line: /to = "\$\{paths\.source_root\}\/backup"/,
    fact: /it lies within the source/,
  },
];

async function refused(lab: Lab, { what, change, line, fact, hint }: Case, before: unknown): Promise<void> {
  await lab.pipeline("backup", change);
  const lint = await lab.run(["lint", "--offline", "backup"]);
  const run = await lab.run(["backup", "run"]);
  assert.deepEqual([what, lint.code, run.code], [what, 2, 2], lint.stdout + run.stderr);
  for (const said of [lint.stdout, run.stderr]) {
    assert.match(said, fact, what);
    if (hint) assert.match(said, hint, what);
    // Whatever is moved away is never the destroy, to before what it needs.
    assert.doesNotMatch(said, /move "delete" before/, what);
    const errors = [...said.matchAll(/^(\S+backup\.toml):(\d+):\d+: error .*\n {2}(.*)\n {2}\s*\^+/gm)];
    assert.ok(errors.length > 0, said);
    const lines = (await Deno.readTextFile(errors[0][1])).split("\n");
    assert.ok(errors.some(([, , number, quoted]) => lines[Number(number) - 1] === quoted && line.test(quoted)), said);
  }
  assert.equal(run.stdout, "", what);
  assert.deepEqual([await snapshot(lab.source), await snapshot(lab.nas), await snapshot(lab.manifests)], before, what);
}

acceptance(
  "a pipeline that could lose data is refused by lint and run, exit 2, with file, line, missing fact and way out",
  async () => {
    await using lab = await openLab();
    await study(lab);
    const before = [await snapshot(lab.source), await snapshot(lab.nas), await snapshot(lab.manifests)];
    for (const one of CASES) await refused(lab, one, before);
    assert.deepEqual(await lab.keys(), []);
  },
);
