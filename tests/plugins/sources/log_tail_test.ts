import assert from "node:assert/strict";
import fc from "fast-check";
import { PipelineError } from "../../../core/errors.ts";
import type { EngineServices } from "../../../core/run/services.ts";
import { append, LOG, logWorld, MONITOR, monitor, raised, wait } from "../../kit/log_world.ts";

const T = "2026-01-02 03:04:05";
const error = (what: string) => `${T} ERROR ${what}\n  at there\n`;

Deno.test("monitor raises each error once, with its sample and cycle, over restarts and rotations", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: `${error("before anybody looked")}${T} INFO Sample: A1\n` });
  const first = await monitor(world, [
    () => append(world, `${T} INFO cycle 4\n${error("one")}`),
    ...wait(3),
  ]);
  assert.equal(first.report.exit_code, 0, JSON.stringify(first.report.error));
  await append(world, error("two"));
  await world.fs.rename(LOG, `${LOG}.1`);
  await append(world, `${T} INFO cycle 5\n${error("three")}${error("one")}`);
  const second = await monitor(world, wait(15));
  assert.equal(second.report.exit_code, 0, JSON.stringify(second.report.error));
  const events = await raised(world);
  assert.deepEqual(events.map(({ message, sample, cycle }) => [message, sample, cycle]), [
    ["ERROR one", "A1", "4"],
    ["ERROR two", "A1", "4"],
    ["ERROR three", "A1", "5"],
  ]);
  assert.equal(events[0].text, error("one").trimEnd());
  assert.deepEqual([events[0].at, events[0].log, events[0].host], [T, LOG, "instrument-1"]);
});

Deno.test("monitor takes a backlog in few items, and what stands before a rotation by itself", async () => {
  await using world = await logWorld();
  const backlog = Array.from({ length: 150 }, (_, n) => `${T} INFO ${"x".repeat(300)}\n${error(`e${n}.`)}`);
  world.fs.seed({ [LOG]: "" });
  await monitor(world, wait(1));
  await append(world, backlog.join(""));
  await world.fs.rename(LOG, `${LOG}.1`);
  await append(world, error("new"));
  const pipeline = MONITOR.replace("with = { path", 'with = { chunk = "1 KiB", path');
  const { items } = await monitor(world, wait(15), { pipeline });
  assert.deepEqual((await raised(world)).map(({ message }) => message), [
    ...backlog.map((_, n) => `ERROR e${n}.`),
    "ERROR new",
  ]);
  const done = items.filter(({ outcome }) => outcome === "done");
  assert.ok(done.length <= 5, JSON.stringify(items.map(({ name, outcome }) => [name, outcome])));
});

Deno.test("monitor cuts a burst of errors into items of a thousand at most, and raises each", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  const burst = Array.from({ length: 2500 }, (_, n) => `${T} ERROR e${n}.\n`);
  const { items } = await monitor(world, [() => append(world, burst.join("")), ...wait(3)]);
  assert.deepEqual((await raised(world)).map(({ message }) => message), burst.map((_, n) => `ERROR e${n}.`));
  assert.deepEqual(items.map(({ stages }) => stages.at(-1)?.applied), [0, 1000, 1000, 499, 1]);
});

Deno.test("monitor names the nearest sample and cycle, though a line of one names the other as well", async () => {
  for (
    const [lines, ...wanted] of [
      [["Sample: OLD, Cycle 7", "Sample: NEW loaded"], "NEW", "7"],
      [["Cycle 7", "Sample: NEW cycle 8", "Sample: NEWER"], "NEWER", "8"],
      [["Sample: A cycle 1", "cycle 2 of sample: B"], "B", "2"],
    ] as const
  ) {
    await using world = await logWorld();
    world.fs.seed({ [LOG]: "" });
    const text = lines.map((line) => `${T} INFO ${line}\n`).join("") + error("pump");
    await monitor(world, [() => append(world, text), ...wait(3)]);
    assert.deepEqual((await raised(world)).map(({ sample, cycle }) => [sample, cycle]), [wanted]);
  }
});

