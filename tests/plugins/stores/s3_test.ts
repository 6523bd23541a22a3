import assert from "node:assert/strict";
import { join } from "@std/path";
import { PipelineError } from "../../../core/errors.ts";
import { configKeys } from "../../../core/pipeline/config.ts";
import { ObjectStoreError } from "../../../core/objects/object_store.ts";
import { storeError } from "../../../plugins/stores/_s3_errors.ts";
import { s3 } from "../../../plugins/stores/s3.ts";
import { useTestKeys } from "../../kit/keys.ts";
import { tempDir } from "../../kit/temp.ts";
import { serverTest } from "../../kit/servers/servers.ts";

const never = new AbortController().signal;

Deno.test("s3.options fill in what is usual and refuse what is unknown", () => {
  assert.deepEqual(s3.options.parse({ bucket: "lab-archive" }), {
    bucket: "lab-archive",
    region: "us-east-1",
    connect_timeout: 10_000,
    request_timeout: 60_000,
  });
  for (
    const options of [{}, { bucket: "" }, { bucket: "s3://b" }, { bucket: "b", buckets: 1 }, {
      bucket: "abc",
      endpoint: "nas:9000",
    }]
  ) {
    assert.equal(s3.options.safeParse(options).success, false, JSON.stringify(options));
  }
});

Deno.test("s3.options describe every member with a sentence", () => {
  for (const [name, schema] of Object.entries(s3.options.shape)) {
    assert.match(String(schema.meta()?.description), /^[A-Z].*\.$/, name);
  }
});

Deno.test("s3.open() refuses a ca_file without a certificate", async () => {
  await using dir = await tempDir();
  const ca_file = join(dir.path, "ca.pem");
  await Deno.writeTextFile(ca_file, "no PEM\n");
  await assert.rejects(s3.open(s3.options.parse({ bucket: "lab-archive", ca_file })), {
    code: "config/unreadable",
    message: `Cannot read "${ca_file}": it holds no certificate`,
    stopsRun: 2,
  });
});

Deno.test("s3.open() names a ca_file that cannot be read", async () => {
  const options = s3.options.parse({ bucket: "lab-archive", ca_file: "/no/such/ca.pem" });
  await assert.rejects(s3.open(options), (error) => {
    assert.ok(error instanceof PipelineError);
    assert.equal(error.code, "config/unreadable");
    assert.equal(error.stopsRun, 2);
    assert.match(error.hint ?? "", /^Check ca_file under \[s3\] in the configuration/);
    assert.ok(configKeys(["s3"]).includes("ca_file"));
    return true;
  });
});

/** What the client throws for an answer of this status and code. */
function thrown(status: number, code: string, headers: Record<string, string> = {}) {
  const error = Object.assign(new Error(`message of ${code}`), { name: code, $metadata: { httpStatusCode: status } });
  Object.defineProperty(error, "$response", { value: { statusCode: status, headers }, enumerable: false });
  return error;
}

Deno.test("storeError() maps what stores answer onto kinds", () => {
  const cases: [number, string, string][] = [
    [404, "NoSuchKey", "not-found"],
    [404, "NotFound", "not-found"],
    [404, "NoSuchUpload", "not-found"],
    [404, "NoSuchBucket", "no-bucket"],
    [403, "AccessDenied", "denied"],
    [403, "InvalidAccessKeyId", "denied"],
    [400, "ExpiredToken", "denied"],
    [403, "RequestTimeTooSkewed", "clock-skew"],
    [400, "BadDigest", "bad-digest"],
    [400, "XAmzContentSHA256Mismatch", "bad-digest"],
    [412, "PreconditionFailed", "precondition"],
    [409, "ConditionalRequestConflict", "conflict"],
    [503, "SlowDown", "throttled"],
    [429, "TooManyRequests", "throttled"],
    [503, "UnknownError", "throttled"],
    [500, "InternalError", "unreachable"],
    [502, "UnknownError", "unreachable"],
    [400, "RequestTimeout", "unreachable"],
    [501, "NotImplemented", "unsupported"],
    [403, "InvalidObjectState", "archived"],
    [400, "InvalidRequest", "bad-request"],
    [301, "PermanentRedirect", "bad-request"],
  ];
  for (const [status, code, kind] of cases) {
    const error = storeError(thrown(status, code), 0);
    assert.equal(error.kind, kind, code);
    assert.equal(error.status, status);
  }
});

