import assert from "node:assert/strict";
import { join } from "@std/path";
import type { CommandContext } from "../../cli/command.ts";
import { type Drain, type Notices, openNotices, type Trouble } from "../../cli/notices.ts";
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
