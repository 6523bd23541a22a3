import assert from "node:assert/strict";
import { join } from "@std/path";
import { systemClock } from "../../../core/io/clock.ts";
import { openLedger } from "../../../core/ledger/ledger_file.ts";
import { openLedgerMirror } from "../../../core/ledger/mirror.ts";
import { ObjectStoreError } from "../../../core/objects/object_store.ts";
import { tempDir } from "../../kit/temp.ts";
import { entry } from "./_entry.ts";
import { plainDisk } from "./_plain_disk.ts";
import { SmallStore } from "./_small_store.ts";

const MONTH = "2026-03.jsonl";
const KEY = `lab/_manifests/${MONTH}`;

function world(root: string, small = new SmallStore()) {
  const warnings: string[] = [];
  const signal = new AbortController().signal;
  const common = { fs: plainDisk(), root, clock: systemClock };
  const mirror = openLedgerMirror({ ...common, store: small.store, prefix: "lab/", signal });
  const ledger = openLedger({
    ...common,
    host: "scope-1",
    onAppended: (month) => mirror.onAppended(month),
    warn: (message) => warnings.push(message),
  });
  return { small, mirror, ledger, warnings, file: join(root, "2026-03.jsonl") };
}

Deno.test("S12 the mirror is the month after every append", async () => {
  await using dir = await tempDir();
  const { ledger, small, warnings, file } = world(dir.path);
  for (const name of ["a", "b", "c"]) {
    await ledger.append(entry(name));
    assert.equal(small.text(KEY), await Deno.readTextFile(file));
  }
  assert.deepEqual(warnings, []);
  const last = small.requests.slice(-4);
  assert.deepEqual(last.map((request) => request.split(" ")[0]), ["head", "put", "head", "get"]);
});

Deno.test("S12 the mirror never shrinks: a longer one stays and a warning says so", async () => {
  await using dir = await tempDir();
  const { ledger, small, warnings } = world(dir.path);
  const longer = "x".repeat(100_000);
  small.objects.set(KEY, new TextEncoder().encode(longer));
  await ledger.append(entry("a"));
  assert.equal(small.text(KEY), longer);
  assert.match(
    warnings.join(),
    /The ledger has lost lines: ".*2026-03\.jsonl" has \d+ bytes, and its mirror .* has 100000 bytes/,
  );
  await ledger.append(entry("b"));
  assert.equal(warnings.length, 1, "what every append would say is said once");
  assert.equal((await ledger.latest("a"))?.status, "complete");
});

Deno.test("S12 the mirror is not replaced by a month that begins otherwise", async () => {
  await using dir = await tempDir();
  const { ledger, small, warnings } = world(dir.path);
  small.objects.set(KEY, new TextEncoder().encode('{"backup_name":"other"}\n'));
  await ledger.append(entry("a"));
  assert.equal(small.text(KEY), '{"backup_name":"other"}\n');
  assert.match(warnings.join(), /not those the ledger begins with/);
});

Deno.test("S12, S18 mirror.contradiction() is of lost lines, also while the mirror cannot be read; not of a torn last line", async () => {
  await using dir = await tempDir();
  const { ledger, small, file } = world(dir.path);
  for (const name of ["a", "b", "c"]) await ledger.append(entry(name));
  const whole = await Deno.readTextFile(file);
  const found = async (text: string, fault?: (request: string) => void) => {
    await Deno.writeTextFile(file, text);
    const { mirror } = world(dir.path, small);
    small.fault = fault;
    await mirror.compare();
    small.fault = undefined;
    return mirror.contradiction()?.found;
  };
  const cut = whole.slice(0, whole.indexOf("\n") + 1);
  assert.equal(await found(whole), undefined);
  assert.match(await found(cut) ?? "", /has lost lines/);
  const away = (request: string) => {
    if (!request.startsWith("list")) throw new ObjectStoreError("unreachable", "away");
  };
  assert.match(await found(cut, away) ?? "", /has lost lines/);
  assert.equal(await found(whole.slice(0, -30)), undefined, "the last line is torn, every other one is there");
});

