import assert from "node:assert/strict";
import { join } from "@std/path";
import type { CommandContext } from "../../cli/command.ts";
import type { LogLine } from "../../cli/log.ts";
import { collectTrouble, type Drain, type Notices, openNotices, type Trouble } from "../../cli/notices.ts";
import { tempDir } from "../kit/temp.ts";

interface Delivery {
  trouble: readonly Trouble[];
  signal: AbortSignal;
  end(): void;
}

function contextOf(configFile: string, every: CommandContext["terminal"]["every"] = () => ({ [Symbol.dispose]() {} })) {
  return { locations: { configFile }, log: { warn() {} }, terminal: { every } } as unknown as CommandContext;
}

/** Notices whose deliveries hang until they are ended or hurried. */
async function hanging() {
  const dir = await tempDir();
  const configFile = join(dir.path, "config.toml");
  await Deno.writeTextFile(configFile, "[notify]\nenabled = true\n");
  const begun: Delivery[] = [];
  let onBegin = Promise.withResolvers<void>();
  const drain: Drain = async (_context, { trouble, signal }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve());
    begun.push({ trouble, signal, end: resolve });
    onBegin.resolve();
    onBegin = Promise.withResolvers();
    if (!signal.aborted) await promise;
    return [];
  };
  let lines: Trouble[] = [];
  const trouble = { take: () => lines.splice(0) };
  const notices: Notices = openNotices(contextOf(configFile), { trouble, drain });
  return {
    notices,
    begun,
    next: () => onBegin.promise,
    warn: (message: string) => lines = [{ id: message, at: 0, level: "warn", message, count: 1 }],
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

Deno.test("Notices.flush() lets one delivery wait at most while another hangs", async () => {
  await using world = await hanging();
  const { notices, begun } = world;
  const began = world.next();
  const first = notices.flush();
  await began;
  const others = Array.from({ length: 50 }, () => notices.flush());
  const second = world.next();
  begun[0].end();
  await first;
  await second;
  begun[1].end();
  await Promise.all(others);
  assert.equal(begun.length, 2);
});

Deno.test("Notices.hurry() ends a delivery that hangs, and begins none but for what was logged meanwhile", async () => {
  for (const logged of [false, true]) {
    await using world = await hanging();
    const { notices, begun } = world;
    const began = world.next();
    const all = [notices.flush()];
    await began;
    all.push(notices.flush());
    if (logged) world.warn("the mail server hangs");
    notices.hurry(0);
    await Promise.all(all);
    await notices.flush();
    assert.deepEqual(begun.map(({ trouble }) => trouble.map(({ message }) => message)), [
      [],
      ...logged ? [["the mail server hangs"]] : [],
    ]);
  }
});

Deno.test("Notices.flush() keeps what was to be told for the next delivery when one throws", async () => {
  await using dir = await tempDir();
  const configFile = join(dir.path, "config.toml");
  await Deno.writeTextFile(configFile, "[notify]\nenabled = true\n");
  let log: (line: LogLine) => void = () => {};
  const trouble = collectTrouble({ onTrouble: (listener) => void (log = listener) });
  const warn = (message: string) => log({ at: 0, level: "warn", message, data: {} });
  const told: (readonly [string, number])[][] = [];
  const drain: Drain = (_context, { trouble }) => {
    told.push(trouble.map(({ message, count }) => [message, count] as const));
    if (told.length > 1) return Promise.resolve([]);
    warn("disk");
    warn("meanwhile");
    return Promise.reject(new Error("the journal is busy"));
  };
  const notices = openNotices(contextOf(configFile), { trouble, drain });
  warn("disk");
  for (let i = 0; i < 3; i++) await notices.flush();
  assert.deepEqual(told, [[["disk", 1]], [["disk", 2], ["meanwhile", 1]], []]);
});

const ON = "[notify]\nenabled = true\n";

/** Notices over a config that is written, or removed, by the test. */
async function watched({ drains = [], keeps = [] }: { drains?: boolean[]; keeps?: boolean[] } = {}) {
  const dir = await tempDir();
  const configFile = join(dir.path, "config.toml");
  let log: (line: LogLine) => void = () => {};
  const trouble = collectTrouble({ onTrouble: (listener) => void (log = listener) });
  const told: string[][] = [];
  const kept: string[][] = [];
  const words = (lines: readonly Trouble[]) => lines.map(({ message, count }) => `${message} ${count}`);
  let timer: (() => void) | undefined;
  const every = (_ms: number, tick: () => void) => {
    assert.equal(timer, undefined, "one timer at a time");
    timer = tick;
    return { [Symbol.dispose]: () => timer = undefined };
  };
  let onKept = () => {};
  const notices = openNotices(contextOf(configFile, every), {
    trouble,
    drain: (_context, { trouble }) => {
      told.push(words(trouble));
      return Promise.resolve(drains.shift() ?? true ? [] : trouble);
    },
    keep: (_context, { trouble }) => {
      kept.push(words(trouble));
      onKept();
      return Promise.resolve(keeps.shift() ?? true);
    },
  });
  return {
    notices,
    told,
    kept,
    configFile,
    isTiming: () => timer !== undefined,
    async tick() {
      const { promise, resolve } = Promise.withResolvers<void>();
      onKept = resolve;
      timer?.();
      await promise;
      for (let turns = 0; turns < 10; turns++) await null; // until it has noted what is kept
    },
    config: (text: string) => Deno.writeTextFile(configFile, text),
    warn: (message: string) => log({ at: 0, level: "warn", message, data: {} }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

Deno.test("Notices.flush() keeps what was logged while the config cannot be read, and what a delivery gives back", async () => {
  for (const unreadable of ["absent", "a folder"]) {
    await using world = await watched({ drains: [false, false] });
    const { notices, told, configFile } = world;
    if (unreadable === "a folder") await Deno.mkdir(configFile);
    world.warn("disk");
    await notices.flush();
    if (unreadable === "a folder") await Deno.remove(configFile);
    await world.config(ON);
    for (let i = 0; i < 3; i++) await notices.flush();
    assert.deepEqual(told, [["disk 1"], ["disk 1"], ["disk 1"], []], unreadable);
  }
});

Deno.test("Notices.flush() forgets what was logged only when the config says twice that nobody is to be told", async () => {
  await using world = await watched();
  const { notices, told } = world;
  await world.config(""); // half saved
  world.warn("disk");
  await notices.flush();
  await world.config(ON);
  await notices.flush();
  await world.config("[notify]\nenabled = false\n");
  world.warn("pump");
  for (let i = 0; i < 2; i++) await notices.flush();
  await world.config(ON);
  await notices.flush();
  assert.deepEqual(told, [["disk 1"], []]);
});

Deno.test("what was logged is queued within a second, at one go and once; a delivery takes it from there", async () => {
  await using world = await watched({ keeps: [false, true] });
  const { notices, told, kept } = world;
  await world.config(ON);
  for (const message of ["disk", "pump", "disk"]) world.warn(message);
  await world.tick();
  await notices.flush();
  assert.deepEqual(told.splice(0), [["disk 2", "pump 1"]]);
  for (let i = 0; i < 2; i++) world.warn("disk");
  await world.tick();
  world.warn("disk");
  assert.ok(!world.isTiming(), "a repetition is no news");
  world.warn("pump");
  await world.tick();
  await notices.flush();
  assert.deepEqual(kept, [["disk 2", "pump 1"], ["disk 2"], ["pump 1"]]);
  assert.deepEqual(told, [["disk 3", "pump 1"]]);
});

Deno.test("Notices.hurry() queues at once what was logged, while a delivery hangs", async () => {
  await using world = await watched();
  await world.config(ON);
  world.warn("disk");
  const { notices, kept } = world;
  notices.hurry(60_000);
  await notices.flush();
  assert.deepEqual(kept, [["disk 1"]]);
  assert.ok(!world.isTiming());
});
