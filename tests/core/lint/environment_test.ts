import assert from "node:assert/strict";
import { join } from "@std/path";
import { Disk } from "../../../core/io/disk.ts";
import {
  createEnvironmentProbe,
  type EnvironmentProbe,
  type FolderState,
  lintEnvironment,
  type StoreState,
} from "../../../core/lint/environment.ts";
import { openMemoryJournal } from "../../../core/journal/sqlite.ts";
import { type ObjectStore, ObjectStoreError, type StoreErrorKind } from "../../../core/objects/object_store.ts";
import type { CompiledPipeline } from "../../../core/pipeline/compile.ts";
import { loadConfig } from "../../../core/pipeline/config.ts";
import { EMBEDDED_PRESETS } from "../../../core/pipeline/embedded_presets.ts";
import { rememberMarker } from "../../../core/safety/known_markers.ts";
import { createPlaceMarker } from "../../../core/safety/place_marker.ts";
import { rememberRoles } from "../../../core/safety/place_roles.ts";
import { compileText, labConfig } from "../../kit/fake_stages.ts";
import { tempDir } from "../../kit/temp.ts";

const SIGNAL = new AbortController().signal;
const MARKED: FolderState = { kind: "folder", marker: "11111111-2222-3333-4444-555555555555" };

function backup(config = labConfig()): CompiledPipeline {
  const { pipeline } = compileText(EMBEDDED_PRESETS.backup, { config, file: "backup.toml" });
  assert.ok(pipeline);
  return pipeline;
}

function probe(
  answers: { folders?: Record<string, FolderState>; store?: StoreState; nested?: EnvironmentProbe["nested"] },
) {
  return {
    folder: (root: string) => Promise.resolve(answers.folders?.[root] ?? MARKED),
    nested: answers.nested ?? (() => Promise.resolve([])),
    store: () => Promise.resolve(answers.store ?? { kind: "ready" as const }),
  };
}

Deno.test("lintEnvironment() says nothing when every place is there, marked and apart", async () => {
  assert.deepEqual(await lintEnvironment(backup(), { probe: probe({}), signal: SIGNAL }), []);
});

Deno.test("S1 lintEnvironment() points at what says where a place is, and names the line that reads it", async () => {
  const folders: Record<string, FolderState> = {
    "/nas/backup": { kind: "not-marked", found: "it has no .labferry-place", hint: "run: labferry install places" },
    "/lab/source": { kind: "absent" },
    "/nas/manifests": { kind: "not-a-folder" },
  };
  const found = await lintEnvironment(backup(), { probe: probe({ folders }), signal: SIGNAL });
  assert.deepEqual(found.map((d) => [d.code, d.severity, d.file, d.sourceLine]), [
    ["env/path-missing", "error", "/etc/labferry/config.toml", 'source_root = "/lab/source"'],
    ["env/not-marked", "error", "/etc/labferry/config.toml", 'truenas_root = "/nas/backup"'],
    ["env/not-a-folder", "error", "/etc/labferry/config.toml", 'manifest_root = "/nas/manifests"'],
  ]);
  assert.match(found[1].message, /; backup\.toml:\d+:16 reads it as "\$\{paths\.truenas_root\}"$/);
  assert.match(found[2].message, /; backup\.toml:\d+:8 needs it$/);
  assert.match(found[1].message, /place "truenas" at "\/nas\/backup": it has no \.labferry-place/);
  assert.match(found[1].hint ?? "", /labferry install places/);
});

Deno.test("lintEnvironment() points at the stage whose place stands in the pipeline itself", async () => {
  const text = EMBEDDED_PRESETS.backup.replace("${paths.truenas_root}", "/nas/other").replace("${s3.bucket}", "mine");
  const { pipeline } = compileText(text, { file: "own.toml" });
  assert.ok(pipeline);
  const found = await lintEnvironment(pipeline, {
    probe: probe({ folders: { "/nas/other": { kind: "absent" } }, store: { kind: "denied", why: "no" } }),
    signal: SIGNAL,
  });
  assert.deepEqual(found.map((d) => [d.code, d.file, d.sourceLine.trim()]), [
    ["env/path-missing", "own.toml", 'use   = "copy"'],
    ["env/store-denied", "own.toml", 'use  = "s3-upload"'],
  ]);
});

