import assert from "node:assert/strict";
import type { AnyStage } from "../../../core/contract.ts";
import type { WriteContext } from "../../../core/ports.ts";
import { PipelineError } from "../../../core/errors.ts";
import type { EvidenceStore } from "../../../core/journal/journal.ts";
import { Lease, type LeaseTime } from "../../../core/run/lease.ts";
import { LeftBehind } from "../../../core/run/left_behind.ts";
import { memoryLog } from "../../../testing/doubles.ts";
import { BACKUP, SOURCE_ROOT, World } from "../../../testing/world.ts";
import { ownStage } from "../../kit/own_stage.ts";

const never = () => new Promise<never>(() => {});

function lease(more: Partial<LeaseTime> = {}): Lease {
  return new Lease("own", { abort: new AbortController().signal, leaveMs: 0, log: memoryLog(), ...more });
}

Deno.test("Lease lends until it ends, and ends when what is under way has", async () => {
  const log = memoryLog();
  using own = lease({ log });
  const { promise, resolve } = Promise.withResolvers<void>();
  const told: string[] = [];
  const act = own.step().lend("write()", async (name: string) => {
    await promise;
    told.push(name);
  });
  const forgotten = act("forgotten");
  const ended = own.end().then(() => told.push("ended"));
  const message = 'Cannot do write() for stage "own": the stage has ended for this item, wanted within its apply';
  for (let turn = 0; turn < 2; turn++) await assert.rejects(act("late"), { code: "plugins/stage-over", message });
  resolve();
  await Promise.all([forgotten, ended]);
  assert.deepEqual(told, ["forgotten", "ended"]);
  assert.deepEqual(log.lines.map((line) => line.message), [message], "once, also where nobody hears the error");
});

Deno.test("Lease.end() leaves behind an act that does not end when it is told to", async () => {
  const left = new LeftBehind();
  using own = lease({ abort: AbortSignal.abort(new Error("stop now")), left });
  void own.step().lend("write()", never)();
  await assert.rejects(own.end(), /stop now/);
  assert.equal(own.isLeft, true);
  let isReleased = false;
  await left.release({ release: () => Promise.resolve(void (isReleased = true)) });
  assert.equal(isReleased, false, "the lock is kept");
});

Deno.test("Lease.end() breaks off the acts of a stage that failed, and these change no evidence any more", async () => {
  using own = lease();
  const acts = own.step();
  const puts: string[] = [];
  const put = (incarnation: string) => Promise.resolve(void puts.push(incarnation));
  const evidence = acts.evidence({ put, remove: put } as unknown as EvidenceStore);
  const hangs = Promise.withResolvers<void>();
  let reason: unknown;
  const acting = acts.lend("prove()", async () => {
    await evidence.put("before", []);
    await hangs.promise;
    reason = acts.signal.reason;
    await evidence.put("after", []);
  })();
  await assert.rejects(own.end({ failed: true }), /the stage has failed/);
  hangs.resolve();
  await assert.rejects(acting, /was left behind/);
  assert.match(String(reason), /the stage has failed/);
  await assert.rejects(evidence.remove("after"), /was left behind/);
  assert.deepEqual(puts, ["before"]);
});

Deno.test("Lease.ended() has one deadline for a step that hangs and for its acts", async () => {
  const abort = new AbortController();
  using own = lease({ abort: abort.signal, leaveMs: 5 });
  void own.step().lend("exec()", never)();
  abort.abort(new Error("stop now"));
  await assert.rejects(own.ended(never()), /stop now/);
  let turns = 0;
  const counting = (async () => {
    for (; turns < 1000; turns++) await Promise.resolve();
  })();
  await assert.rejects(own.end({ failed: true }), /stop now/);
  assert.ok(turns < 1000, "no second timer was waited for");
  await counting;
});