Deno.test("S12 mirror.compare() says which months here have lost lines, with what to do, and changes nothing", async () => {
  await using dir = await tempDir();
  const { ledger, small, file } = world(dir.path);
  await ledger.append(entry("feb", { started_at: "2026-02-01T00:00:00Z" }));
  for (const name of ["a", "b"]) await ledger.append(entry(name));
  const mirrored = [...small.objects.entries()];
  assert.deepEqual((await world(dir.path, small).mirror.compare()).warnings, []);
  const whole = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, whole.slice(0, whole.indexOf("\n") + 1));
  await Deno.remove(join(dir.path, "2026-02.jsonl"));
  small.objects.set("lab/_manifests/notes.txt", new Uint8Array(3));
  const after = world(dir.path, small);
  const { warnings } = await after.mirror.compare();
  assert.equal(warnings.length, 2);
  for (
    const [warning, month, found] of [
      [
        warnings[0],
        "2026-03.jsonl",
        /has \d+ bytes, and its mirror s3:\/\/archive\/lab\/_manifests\/2026-03\.jsonl has \d+ bytes\./,
      ],
      [
        warnings[1],
        "2026-02.jsonl",
        /is not there, and its mirror s3:\/\/archive\/lab\/_manifests\/2026-02\.jsonl has \d+ bytes\./,
      ],
    ] as const
  ) {
    assert.match(warning, found);
    assert.ok(
      warning.includes(`If ${month} here has no line that the mirror lacks, put the mirror's copy in its place.`),
    );
    assert.match(warning, /labferry manifest verify/);
  }
  small.objects.delete("lab/_manifests/notes.txt");
  assert.deepEqual([...small.objects.entries()], mirrored);
  // What is said to do mends it.
  for (const month of ["2026-02.jsonl", "2026-03.jsonl"]) {
    await Deno.writeTextFile(join(dir.path, month), small.text(`lab/_manifests/${month}`)!);
  }
  const mended = world(dir.path, small);
  assert.deepEqual((await mended.mirror.compare()).warnings, []);
  await mended.ledger.append(entry("c"));
  assert.deepEqual(mended.warnings, []);
  assert.equal(small.text(KEY), await Deno.readTextFile(file));
});

Deno.test("a mirror that failed is caught up by the next append, also of another month", async () => {
  await using dir = await tempDir();
  const { ledger, small, warnings, file } = world(dir.path);
  await ledger.append(entry("a"));
  small.fault = (request) => {
    if (request.startsWith("put")) throw new ObjectStoreError("unreachable", "connection refused");
  };
  await ledger.append(entry("b"));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /connection refused/);
  small.fault = undefined;
  await ledger.append(entry("c", { started_at: "2026-04-01T00:00:00Z" }));
  assert.equal(small.text(KEY), await Deno.readTextFile(file));
  assert.ok(small.text("lab/_manifests/2026-04.jsonl")?.includes('"c"'));
});

Deno.test("a new process catches up the months that an earlier one left behind", async () => {
  await using dir = await tempDir();
  const fs = plainDisk();
  const silent = openLedger({ fs, root: dir.path, clock: systemClock, host: "scope-1" });
  await silent.append(entry("a", { started_at: "2026-02-01T00:00:00Z" }));
  const { ledger, small, file } = world(dir.path);
  await ledger.append(entry("b"));
  assert.ok(small.text("lab/_manifests/2026-02.jsonl")?.includes('"a"'));
  assert.equal(small.text(KEY), await Deno.readTextFile(file));
  const again = world(dir.path, small);
  const before = small.requests.length;
  assert.deepEqual((await again.mirror.onAppended(MONTH)).warnings, []);
  const asked = small.requests.slice(before);
  assert.ok(asked.includes("list lab/_manifests/"));
  assert.deepEqual(asked.filter((request) => request.startsWith("put") || request.includes("2026-02")), []);
});

Deno.test("S8 a store that keeps other bytes than it was given is found out", async () => {
  await using dir = await tempDir();
  const { ledger, small, warnings } = world(dir.path);
  small.spoil = (bytes) => bytes.with(10, 0x21);
  await ledger.append(entry("a"));
  assert.match(warnings.join(), /reads back other bytes/);
});

Deno.test("a torn tail is mirrored only once it is closed", async () => {
  await using dir = await tempDir();
  const { ledger, small, mirror, file } = world(dir.path);
  await ledger.append(entry("a"));
  const whole = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, '{"half', { append: true });
  assert.deepEqual((await mirror.onAppended(MONTH)).warnings, []);
  assert.equal(small.text(KEY), whole);
  await ledger.append(entry("b"));
  assert.equal(small.text(KEY), await Deno.readTextFile(file));
});

Deno.test("a store that cannot be listed does not stop the append's own month", async () => {
  await using dir = await tempDir();
  const { ledger, small, warnings, file } = world(dir.path);
  small.fault = (request) => {
    if (request.startsWith("list")) throw new ObjectStoreError("denied", "403");
  };
  await ledger.append(entry("a"));
  assert.match(warnings.join(), /Cannot compare the ledger/);
  assert.equal(small.text(KEY), await Deno.readTextFile(file));
});

Deno.test("openLedgerMirror() refuses a prefix that would name another study's keys", async () => {
  await using dir = await tempDir();
  const { store } = new SmallStore();
  const signal = new AbortController().signal;
  const options = { store, prefix: "lab", fs: plainDisk(), root: dir.path, clock: systemClock, signal };
  assert.throws(() => openLedgerMirror(options), RangeError);
});
