import assert from "node:assert/strict";
import { join } from "@std/path";
import { systemClock } from "../../core/io/clock.ts";
import { DiskFiles } from "../../core/io/disk_files.ts";
import { openLedger } from "../../core/ledger/ledger_file.ts";
import { createPlaceMarker } from "../../core/safety/place_marker.ts";
import { entry } from "../core/ledger/_entry.ts";
import { lab } from "./_lab.ts";

Deno.test("manifest verify finds a changed line, and nothing to verify", async () => {
  await using place = await lab();
  const empty = await place.cli(["manifest", "verify", place.manifests]);
  assert.equal(empty.code, 1);
  const absent = await place.cli(["manifest", "show", join(place.manifests, "2025-01.jsonl")]);
  assert.equal(absent.code, 2);
  const month = join(place.manifests, "2025-01.jsonl");
  await Deno.writeTextFile(month, "{torn");
  const torn = await place.cli(["manifest", "verify", month]);
  assert.equal(torn.code, 1);
  assert.match(torn.stdout, /the last line, 1, cannot be read/);
  const shown = await place.cli(["manifest", "show", month, "-f", "json"]);
  assert.equal(shown.code, 0);
  assert.deepEqual(JSON.parse(shown.stdout), {});
  assert.match(shown.stderr, /warn .*line 1 is left out/);
});

Deno.test("S18 manifest show refuses what is no ledger, and says of an empty one that there are no records yet", async () => {
  await using place = await lab();
  const show = (path: string) => place.cli(["manifest", "show", path]);
  const folder = await show(place.manifests);
  assert.equal(folder.code, 2);
  assert.match(folder.stderr, /there is no month of a ledger in it, and no mark that it is to hold one/);
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  await createPlaceMarker(new DiskFiles(), place.manifests);
  assert.deepEqual(await show(place.manifests), { code: 0, stdout: "The ledger has no records yet.\n", stderr: "" });
  const file = join(place.path, "accounts");
  await Deno.writeTextFile(file, "root:x:0:0:root:/root:/bin/sh\n");
  const other = await show(file);
  assert.deepEqual([other.code, other.stdout], [2, ""]);
  assert.match(other.stderr, /no line of it is a record of a ledger \[cli\/no-ledger\]/);
});

Deno.test("manifest verify of a folder finds a cut in an earlier month, and says which cuts it cannot see", async () => {
  await using place = await lab();
  const ledger = openLedger({ fs: new DiskFiles(), root: place.manifests, clock: systemClock, host: "scope-1" });
  for (const name of ["a", "b"]) await ledger.append(entry(name, { started_at: "2026-02-01T00:00:00Z" }));
  await ledger.append(entry("c", { started_at: "2026-03-01T00:00:00Z" }));
  await ledger.append(entry("late", { started_at: "2026-02-28T00:00:00Z" }));
  const february = join(place.manifests, "2026-02.jsonl");
  const march = join(place.manifests, "2026-03.jsonl");
  const whole = await place.cli(["manifest", "verify", place.manifests]);
  assert.deepEqual(whole, {
    code: 0,
    stdout: `ok    ${february}: 3 lines\nok    ${march}: 1 line\n` +
      "Not seen here: whether lines were cut off at the end of 2026-03.jsonl, behind line 2 of 2026-02.jsonl; no later " +
      "line follows them.\n" +
      "The mirror, <prefix>/_manifests/ in the bucket, never shrinks: a month that is longer there has lost lines here.\n",
    stderr: "",
  });
  const json = await place.cli(["manifest", "verify", place.manifests, "-f", "json"]);
  assert.deepEqual(
    JSON.parse(json.stdout).map((
      verdict: { ok: boolean; vouched_lines: number },
    ) => [verdict.ok, verdict.vouched_lines]),
    [[true, 2], [true, 0]],
  );
  assert.match(json.stderr, /Not seen here/);
  assert.deepEqual(await place.cli(["manifest", "verify", place.manifests, "-q"]), { code: 0, stdout: "", stderr: "" });
  const [first] = (await Deno.readTextFile(february)).split("\n");
  await Deno.writeTextFile(february, `${first}\n`);
  const alone = await place.cli(["manifest", "verify", february]);
  assert.equal(alone.code, 0);
  assert.match(alone.stdout, /^ok .*1 line\nNot seen here: .* at the end of 2026-02\.jsonl.*\nVerify the folder/);
  const cut = await place.cli(["manifest", "verify", place.manifests]);
  assert.equal(cut.code, 1);
  assert.match(
    cut.stdout,
    /^FAIL .*2026-03\.jsonl: the chain breaks at line 1: .*cut off at the end of 2026-02\.jsonl/m,
  );
});