Deno.test("Acts.settled() throws what an act threw that nobody heard of, and that is no unhandled rejection", async () => {
  using own = lease();
  const acts = own.step();
  const full = acts.lend("write()", () => Promise.reject(new Error("disk full")));
  void full();
  await assert.rejects(acts.settled(), /disk full/);
  const heard = [full().catch(() => "caught"), Promise.allSettled([full()]), (async () => await full())()];
  await Promise.allSettled(heard);
  await acts.settled();
  void full();
  await assert.rejects(own.end(), /disk full/);
  void full(); // refused
  await Deno.lstat("."); // an unhandled rejection fails the test at the next turn
});

const own = (more: Partial<AnyStage>, apply: (ctx: WriteContext) => Promise<void>) => ownStage(apply, more);

Deno.test("what a stage keeps of its context acts no more once the stage has ended", async () => {
  let kept: WriteContext | undefined;
  let place: ReturnType<WriteContext["place"]> | undefined;
  await using world = await World.open({
    plugins: [own({}, (ctx) => {
      kept = ctx;
      place = ctx.place("truenas");
      return Promise.resolve();
    })],
  });
  world.study("study1", { "a.txt": "alpha" });
  const refused: unknown[] = [];
  await world.run({
    pipeline: BACKUP.replace("[[stage]]", '[[stage]]\nuse = "own"\n[[stage]]'),
    progress: {
      stageStarted: (_item, id) => {
        if (id !== "verify" || !kept || !place) return;
        const rules = { place: "source", places: 2, recheck: "identity" as const };
        const acts = [kept.lock(), kept.record("complete"), kept.exec({ argv: ["x"] } as never), kept.checkpoint(1)];
        acts.push(kept.finishDestroy(rules), place.seal(), place.write([]), kept.place("truenas").prove([]) as never);
        for (const act of acts) act.catch((error) => refused.push(error.code));
      },
    },
  });
  assert.deepEqual(refused, new Array(8).fill("plugins/stage-over"));
});

/** A member as it can be called by itself. */
function bound(of: object, key: PropertyKey): unknown {
  const value = Reflect.get(of, key);
  return typeof value === "function" ? value.bind(of) : value;
}

/** The same, but for some functions something is waited for first. */
function proxied<T extends object>(of: T, first: { [key: string]: (...given: string[]) => Promise<void> }): T {
  return new Proxy(of, {
    get(target, key) {
      const wait = first[String(key)];
      const value = bound(target, key);
      if (wait === undefined || typeof value !== "function") return value;
      return async (...given: string[]) => {
        await wait(...given);
        return await value(...given);
      };
    },
  });
}

const OWN_FIRST = BACKUP.replace("[[stage]]", '[[stage]]\nuse = "own"\n[[stage]]');

Deno.test("an act that nobody waited for and that fails is its stage's failure, and the next study is done", async () => {
  await using world = await World.open({
    plugins: [own({}, (ctx) => {
      if (ctx.item.name === "study1") void ctx.exec({ argv: ["x"] } as never);
      return Promise.resolve();
    })],
  });
  for (const name of ["study1", "study2"]) world.study(name, { "a.txt": "alpha" });
  world.onExec = () => Deno.lstat(".").then(() => Promise.reject(new PipelineError("hook/failed", "Cannot run x")));
  const report = await world.run({ pipeline: OWN_FIRST });
  assert.equal(report.exit_code, 1);
  assert.deepEqual(report.items.map(({ outcome, error }) => [outcome, error?.code, error?.stage]), [
    ["failed", "hook/failed", "own"],
    ["done", undefined, undefined],
  ]);
});