Deno.test("S13 monitor notes how far it has read without a find, though the clock was set back", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  const back = () => {
    world.clock.time -= 3_600_000;
    return append(world, `${T} INFO fine\n`);
  };
  const { items } = await monitor(world, [back, ...wait(70)]);
  assert.deepEqual(items.map(({ name, outcome }) => [name, outcome]), [
    ["Fusion.log from byte 0", "dropped"],
    ["Fusion.log bytes 0-30", "dropped"],
  ]);
});

Deno.test("monitor waits for a log that is not there, says so once, and reads it from its beginning", async () => {
  await using world = await logWorld();
  const { items } = await monitor(world, [...wait(5), () => append(world, error("one")), ...wait(3)]);
  assert.deepEqual((await raised(world)).map(({ message }) => message), ["ERROR one"]);
  assert.deepEqual(items.map(({ outcome }) => outcome), ["dropped", "done"]);
  assert.equal(world.log.lines.filter(({ message }) => /is not there: waiting/.test(message)).length, 1);
});

Deno.test("monitor remembers that it looked: what comes while it is down is not taken for old", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: error("old") });
  await monitor(world, wait(1));
  await append(world, error("new"));
  await monitor(world, wait(3));
  assert.deepEqual((await raised(world)).map(({ message }) => message), ["ERROR new"]);
});

Deno.test("monitor tries again what failed, and goes on behind it only then", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  let refusals = 2;
  const wrap = (services: EngineServices): EngineServices => {
    const { journal } = services;
    const refuse = () => Promise.reject(new PipelineError("journal/busy", "Cannot write: it is busy"));
    const outbox = new Proxy(journal.outbox, {
      get: (of, key) => key === "enqueueMany" && refusals-- > 0 ? refuse : bound(of, key),
    });
    // The journal's stores are fields and accessors of a class.
    return {
      ...services,
      journal: new Proxy(journal, { get: (of, key) => key === "outbox" ? outbox : bound(of, key) }),
    };
  };
  const steps = [() => append(world, error("one")), ...wait(4), () => append(world, error("two")), ...wait(5)];
  const { items } = await monitor(world, steps, { wrap });
  assert.deepEqual((await raised(world)).map(({ message }) => message), ["ERROR one", "ERROR two"]);
  assert.deepEqual(items.map(({ outcome }) => outcome), ["dropped", "failed", "failed", "done", "done"]);
});

function bound(of: object, key: string | symbol): unknown {
  const value = Reflect.get(of, key, of);
  return typeof value === "function" ? value.bind(of) : value;
}

Deno.test("S17 a dry run of monitor ends where the log ends, and keeps nothing", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: error("one") });
  const pipeline = MONITOR.replace("with = { path", 'with = { start = "beginning", path');
  const { report, items } = await monitor(world, [], { dryRun: true, pipeline });
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual(items.map(({ outcome }) => outcome), ["dropped", "done"]);
  assert.deepEqual(await raised(world), []);
  assert.equal(await world.journal.cursors.get(`monitor:log-tail:${LOG}`), undefined);
});

Deno.test("S19 a log that cannot be read is waited for, and a folder in its place is refused", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  const deny = (on: boolean) => () => {
    world.fs.fault = on
      ? (call) => {
        if (call.operation === "stat" && call.path === LOG) throw Object.assign(new Error("EIO"), { code: "EIO" });
      }
      : undefined;
  };
  await monitor(world, [() => append(world, error("one")), deny(true), ...wait(3), deny(false), ...wait(4)]);
  assert.deepEqual((await raised(world)).map(({ message }) => message), ["ERROR one"]);
  assert.equal(world.log.lines.filter(({ level }) => level === "warn").length, 1);
  await using other = await logWorld();
  other.fs.seed({ [`${LOG}/`]: "" });
  const { report } = await monitor(other, wait(1));
  assert.deepEqual([report.exit_code, report.error?.code], [2, "io/not-a-file"]);
});

Deno.test("S19 a folder that takes the place of a log while it is followed is waited for, and told once", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  const replace = async () => {
    await world.fs.rename(LOG, `${LOG}.1`);
    await world.fs.mkdir(LOG);
  };
  const back = async () => {
    await world.fs.removeEmptyDir(LOG);
    world.fs.seed({ [LOG]: error("two") });
  };
  const steps = [() => append(world, error("one")), ...wait(3), replace, ...wait(40), back, ...wait(40)];
  const { report } = await monitor(world, steps);
  assert.equal(report.exit_code, 0, JSON.stringify(report.error));
  assert.deepEqual((await raised(world)).map(({ message }) => message), ["ERROR one", "ERROR two"]);
  const warned = world.log.lines.filter(({ level, message }) => level === "warn" && /it is a folder/.test(message));
  assert.equal(warned.length, 1, JSON.stringify(world.log.lines));
});

