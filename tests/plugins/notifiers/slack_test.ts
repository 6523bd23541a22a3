import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { slack } from "../../../plugins/notifiers/slack.ts";
import { message, notifierContext } from "../../../testing/event_plugins.ts";
import { startHttp } from "../../kit/servers/http.ts";
import type { SeenRequest } from "../../kit/servers/http.ts";

const { signal } = new AbortController();
const TOKEN = "xoxb-1-secret";

async function bot(url: string) {
  const options = slack.options.parse({ channel: "C1", api: `${url}/api` });
  return await slack.open(options, notifierContext({ SLACK_BOT_TOKEN: TOKEN }));
}

async function hook(url: string) {
  return await slack.open(slack.options.parse({}), notifierContext({ SLACK_WEBHOOK_URL: `${url}/services/T1/B1/key` }));
}

async function code(promise: Promise<void>): Promise<string> {
  return await promise.then(() => "delivered", (error) => {
    assert.ok(error instanceof PipelineError, String(error));
    assert.doesNotMatch(error.message, /xoxb|services/);
    return error.code;
  });
}

Deno.test("slack posts subject and text through a webhook, its three characters escaped", async () => {
  await using server = await startHttp(() => new Response("ok"));
  await (await hook(server.url)).deliver(message(), signal);
  const [{ path, body }] = server.requests;
  assert.equal(path, "/services/T1/B1/key");
  const { text } = JSON.parse(body);
  assert.match(text, /^\*\[labferry\] backup_failure on instrument-1: größer &lt;1&gt;\*\n```\nWhat happened: /);
});

Deno.test("slack counts only what the webhook took as delivered", async () => {
  for (
    const [status, wanted] of [[200, "delivered"], [403, "notify/login"], [500, "notify/deferred"], [
      400,
      "notify/refused",
    ]]
  ) {
    await using server = await startHttp(() => new Response("invalid_payload", { status: status as number }));
    assert.equal(await code((await hook(server.url)).deliver(message(), signal)), wanted);
  }
});

Deno.test("slack writes as a bot to the channel, with its token in the header alone", async () => {
  await using server = await startHttp(() => Response.json({ ok: true, ts: "1" }));
  await (await bot(server.url)).deliver(message(), signal);
  const [{ path, headers, body }] = server.requests;
  assert.equal(path, "/api/chat.postMessage");
  assert.equal(headers.authorization, `Bearer ${TOKEN}`);
  assert.equal(JSON.parse(body).channel, "C1");
  assert.doesNotMatch(body, /xoxb/);
});

Deno.test("slack uploads files, and shows them and the words at once", async () => {
  const answer = ({ path }: SeenRequest): Response => {
    if (path === "/api/files.getUploadURLExternal") {
      return Response.json({ ok: true, upload_url: `${server.url}/upload/1`, file_id: "F1" });
    }
    return path === "/upload/1" ? new Response("OK - 6") : Response.json({ ok: true });
  };
  await using server = await startHttp((request) => answer(request));
  const attachments = [{ name: "cycle 1.png", type: "image/png", base64: btoa("pixels") }];
  await (await bot(server.url)).deliver(message({ attachments }), signal);
  const [ask, upload, complete] = server.requests;
  assert.equal(ask.body, "filename=cycle+1.png&length=6");
  assert.deepEqual([upload.path, upload.body, upload.headers["content-type"]], ["/upload/1", "pixels", "image/png"]);
  assert.equal("authorization" in upload.headers, false);
  const { files, channel_id, initial_comment } = JSON.parse(complete.body);
  assert.deepEqual([files, channel_id], [[{ id: "F1", title: "cycle 1.png" }], "C1"]);
  assert.match(initial_comment, /^\*\[labferry\]/);
  assert.equal(server.requests.length, 3);
});

Deno.test("slack takes an answer with ok false, or none in JSON, for a refusal", async () => {
  const answers: [unknown, string][] = [
    [{ ok: false, error: "channel_not_found" }, "notify/refused"],
    [{ ok: false, error: "invalid_auth" }, "notify/login"],
    [{ ok: false, error: "ratelimited" }, "notify/deferred"],
    ["<html>maintenance</html>", "notify/refused"],
    [null, "notify/refused"],
  ];
  for (const [answer, wanted] of answers) {
    await using server = await startHttp(() =>
      typeof answer === "string" ? new Response(answer) : Response.json(answer)
    );
    assert.equal(await code((await bot(server.url)).deliver(message(), signal)), wanted);
  }
});

Deno.test("slack says which secret is missing", () => {
  assert.deepEqual(slack.secrets(slack.options.parse({})), ["SLACK_WEBHOOK_URL"]);
  assert.deepEqual(slack.secrets(slack.options.parse({ channel: "C1" })), ["SLACK_BOT_TOKEN"]);
  assert.throws(() => slack.open(slack.options.parse({}), notifierContext()), {
    code: "notify/no-credentials",
    message: /SLACK_WEBHOOK_URL is not set/,
  });
});