Deno.test("a step is tried again only when what its last attempt began has ended", async () => {
  const events: string[] = [];
  const slow = Promise.withResolvers<void>();
  await using world = await World.open({
    plugins: [own({}, async (ctx) => {
      events.push("attempt");
      if (events.length > 1) return;
      void ctx.exec({ argv: ["x"] } as never).then(() => events.push("act ended"));
      await Promise.resolve();
      throw new PipelineError("io/busy", "Cannot read x", { retry: "transient" });
    })],
  });
  world.study("study1", { "a.txt": "alpha" });
  world.onExec = () => slow.promise;
  const retried = OWN_FIRST.replace('use = "own"', 'use = "own"\nretry = { attempts = 2, first = "1ms" }');
  const run = world.run({
    pipeline: retried,
    wrap: (services) => ({
      ...services,
      clock: { now: () => services.clock.now(), sleep: () => Promise.resolve(void events.push("pause")) },
    }),
  });
  while (events.length < 1) await Deno.lstat(".");
  for (let turn = 0; turn < 20; turn++) await Deno.lstat(".");
  slow.resolve();
  assert.equal((await run).exit_code, 0);
  assert.deepEqual(events, ["attempt", "act ended", "pause", "attempt"]);
});

Deno.test("a destroy that nobody waited for removes nothing once its stage has failed", async () => {
  const hangs = Promise.withResolvers<void>(), looked = Promise.withResolvers<void>(), ended = Promise.withResolvers();
  const wipe = own(
    {
      name: "wipe",
      effect: "destroy",
      facts: () => ({ kills: [{ fact: "hashed" }], destroys: { place: "source", places: 2 } }),
    },
    async (ctx) => {
      const rules = { place: "source", places: 2, recheck: "identity" as const };
      for await (const batch of ctx.destroyBatches("source")) ctx.destroy(batch, rules).catch(ended.resolve);
      await looked.promise;
      throw new Error("my bug");
    },
  );
  await using world = await World.open({
    external: [{ plugin: wipe, origin: { file: "/own.ts", sha256: "0", pinned: true, touches: [] } }],
  });
  world.study("study1", { "a.txt": "alpha", "b.txt": "beta" });
  const there = world.files(SOURCE_ROOT);
  const lastLook = async (path: string) => {
    if (path !== `${SOURCE_ROOT}/study1/a.txt` || !/#unlink/.test(new Error().stack ?? "")) return;
    looked.resolve();
    await hangs.promise;
  };
  const report = await world.run({
    pipeline: BACKUP.replace(/use\s*= "delete"[^[]*/, 'use = "wipe"\n'),
    deadlines: { leaveMs: 0 },
    wrap: (services) => ({ ...services, fs: proxied(services.fs, { lstat: lastLook }) }),
  });
  assert.deepEqual(report.items.map(({ outcome }) => outcome), ["failed"]);
  hangs.resolve();
  assert.match(String(await ended.promise), /the stage has failed/);
  const { [`study1/.labferry.lock`]: _lock, ...left } = world.files(SOURCE_ROOT);
  assert.deepEqual(left, there);
});

Deno.test("a record that nobody waited for is not appended once its stage has failed", async () => {
  const hangs = Promise.withResolvers<void>(), asked = Promise.withResolvers<void>(), ended = Promise.withResolvers();
  await using world = await World.open({
    plugins: [own({}, async (ctx) => {
      ctx.record("in_progress").then(ended.resolve, ended.resolve);
      await asked.promise;
      throw new Error("my bug");
    })],
  });
  world.study("study1", { "a.txt": "alpha" });
  let isFirst = true;
  const totals = async () => {
    if (!isFirst) return;
    isFirst = false;
    asked.resolve();
    await hangs.promise;
  };
  await world.run({
    pipeline: OWN_FIRST,
    deadlines: { leaveMs: 0 },
    wrap: (services) => {
      const evidence = proxied(services.journal.evidence, { totals });
      const journal = new Proxy(services.journal, {
        get: (inner, key) => key === "evidence" ? evidence : bound(inner, key),
      });
      return { ...services, journal };
    },
  });
  const recorded = (await world.ledger()).get("study1")?.status;
  hangs.resolve();
  assert.match(String(await ended.promise), /the stage has failed/);
  assert.equal((await world.ledger()).get("study1")?.status, recorded);
});
