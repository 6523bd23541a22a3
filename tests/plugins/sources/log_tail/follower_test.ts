import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { positionFromJson, positionToJson } from "../../../../plugins/sources/log_tail/position.ts";
import type { Position } from "../../../../plugins/sources/log_tail/position.ts";
import { drain, MemoryLogs, PATH, T } from "./_log.ts";

Deno.test("Follower.next() begins a log that was never seen at its end, at a whole line", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} old\n${T} cycle 3\n${T} half`);
  await using follower = logs.follow(undefined, {
    start: "end",
    rules: { start: /^2026/, find: [], context: [{ find: ["cycle"] }] },
  });
  const first = await follower.next();
  assert.deepEqual([first?.records, first?.position.context], [[], [{ rule: 0, line: `${T} cycle 3` }]]);
  logs.append(` a line\n${T} next\n`);
  assert.deepEqual((await drain(logs, follower)).texts, [`${T} half a line`, `${T} next`]);
});

Deno.test("Follower.next() never gives half a line, and a record only when it is whole or the log rests", async () => {
  const logs = new MemoryLogs();
  await using follower = logs.follow();
  assert.deepEqual((await follower.next())?.records, [], "not there: it begins at the beginning of what comes");
  logs.append(`${T} a`);
  assert.equal(await follower.next(), undefined);
  logs.append(`b\n  more`);
  assert.equal(await follower.next(), undefined);
  logs.time += 1000;
  assert.deepEqual((await follower.next())?.records.map(({ text }) => text), [`${T} ab`]);
  logs.append(` and more\n${T} c\n`);
  assert.deepEqual((await follower.next())?.records.map(({ text }) => text), ["  more and more"]);
});

Deno.test("Follower.next() begins anew when the file became shorter or was written anew", async () => {
  for (const again of [`${T} new\n`, `${T} new, and longer than it ever was before\n`]) {
    const logs = new MemoryLogs();
    logs.append(`${T} old and long enough\n`);
    await using follower = logs.follow();
    await drain(logs, follower);
    logs.empty();
    logs.append(again);
    assert.deepEqual((await drain(logs, follower)).texts, [again.trimEnd()]);
  }
});

Deno.test("Follower.next() tells a log that was begun anew behind the same banner", async () => {
  const banner = "=".repeat(300);
  for (const more of ["", `${T} third\n`]) {
    const logs = new MemoryLogs();
    logs.append(`${banner}\n${T} first\n`);
    await using follower = logs.follow();
    const { position } = await drain(logs, follower);
    logs.empty();
    logs.append(`${banner}\n${T} again\n${more}`);
    const texts = (await drain(logs, follower)).texts;
    assert.deepEqual(texts, [banner, `${T} again`, ...more === "" ? [] : [more.trimEnd()]]);
    await using later = logs.follow(positionFromJson(positionToJson(position!)));
    assert.deepEqual((await drain(logs, later)).texts, texts);
  }
});

Deno.test("positionFromJson() takes what an earlier version has kept", () => {
  const head = { bytes: 3, sha256: "00" };
  const kept = { file: "1:2", head, offset: 3, context: ["", "cycle 3"] };
  const nothing = { bytes: 0, sha256: "" };
  assert.deepEqual(positionFromJson(kept), { ...kept, tail: nothing, context: [{ rule: 1, line: "cycle 3" }] });
  assert.equal(positionFromJson({ ...kept, head: 3 }), undefined);
});

Deno.test("Follower.next() waits for a slow writer into the renamed file, but not for those of earlier rotations", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} a\n`);
  await using follower = logs.follow();
  await drain(logs, follower);
  logs.rename("/log/Fusion.1.log");
  logs.append(`${T} new\n`);
  const texts: string[] = [];
  for (let second = 0; second < 40; second++) {
    texts.push(...(await follower.next())?.records.map(({ text }) => text) ?? []);
    if (second % 8 === 0 && second <= 16) logs.append(`${T} late ${second}\n`, "/log/Fusion.1.log");
    logs.time += 1000;
  }
  assert.deepEqual(texts, [`${T} late 0`, `${T} late 8`, `${T} late 16`, `${T} new`]);
});

Deno.test("Follower.next() gives a last line that nothing ends once it has rested for long", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} a\n${T} last`);
  await using follower = logs.follow();
  assert.deepEqual((await drain(logs, follower)).texts, [`${T} a`]);
  logs.time += 30_000;
  const last = await follower.next();
  assert.deepEqual(last?.records.map(({ text }) => text), [`${T} last`]);
  assert.equal(last?.to, logs.files.get(PATH)?.bytes.length);
});

Deno.test("S13 Follower.next() is not held up by a clock that was set back", async () => {
  const logs = new MemoryLogs();
  logs.time = 10 * 3_600_000;
  logs.append(`${T} a\n`);
  await using follower = logs.follow();
  await drain(logs, follower);
  logs.append(`${T} the last before silence\n`);
  assert.equal(await follower.next(), undefined);
  logs.time -= 3_600_000;
  assert.deepEqual((await drain(logs, follower)).texts, [`${T} the last before silence`]);
});

Deno.test("Follower.next() takes so many records at most, and says that there are more", async () => {
  const logs = new MemoryLogs();
  logs.append(Array.from({ length: 25 }, (_, n) => `${T} e${n}\n`).join(""));
  await using follower = logs.follow(undefined, { chunkBytes: 4096 });
  await follower.next();
  const taken: [number, boolean][] = [];
  logs.time += 1000;
  for (let chunk; (chunk = await follower.next({ most: 10 })) !== undefined;) {
    taken.push([chunk.records.length, chunk.more]);
    logs.time += 2000;
  }
  assert.deepEqual(taken, [[10, true], [10, true], [5, false]]);
});

Deno.test("Follower.next() finishes a renamed file, its last line included, then takes up the new one", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} a\n`);
  await using follower = logs.follow();
  await drain(logs, follower);
  logs.rename("/log/Fusion.1.log");
  logs.append(`${T} b\n`, "/log/Fusion.1.log");
  assert.deepEqual((await drain(logs, follower)).texts, [`${T} b`]);
  assert.match(logs.told.at(-1) ?? "", /is not there: waiting/);
  logs.append(`${T} c`, "/log/Fusion.1.log");
  logs.append(`${T} d\n`);
  assert.deepEqual((await drain(logs, follower)).texts, [`${T} c`, `${T} d`]);
  assert.equal(logs.told.filter((line) => /is not there/.test(line)).length, 1);
  assert.equal(logs.opened, 1);
});