Deno.test("lintEnvironment() only warns of what a hook in [[before]] may mount", async () => {
  const config = loadConfig({
    path: "/etc/c.toml",
    system: "posix",
    text:
      "[paths]\nsource_root = '/s'\ntruenas_root = '/n'\nmanifest_root = '/m'\n[s3]\nbucket = 'b'\nprefix = 'p'\n[hooks]\nbackup = ['mount']\n",
  }).loaded;
  const found = await lintEnvironment(backup(config), {
    probe: probe({
      folders: { "/n": { kind: "absent" }, "/m": { kind: "unreadable", why: "the system denies access" } },
    }),
    signal: SIGNAL,
  });
  assert.deepEqual(found.map((d) => [d.code, d.severity]), [["env/path-missing", "warning"], [
    "env/unreadable",
    "error",
  ]]);
  assert.match(found[0].message, /a hook in \[\[before\]\] may mount it/);
});

Deno.test("S1 lintEnvironment() says of a marked root what a run would: another mark, another role, no right to write", async () => {
  const asked: unknown[] = [];
  const codes = ["env/other-marker", "env/other-role", "env/not-writable"] as const;
  const marked: EnvironmentProbe["marked"] = ({ id, role, written }) => {
    asked.push([id, role, written]);
    return Promise.resolve(id === "truenas" ? codes.map((code) => ({ code, message: "Cannot", hint: "do this" })) : []);
  };
  const found = await lintEnvironment(backup(), { probe: { ...probe({}), marked }, signal: SIGNAL });
  assert.deepEqual(asked, [["source", "source", true], ["truenas", "place", true], ["manifests", "ledger", true]]);
  assert.deepEqual(
    found.map((d) => [d.code, d.severity, d.sourceLine, d.hint]),
    codes.map((code) => [code, "error", 'truenas_root = "/nas/backup"', "do this"]),
  );
  const hooked = loadConfig({
    path: "/etc/c.toml",
    system: "posix",
    text:
      "[paths]\nsource_root = '/s'\ntruenas_root = '/n'\nmanifest_root = '/m'\n[s3]\nbucket = 'b'\nprefix = 'p'\n[hooks]\nbackup = ['mount']\n",
  }).loaded;
  const soft = await lintEnvironment(backup(hooked), { probe: { ...probe({}), marked }, signal: SIGNAL });
  assert.deepEqual(soft.map((d) => [d.code, d.severity]).sort(), [
    ["env/not-writable", "warning"],
    ["env/other-marker", "warning"],
    ["env/other-role", "error"],
  ]);
});

Deno.test("S1 createEnvironmentProbe() asks the journal and the account about a marked root, and writes nothing", async () => {
  await using dir = await tempDir();
  await using journal = await openMemoryJournal();
  await using disk = new Disk();
  const why = "this account may not write there";
  const fs = new Proxy(disk, {
    get: (target, key) =>
      key === "whyNotWritable" ? () => Promise.resolve(why) : Reflect.get(target, key, target)?.bind?.(target),
  });
  const { uuid } = await createPlaceMarker(disk, dir.path);
  const real = createEnvironmentProbe({
    fs,
    cursors: journal.cursors,
    openStore: () => Promise.reject(new Error("no store")),
  });
  const ask = async (role: "place" | "source", written: boolean) =>
    (await real.marked?.({ id: "x", path: dir.path, role, marker: uuid, written }, SIGNAL))?.map(({ code }) => code);
  assert.deepEqual(await ask("place", false), []);
  assert.deepEqual(await ask("place", true), ["env/not-writable"]);
  await rememberRoles({ fs: disk, cursors: journal.cursors }, [{ id: "truenas", path: dir.path, role: "place" }]);
  await rememberMarker(journal.cursors, dir.path, { uuid: "99999999-0000-4000-8000-000000000009" });
  assert.deepEqual(await ask("source", true), ["env/other-marker", "env/other-role", "env/not-writable"]);
});

Deno.test("S2 lintEnvironment() refuses places that are one folder on this machine", async () => {
  const found = await lintEnvironment(backup(), {
    signal: SIGNAL,
    probe: probe({
      nested: ([source, nas]) => Promise.resolve([{ outer: source, inner: nas, same: true }]),
    }),
  });
  assert.deepEqual(found.map((d) => d.code), ["env/places-not-distinct"]);
  assert.match(found[0].message, /place "truenas" at "\/nas\/backup": on this machine it is the source/);
});

Deno.test("lintEnvironment() says what a store answered", async () => {
  for (
    const [kind, code] of [
      ["no-bucket", "env/bucket-missing"],
      ["denied", "env/store-denied"],
      ["unreachable", "env/store-unreachable"],
      ["unusable", "env/store-unusable"],
    ] as const
  ) {
    const store: StoreState = { kind, why: "because", hint: "do this" };
    const found = await lintEnvironment(backup(), { probe: probe({ store }), signal: SIGNAL });
    assert.deepEqual(found.map((d) => [d.code, d.hint, d.sourceLine.trim()]), [[
      code,
      "do this",
      'bucket = "archive"',
    ]]);
  }
});

