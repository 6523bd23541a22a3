import assert from "node:assert/strict";
import type { Item, Json } from "../../core/contract.ts";
import { event } from "../../testing/event_plugins.ts";
import { runOver } from "./_event_world.ts";

async function rendered(item: Item): Promise<{ subject: string; text: string; html: string }> {
  const { data, world } = await runOver([item], [`use = "render"`]);
  await using _ = world;
  const { subject, text, html } = data[0];
  return { subject: String(subject), text: String(text), html: String(html) };
}

const of = (name: string, details: { [key: string]: Json }): Item =>
  event(name, { event: name, at: "2026-03-01T04:00:00.000Z", details });

const FAILURE = of("backup_failure", {
  pipeline: "backup",
  code: "run/items-failed",
  message: "1 item failed: study <1>",
  exit_code: 1,
  host: "fusion-pc",
  run_id: "01J0RUN",
  started_at: "2026-03-01T02:00:00.000Z",
  items: [{
    name: "study <1>",
    stage: "truenas",
    code: "io/disk-full",
    message: 'Cannot copy "a&b": full',
    hint: "Free space.",
  }],
});

Deno.test("render says what happened, to what, since when, what to do, with exit code, host and run", async () => {
  const { subject, text } = await rendered(FAILURE);
  assert.equal(subject, "[labferry] backup_failure on fusion-pc: 1 item failed: study <1>");
  for (
    const part of [
      'The pipeline "backup" ended with exit code 1.',
      "To what: \n?",
      'study <1> (stage truenas): Cannot copy "a&b": full [io/disk-full]\n    Free space.',
      "Since: 2026-03-01T02:00:00.000Z\nNoticed at: 2026-03-01T04:00:00.000Z\n",
      "What to do now: Mend what is named above",
      "Exit code: 1",
      "Host: fusion-pc",
      "Run: 01J0RUN",
      "code: run/items-failed",
    ]
  ) {
    if (part.startsWith("To what")) assert.match(text, /^To what:\n/m);
    else assert.ok(text.includes(part), `${part}\n---\n${text}`);
  }
});

Deno.test("render says when something happened, not when it is told: that may be days later", async () => {
  const { text } = await rendered(of("toolkit_error", { message: "held" }));
  assert.match(text, /^Since: 2026-03-01T04:00:00\.000Z$/m);
  assert.doesNotMatch(text, /Told at|Noticed at/);
  assert.doesNotMatch((await rendered(FAILURE)).text, /Told at/);
});

Deno.test("render escapes everything in HTML and says the same there", async () => {
  const { html } = await rendered(FAILURE);
  assert.match(html, /study &lt;1&gt; \(stage truenas\): Cannot copy &quot;a&amp;b&quot;: full/);
  const evil = await rendered(of("toolkit_error", { message: `<script>alert("1")</script><img src=x onerror='y'>` }));
  assert.doesNotMatch(evil.html, /<script|<img|onerror='/);
  assert.match(evil.html, /&lt;script&gt;/);
});

Deno.test("render keeps subjects to one short line, and names a crash of the monitor as people know it", async () => {
  const long = await rendered(of("toolkit_error", { message: `first line ${"x".repeat(500)}\nsecond\r\nBcc: e@x.y` }));
  assert.ok([...long.subject].length <= 150);
  assert.doesNotMatch(long.subject, /second|[\r\n]/);
  const control = await rendered(of("toolkit_error", { message: "a\tb\u001b[31m" }));
  assert.equal(control.subject, "[labferry] toolkit_error on instrument-1: a b [31m");
  const crash = await rendered(of("monitor_crash", { message: "the log is gone", exit_code: 1 }));
  assert.equal(crash.subject, "[Fusion Monitor] CRASH");
  assert.match(crash.text, /Nobody watches the instrument now/);
});

Deno.test("render does not say that nobody watches where a second monitor was refused", async () => {
  const data = { message: "Cannot follow it", code: "log-tail/followed", hint: "Stop the other one.", exit_code: 2 };
  const { subject, text } = await rendered(of("monitor_crash", data));
  assert.equal(subject, "[labferry] monitor_crash on instrument-1: Cannot follow it");
  assert.match(text, /The first one goes on watching/);
  assert.doesNotMatch(text, /Nobody watches|Start it again/);
  assert.match(text, /What to do now: Stop the other one\.\n/);
});

Deno.test("render marks a test as one", async () => {
  const { subject, text } = await rendered(of("cleanup_failure", { test: true, host: "h" }));
  assert.equal(subject, "[labferry] TEST cleanup_failure on h");
  assert.match(text, /This is a TEST/);
  assert.match(text, /Nothing: this is a test/);
});

Deno.test("render puts any event into words, whatever its data", async () => {
  for (const details of [null, [], "text", 7, { message: null, items: "many", exit_code: "x" }] as Json[]) {
    const { subject, text } = await rendered(event("odd", { event: "odd", at: "2026-03-01T04:00:00.000Z", details }));
    assert.match(subject, /^\[labferry\] odd on instrument-1/);
    assert.match(text, /What happened: Event odd\./);
  }
});