Deno.test("Follower.next() reads every file of several rotations while nobody looked, oldest first", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} a\n`);
  let position: Position | undefined;
  {
    await using follower = logs.follow();
    ({ position } = await drain(logs, follower));
  }
  logs.append(`${T} b\n`);
  for (const [number, letter] of ["c", "d", "e"].entries()) {
    logs.rename(`/log/Fusion.${number}.log`);
    logs.append(`${T} ${letter}\n`);
  }
  await using later = logs.follow(positionFromJson(positionToJson(position!)));
  assert.deepEqual((await drain(logs, later)).texts, ["b", "c", "d", "e"].map((letter) => `${T} ${letter}`));
  assert.equal(logs.opened, 1);
});

Deno.test("Follower.next() takes up a file that was renamed while nobody looked", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} a\n`);
  let position: Position | undefined;
  {
    await using follower = logs.follow();
    ({ position } = await drain(logs, follower));
  }
  logs.append(`${T} b\n`);
  logs.rename("/log/Fusion.1.log");
  logs.append(`${T} c\n`);
  await using later = logs.follow(positionFromJson(positionToJson(position!)));
  assert.deepEqual((await drain(logs, later)).texts, [`${T} b`, `${T} c`]);
  logs.remove("/log/Fusion.1.log");
  await using last = logs.follow(position);
  assert.deepEqual((await drain(logs, last)).texts, [`${T} c`]);
  assert.match(logs.told.at(-1) ?? "", /is another file than before, which is gone/);
});

Deno.test("Follower.next() reads UTF-16 with its mark, cut anywhere", async () => {
  for (const swap of [false, true]) {
    const logs = new MemoryLogs();
    const bytes = Buffer.from(`\ufeff${T} Düse 測定\r\n${T} b\r\n`, "utf16le");
    if (swap) bytes.swap16();
    await using follower = logs.follow();
    const texts: string[] = [];
    for (const byte of bytes) {
      logs.append(Uint8Array.of(byte));
      const chunk = await follower.next();
      texts.push(...chunk?.records.map(({ text }) => text) ?? []);
    }
    texts.push(...(await drain(logs, follower)).texts);
    assert.deepEqual(texts, [`${T} Düse 測定`, `${T} b`]);
  }
});

Deno.test("Follower.next() cuts a record that is too long, and says so", async () => {
  const logs = new MemoryLogs();
  logs.append(`${T} long\n${"x".repeat(99)}\n${"y".repeat(300)}\n`);
  await using follower = logs.follow(undefined, { recordBytes: 128 });
  const { texts } = await drain(logs, follower);
  assert.equal(texts.join("\n").replaceAll("\n", "").length, T.length + " long".length + 99 + 300);
  assert.equal(logs.told.filter((line) => /a record of over 128 bytes/.test(line)).length, 1);
});

const ACTION = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("append", "look", "crash") },
  { weight: 1, arbitrary: fc.constantFrom("rename", "empty") },
);

Deno.test("Follower.next() loses no record, whatever is acknowledged when it crashes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ACTION, { maxLength: 40 }), fc.infiniteStream(fc.boolean()), async (actions, acks) => {
      const logs = new MemoryLogs();
      logs.append(`${T} line 0\n`);
      let kept: Position | undefined;
      let follower = logs.follow(kept);
      const seen = new Set<string>();
      let lines = 1;
      let rotations = 0;
      const look = async () => {
        const { texts, position } = await drain(logs, follower);
        for (const text of texts) seen.add(text);
        if (position !== undefined && acks.next().value) kept = position;
      };
      for (const action of actions) {
        if (action === "append") logs.append(`${T} line ${lines++}\n`);
        if (action === "look") await look();
        if (action === "crash") {
          await follower[Symbol.asyncDispose]();
          follower = logs.follow(kept);
        }
        // Of an emptied file, what was not read is gone; of two rotations at once, so is the file between.
        if (action === "rename" || action === "empty") {
          const { texts, position } = await drain(logs, follower);
          for (const text of texts) seen.add(text);
          kept = position ?? kept;
          if (action === "empty") logs.empty();
          else logs.rename(`/log/old.${rotations++}`);
          logs.append(`${T} line ${lines++}\n`);
        }
      }
      await drain(logs, follower).then(({ texts }) => texts.forEach((text) => seen.add(text)));
      await follower[Symbol.asyncDispose]();
      assert.deepEqual([...seen].sort(), Array.from({ length: lines }, (_, n) => `${T} line ${n}`).sort());
    }),
    { numRuns: 60 },
  );
});