Deno.test("storeError() puts a bare refusal down to the clocks where they differ enough", () => {
  const now = Date.UTC(2026, 0, 1, 12);
  const refused = (ms: number) => storeError(thrown(403, "403", { date: new Date(now + ms).toUTCString() }), now);
  assert.equal(refused(20 * 60_000).kind, "clock-skew");
  assert.equal(refused(20 * 60_000).serverDate?.getTime(), now + 20 * 60_000);
  assert.equal(refused(5 * 60_000).kind, "denied");
});

Deno.test("storeError() tells a missing certificate, missing credentials and a dead line apart", () => {
  const certificate = Object.assign(new Error("invalid peer certificate: UnknownIssuer"), { code: "UNKNOWN" });
  assert.equal(storeError(certificate, 0).kind, "bad-request");
  const credentials = Object.assign(new Error("Could not load credentials"), { name: "CredentialsProviderError" });
  assert.equal(storeError(credentials, 0).kind, "denied");
  const refused = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
  assert.equal(storeError(refused, 0).kind, "unreachable");
  assert.match(storeError(refused, 0).message, /ECONNREFUSED/);
});

/** Opens a store on something that is not one. */
async function storeAt(port: number, request_timeout = "10min") {
  useTestKeys();
  const endpoint = `http://127.0.0.1:${port}`;
  return await s3.open(s3.options.parse({ bucket: "lab-archive", endpoint, request_timeout }));
}

const lenient = { sanitizeResources: false, sanitizeOps: false };

Deno.test("s3 gives up on a server that takes a request and never answers", lenient, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  await using store = await storeAt(listener.addr.port, "300ms");
  await assert.rejects(store.headBucket(never), { kind: "unreachable", message: "no answer within 0 s" });
  (await accepted).close();
});

Deno.test("s3 ends with the signal's reason while it waits", lenient, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using store = await storeAt(listener.addr.port);
  const stop = new AbortController();
  const waiting = store.headBucket(stop.signal);
  const conn = await listener.accept();
  stop.abort(new Error("stopped by the operator"));
  await assert.rejects(waiting, /stopped by the operator/);
  conn.close();
});

Deno.test("s3 calls a port without a server unreachable", lenient, async () => {
  const port = (() => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listener.addr.port;
  })();
  await using store = await storeAt(port);
  await assert.rejects(store.headBucket(never), { kind: "unreachable" });
});

/** A server that answers every request alike. */
function answering(response: () => Response): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    await request.body?.cancel();
    return response();
  });
}

Deno.test("s3 calls a web page unsupported", lenient, async () => {
  await using server = answering(() => new Response("<!doctype html><p>Welcome to your NAS", { status: 200 }));
  await using store = await storeAt(server.addr.port);
  await assert.rejects(Array.fromAsync(store.list("", never)), { kind: "unsupported" });
});

Deno.test("S18 s3 refuses an answer to Get that is short, long, or of another range", lenient, async () => {
  const answers: [ResponseInit & { body: string }, string][] = [
    [{ body: "abc", status: 206, headers: { "content-range": "bytes 0-3/4" } }, "unreachable"],
    [{ body: "abcde", status: 206, headers: { "content-range": "bytes 0-3/4" } }, "unsupported"],
    [{ body: "abcd", status: 206, headers: { "content-range": "bytes 4-7/8" } }, "unsupported"],
    [{ body: "abcd", status: 206, headers: { "content-range": "bytes 0-3/9" } }, "bad-digest"],
  ];
  let next = 0;
  await using server = answering(() => {
    const { body, ...init } = answers[next][0];
    return new Response(body, init);
  });
  await using store = await storeAt(server.addr.port);
  for (; next < answers.length; next++) {
    await assert.rejects(store.get("k", { start: 0, end: 4, total: 4 }, never), { kind: answers[next][1] }, `${next}`);
  }
});

Deno.test("S18 s3 refuses a listing that breaks off without a mark to go on from", lenient, async () => {
  const body = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
  await using server = answering(() => new Response(body, { headers: { "content-type": "application/xml" } }));
  await using store = await storeAt(server.addr.port);
  await assert.rejects(Array.fromAsync(store.list("", never)), { kind: "unsupported" });
});

await serverTest("s3 refuses a certificate it has no authority for", { kinds: ["versitygw-tls"] }, async (server) => {
  const bucket = await server.bucket();
  const store = await server.open(bucket, { ca_file: undefined });
  await assert.rejects(store.headBucket(never), (error) => {
    assert.ok(error instanceof ObjectStoreError);
    assert.equal(error.kind, "bad-request", error.message);
    assert.match(error.message, /ca_file/);
    return true;
  });
});
