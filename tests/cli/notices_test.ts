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
  };
  let lines: Trouble[] = [];
  const trouble = { take: () => lines.splice(0) };
  const context = { locations: { configFile } } as unknown as CommandContext;
  const notices: Notices = openNotices(context, { trouble, drain });
  return {
    notices,
    begun,
    next: () => onBegin.promise,
    warn: (message: string) => lines = [{ at: 0, level: "warn", message, count: 1 }],
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
    if (told.length > 1) return Promise.resolve();
    warn("disk");
    warn("meanwhile");
    return Promise.reject(new Error("the journal is busy"));
  };
  const context = { locations: { configFile }, log: { warn() {} } } as unknown as CommandContext;
  const notices = openNotices(context, { trouble, drain });
  warn("disk");
  for (let i = 0; i < 3; i++) await notices.flush();
  assert.deepEqual(told, [[["disk", 1]], [["disk", 2], ["meanwhile", 1]], []]);
});