Deno.test("of two monitors the second ends with 2, and the log is free a minute after one that died unseen", async () => {
  await using world = await logWorld();
  world.fs.seed({ [LOG]: "" });
  await world.journal.claims.claim(`monitor:log-tail:${LOG}`, "another", { now: world.clock.now(), ms: 60_000 });
  const { report } = await monitor(world, [() => append(world, error("one")), ...wait(3)]);
  assert.deepEqual([report.exit_code, report.error?.code], [2, "log-tail/followed"]);
  assert.deepEqual(await raised(world), []);
  world.clock.time += 61_000;
  const later = await monitor(world, [...wait(2), () => append(world, error("two")), ...wait(3)]);
  assert.equal(later.report.exit_code, 0, JSON.stringify(later.report.error));
  assert.ok((await raised(world)).some(({ message }) => message === "ERROR two"));
});

Deno.test("a claim of a process that is gone, or whose number another one bears, is free at once", async () => {
  for (const life of [{ alive: false }, { alive: true, startedAtMs: Date.parse("2090-01-01") }]) {
    await using world = await logWorld();
    world.fs.seed({ [LOG]: "" });
    const since = new Date(world.clock.now()).toISOString();
    const holder = JSON.stringify({ host: "instrument-1", pid: 4242, since, run: "01J" });
    await world.journal.claims.claim(`monitor:log-tail:${LOG}`, holder, { now: world.clock.now(), ms: 60_000 });
    const { report } = await monitor(world, [...wait(2), () => append(world, error("one")), ...wait(3)], {
      wrap: (services) => ({ ...services, processes: { isAlive: () => Promise.resolve(life) } }),
    });
    assert.equal(report.exit_code, 0, JSON.stringify(report.error));
    assert.deepEqual((await raised(world)).map(({ message }) => message), ["ERROR one"]);
  }
});

Deno.test("an unexpected error ends an endless run with 1", async () => {
  await using world = await logWorld();
  const { report } = await monitor(world, [() => {
    throw new TypeError("a fault of ours");
  }]);
  assert.deepEqual([report.exit_code, report.error?.code], [1, "internal/unexpected"]);
});

Deno.test("S3 monitor raises every error exactly once, wherever it dies between the journal's writes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }), async (deaths) => {
      await using world = await logWorld();
      world.fs.seed({ [LOG]: "" });
      await monitor(world, wait(1));
      const wanted: string[] = [];
      for (const [run, death] of deaths.entries()) {
        await append(world, error(`a${run}`) + error(`b${run}`));
        wanted.push(`ERROR a${run}`, `ERROR b${run}`);
        let writes = death;
        await monitor(world, wait(3), {
          wrap: (services) => ({ ...services, journal: dying(services, () => writes-- <= 0) }),
        });
        world.clock.time += 61_000;
      }
      await monitor(world, wait(4));
      assert.deepEqual((await raised(world)).map(({ message }) => message), wanted);
    }),
    { numRuns: 25 },
  );
});

/** A journal in front of which the process dies: nothing is written any more. */
function dying({ journal }: EngineServices, isDead: () => boolean): EngineServices["journal"] {
  const writes = new Set([
    "enqueue",
    "enqueueMany",
    "mark",
    "markMany",
    "set",
    "remove",
    "finish",
    "release",
    "finishRun",
  ]);
  let dead = false;
  const guard = (of: object): object =>
    new Proxy(of, {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        if (typeof value === "object" && value !== null) return guard(value);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          if (writes.has(String(key)) && (dead ||= isDead())) {
            return Promise.reject(
              new PipelineError("journal/dead", "Cannot write: the machine is off", { stopsRun: 1 }),
            );
          }
          return value.apply(target, args);
        };
      },
    });
  return guard(journal) as EngineServices["journal"];
}
