import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { PipelineError } from "../../../core/errors.ts";
import { webhook } from "../../../plugins/notifiers/webhook.ts";
import { message, notifierContext } from "../../../testing/event_plugins.ts";
import { startHttp } from "../../kit/servers/http.ts";

const { signal } = new AbortController();
const SECRET = "wh-secret-7";

async function open(url: string, options: Record<string, unknown> = {}) {
  return await webhook.open(webhook.options.parse({ url, ...options }), notifierContext({ WEBHOOK_SECRET: SECRET }));
}

Deno.test("webhook posts the event as JSON, signed over timestamp and body", async () => {
  await using server = await startHttp(() => new Response(null, { status: 204 }));
  const notifier = await open(`${server.url}/hook?key=k-123`);
  await notifier.deliver(message(), signal);
  const [{ method, path, headers, body }] = server.requests;
  assert.deepEqual([method, path], ["POST", "/hook?key=k-123"]);
  assert.equal(headers["x-labferry-id"], message().id);
  const stamp = headers["x-labferry-timestamp"];
  assert.equal(stamp, String(Math.floor(Date.UTC(2026, 0, 2, 3, 4, 5) / 1000)));
  const wanted = createHmac("sha256", SECRET).update(`${stamp}.${body}`).digest("hex");
  assert.equal(headers["x-labferry-signature"], `sha256=${wanted}`);
  const { id, event, subject, text, data } = message();
  assert.deepEqual(JSON.parse(body), { id, event, subject, text, data });
});

Deno.test("webhook takes 2xx for an acceptance and nothing else, and names no address with its key", async () => {
  const codes: [number, string][] = [
    [400, "notify/refused"],
    [401, "notify/login"],
    [404, "notify/login"],
    [429, "notify/deferred"],
    [500, "notify/deferred"],
    [302, "notify/refused"],
  ];
  for (const [status, code] of codes) {
    await using server = await startHttp(() =>
      new Response("no\nthanks", { status, headers: { location: "http://127.0.0.1:1/elsewhere" } })
    );
    const notifier = await open(`${server.url}/hook?key=k-123`);
    await assert.rejects(notifier.deliver(message(), signal), (error) => {
      assert.ok(error instanceof PipelineError);
      assert.equal(error.code, code, String(status));
      assert.doesNotMatch(error.message, /k-123/);
      return true;
    });
    assert.equal(server.requests.length, 1);
  }
});

Deno.test("webhook says that a server is down or hangs, and stops at the signal", async () => {
  const url = await startHttp(() => new Response()).then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server.url;
  });
  await assert.rejects((await open(`${url}/hook?key=k-123`)).deliver(message(), signal), (error) => {
    assert.ok(error instanceof PipelineError && error.code === "notify/unreachable", String(error));
    assert.doesNotMatch(error.message, /k-123/);
    return true;
  });
  const stop = new AbortController();
  let wait = false;
  await using server = await startHttp((_request, { gone }) => {
    if (wait) stop.abort(new Error("enough"));
    return gone;
  });
  await assert.rejects((await open(server.url, { timeout: "40ms" })).deliver(message(), signal), {
    code: "notify/unreachable",
    message: /no answer within 40 ms/,
  });
  wait = true;
  await assert.rejects((await open(server.url)).deliver(message(), stop.signal), /enough/);
});

Deno.test("webhook refuses to send unsigned what should be signed", async () => {
  const options = webhook.options.parse({ url: "https://alerts.lab.example" });
  assert.deepEqual(webhook.secrets(options), ["WEBHOOK_SECRET"]);
  assert.throws(() => webhook.open(options, notifierContext()), { code: "notify/no-credentials" });
  await using server = await startHttp(() => new Response("ok"));
  const unsigned = webhook.options.parse({ url: server.url, sign: false });
  assert.deepEqual(webhook.secrets(unsigned), []);
  await (await webhook.open(unsigned, notifierContext())).deliver(message(), signal);
  assert.equal("x-labferry-signature" in server.requests[0].headers, false);
});