Deno.test("lintEnvironment() stops when it is told to", async () => {
  await assert.rejects(
    lintEnvironment(backup(), { probe: probe({}), signal: AbortSignal.abort(new Error("stop")) }),
    /stop/,
  );
});

function storeThat(answer: () => Promise<{ serverDate: Date | null }>): ObjectStore {
  return { headBucket: answer, [Symbol.asyncDispose]: () => Promise.resolve() } as unknown as ObjectStore;
}

const PLACE = {
  kind: "objects" as const,
  id: "s3",
  store: "s3",
  options: { bucket: "b" },
  prefix: "p/",
  upload: { verify: "auto" as const, partSize: 1, parallel: 1 },
};

Deno.test("createEnvironmentProbe() tells absent, unmarked, marked and damaged folders apart", async () => {
  await using dir = await tempDir();
  await using fs = new Disk();
  const real = createEnvironmentProbe({ fs, openStore: () => Promise.reject(new Error("no store")) });
  assert.deepEqual(await real.folder(join(dir.path, "none"), SIGNAL), { kind: "absent" });
  for (
    const [text, wanted] of [[undefined, /it has no \.labferry-place/], ["", /its \.labferry-place is empty/]] as const
  ) {
    if (text !== undefined) await Deno.writeTextFile(join(dir.path, ".labferry-place"), text);
    const unmarked = await real.folder(dir.path, SIGNAL);
    assert.ok(unmarked.kind === "not-marked");
    assert.match(unmarked.found, wanted);
    assert.match(unmarked.hint, /run: labferry install places/);
  }
  await Deno.writeTextFile(join(dir.path, ".labferry-place"), `${crypto.randomUUID()}\n`);
  assert.equal((await real.folder(dir.path, SIGNAL)).kind, "folder");
  assert.ok("marker" in await real.folder(dir.path, SIGNAL));
  assert.deepEqual(await real.folder(join(dir.path, ".labferry-place"), SIGNAL), { kind: "not-a-folder" });
  await Deno.writeTextFile(join(dir.path, ".labferry-place"), "what");
  const damaged = await real.folder(dir.path, SIGNAL);
  assert.equal(damaged.kind, "unreadable");
  assert.match(damaged.kind === "unreadable" ? damaged.why : "", /does not hold a UUID/);
  assert.match(damaged.kind === "unreadable" ? damaged.hint ?? "" : "", /remove that file and run: labferry install/);
});

Deno.test({
  name: "S2 createEnvironmentProbe() sees through a link from one place to the other",
  ignore: Deno.build.os === "windows", // making links needs a right there
  async fn() {
    await using dir = await tempDir();
    await using fs = new Disk();
    await Deno.mkdir(join(dir.path, "a"));
    await Deno.symlink(join(dir.path, "a"), join(dir.path, "b"));
    const real = createEnvironmentProbe({ fs, openStore: () => Promise.reject(new Error("no store")) });
    const [pair] = await real.nested(
      [{ id: "a", path: join(dir.path, "a") }, { id: "b", path: join(dir.path, "b") }],
      SIGNAL,
    );
    assert.equal(pair.same, true);
    assert.equal((await real.folder(join(dir.path, "b"), SIGNAL)).kind, "not-marked");
  },
});

Deno.test("createEnvironmentProbe() turns the answers of a store into words", async () => {
  await using fs = new Disk();
  const ask = (answer: () => Promise<{ serverDate: Date | null }>) =>
    createEnvironmentProbe({ fs, openStore: () => Promise.resolve(storeThat(answer)) }).store(PLACE, SIGNAL);
  assert.deepEqual(await ask(() => Promise.resolve({ serverDate: null })), { kind: "ready" });
  const kinds: [StoreErrorKind, StoreState["kind"]][] = [
    ["no-bucket", "no-bucket"],
    ["denied", "denied"],
    ["unreachable", "unreachable"],
    ["throttled", "unreachable"],
    ["unsupported", "unusable"],
  ];
  for (const [kind, wanted] of kinds) {
    const state = await ask(() => Promise.reject(new ObjectStoreError(kind, "said the store")));
    assert.equal(state.kind, wanted);
    assert.ok(state.kind !== "ready" && /said the store/.test(state.why) && state.hint, kind);
  }
  const broken = await createEnvironmentProbe({ fs, openStore: () => Promise.reject(new Error("no credentials")) })
    .store(PLACE, SIGNAL);
  assert.deepEqual([broken.kind, "why" in broken && broken.why], ["unusable", "no credentials"]);
});
