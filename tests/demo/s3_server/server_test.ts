import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../../demo/s3_server/mod.ts";
import { patternBytes } from "../../../testing/doubles.ts";
import { tempDir } from "../../kit/temp.ts";

const MIB = 2 ** 20;
const base64 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");

async function withServer(
  options: S3ServerOptions,
  act: (client: S3Client, server: S3Server) => Promise<void>,
): Promise<void> {
  await using server = await startS3Server({ buckets: ["b"], ...options });
  const client = clientOf(server, { accessKeyId: server.accessKey, secretAccessKey: server.secretKey });
  try {
    await act(client, server);
  } finally {
    client.destroy();
  }
}

function clientOf(server: S3Server, credentials: { accessKeyId: string; secretAccessKey: string }): S3Client {
  return new S3Client({
    region: "us-east-1",
    endpoint: server.endpoint,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    credentials,
  });
}

function serverTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeResources: false, sanitizeOps: false });
}

serverTest("startS3Server() refuses a wrong secret, an unknown key and an unsigned request", async () => {
  await withServer({}, async (_client, server) => {
    const put = new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x" });
    const wrong = clientOf(server, { accessKeyId: server.accessKey, secretAccessKey: "wrong" });
    await assert.rejects(wrong.send(put), { name: "SignatureDoesNotMatch" });
    const unknown = clientOf(server, { accessKeyId: "AKIANOBODY", secretAccessKey: server.secretKey });
    await assert.rejects(unknown.send(put), { name: "InvalidAccessKeyId" });
    const response = await fetch(`${server.endpoint}/b/k`, { method: "PUT", body: "x" });
    assert.equal(response.status, 403);
    assert.match(await response.text(), /<Code>AccessDenied<\/Code>/);
  });
});

serverTest("startS3Server() refuses a wrong checksum and a malformed one, and echoes a right one", async () => {
  await withServer({}, async (client) => {
    const put = (sha256: string) =>
      client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello", ChecksumSHA256: sha256 }));
    await assert.rejects(put(base64(new Uint8Array(3))), { name: "BadDigest" });
    await assert.rejects(put("not base64"), { name: "InvalidRequest" });
    await assert.rejects(client.send(new HeadObjectCommand({ Bucket: "b", Key: "k" })), { name: "NotFound" });
    const right = base64(new TextEncoder().encode("hello"));
    assert.equal((await put(right)).ChecksumSHA256, right);
    const head = await client.send(new HeadObjectCommand({ Bucket: "b", Key: "k", ChecksumMode: "ENABLED" }));
    assert.equal(head.ChecksumSHA256, right);
    assert.equal(head.ChecksumType, "FULL_OBJECT");
    assert.equal(head.ETag, `"${createHash("md5").update("hello").digest("hex")}"`);
  });
});

serverTest("startS3Server() refuses a body that is not the signed one", async () => {
  await withServer({}, async (client) => {
    const command = new PutObjectCommand({ Bucket: "b", Key: "k", Body: "hello" });
    command.middlewareStack.add(
      // deno-lint-ignore no-explicit-any
      (next: any) => (args: any) => {
        args.request.headers["x-amz-content-sha256"] = "00".repeat(32);
        return next(args);
      },
      { step: "build" },
    );
    await assert.rejects(client.send(command), { name: "XAmzContentSHA256Mismatch" });
  });
});

/** Uploads parts and returns what Complete needs. */
async function parts(client: S3Client, bodies: Uint8Array[], Key = "big") {
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket: "b", Key, ChecksumAlgorithm: "SHA256" }),
  );
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const PartNumber = index + 1;
    const ChecksumSHA256 = base64(Body);
    const { ETag } = await client.send(
      new UploadPartCommand({ Bucket: "b", Key, UploadId, PartNumber, Body, ChecksumSHA256 }),
    );
    Parts.push({ PartNumber, ETag, ChecksumSHA256 });
  }
  return { Bucket: "b", Key, UploadId, MultipartUpload: { Parts } };
}

serverTest("startS3Server() completes with the composite AWS gives", async () => {
  await withServer({}, async (client) => {
    const bodies = [patternBytes(5 * MIB, 1), patternBytes(5 * MIB, 2), patternBytes(7, 3)];
    const complete = await parts(client, bodies);
    const digests = Buffer.concat(bodies.map((body) => createHash("sha256").update(body).digest()));
    const composite = `${base64(digests)}-3`;
    const done = await client.send(new CompleteMultipartUploadCommand({ ...complete, ChecksumSHA256: composite }));
    assert.equal(done.ChecksumSHA256, composite);
    assert.equal(done.ChecksumType, "COMPOSITE");
    assert.match(done.ETag!, /^"[0-9a-f]{32}-3"$/);
    const answer = await client.send(new GetObjectCommand({ Bucket: "b", Key: "big", Range: "bytes=5242878-5242881" }));
    assert.equal(answer.ContentRange, `bytes 5242878-5242881/${10 * MIB + 7}`);
    assert.deepEqual(
      [...await answer.Body!.transformToByteArray()],
      [...bodies[0].subarray(-2), ...bodies[1].subarray(0, 2)],
    );
  });
});

serverTest("startS3Server() refuses a Complete that does not fit", async () => {
  await withServer({}, async (client) => {
    const complete = await parts(client, [patternBytes(5 * MIB), patternBytes(7)]);
    const [first, second] = complete.MultipartUpload.Parts;
    const attempt = (Parts: object[], more = {}) =>
      client.send(new CompleteMultipartUploadCommand({ ...complete, MultipartUpload: { Parts }, ...more }));
    await assert.rejects(attempt([{ ...first, ChecksumSHA256: undefined }, second]), { name: "InvalidRequest" });
    await assert.rejects(attempt([{ ...first, ChecksumSHA256: second.ChecksumSHA256 }, second]), {
      name: "InvalidPart",
    });
    await assert.rejects(attempt([{ ...first, ETag: '"x"' }, second]), { name: "InvalidPart" });
    await assert.rejects(attempt([second, first]), { name: "InvalidPartOrder" });
    await assert.rejects(attempt([first, second], { ChecksumSHA256: `${base64(new Uint8Array(1))}-2` }), {
      name: "BadDigest",
    });
    const small = await parts(client, [patternBytes(9), patternBytes(7)], "small");
    await assert.rejects(client.send(new CompleteMultipartUploadCommand(small)), { name: "EntityTooSmall" });
    await attempt([first, second]);
    await assert.rejects(attempt([first, second]), { name: "NoSuchUpload" });
  });
});

serverTest("startS3Server() keeps If-None-Match on Put and on Complete", async () => {
  await withServer({}, async (client) => {
    const put = new PutObjectCommand({ Bucket: "b", Key: "big", Body: "x", IfNoneMatch: "*" });
    await client.send(put);
    await assert.rejects(client.send(put), { name: "PreconditionFailed" });
    const complete = await parts(client, [patternBytes(3)]);
    await assert.rejects(client.send(new CompleteMultipartUploadCommand({ ...complete, IfNoneMatch: "*" })), {
      name: "PreconditionFailed",
    });
    const { Parts } = await client.send(new ListPartsCommand(complete));
    assert.equal(Parts!.length, 1);
  });
});

serverTest("startS3Server() lists by prefix, delimiter and page", async () => {
  await withServer({}, async (client) => {
    for (const Key of ["a", "d/1", "d/2", "e/f/1", "z", "ü\u{1f9ec}", "ü\uffee"]) {
      await client.send(new PutObjectCommand({ Bucket: "b", Key, Body: "" }));
    }
    const list = (more: object) => client.send(new ListObjectsV2Command({ Bucket: "b", ...more }));
    const all = await list({});
    assert.deepEqual(all.Contents!.map(({ Key }) => Key), ["a", "d/1", "d/2", "e/f/1", "z", "ü\uffee", "ü\u{1f9ec}"]);
    const folders = await list({ Delimiter: "/" });
    assert.deepEqual(folders.CommonPrefixes!.map(({ Prefix }) => Prefix), ["d/", "e/"]);
    assert.equal(folders.KeyCount, 6);
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await list({ Delimiter: "/", MaxKeys: 2, ContinuationToken: token });
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key!), ...(page.CommonPrefixes ?? []).map((c) => c.Prefix!));
      token = page.NextContinuationToken;
    } while (token);
    assert.deepEqual(seen.sort(), ["a", "d/", "e/", "z", "ü\u{1f9ec}", "ü\uffee"]);
    assert.deepEqual((await list({ Prefix: "d/", StartAfter: "d/1" })).Contents!.map(({ Key }) => Key), ["d/2"]);
  });
});

serverTest("startS3Server() keeps bodies in a folder, and removes those that are replaced", async () => {
  await using dir = await tempDir();
  await withServer({ folder: dir.path }, async (client) => {
    const files = () => Array.from(Deno.readDirSync(dir.path)).length;
    const bodies = [patternBytes(5 * MIB), patternBytes(MIB)];
    await client.send(new CompleteMultipartUploadCommand(await parts(client, bodies)));
    assert.equal(files(), 2);
    const answer = await client.send(new GetObjectCommand({ Bucket: "b", Key: "big" }));
    assert.equal(base64(await answer.Body!.transformToByteArray()), base64(Buffer.concat(bodies)));
    await client.send(new PutObjectCommand({ Bucket: "b", Key: "big", Body: "small" }));
    assert.equal(files(), 1);
    await assert.rejects(
      client.send(new PutObjectCommand({ Bucket: "b", Key: "x", Body: "y", ChecksumSHA256: base64(bodies[1]) })),
    );
    assert.equal(files(), 1);
  });
});

serverTest(
  "startS3Server() answers what it does not implement as such, and keeps a bucket that is not empty",
  async () => {
    await withServer({}, async (client) => {
      const copy = new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x", ChecksumCRC32: "AAAAAA==" });
      await assert.rejects(client.send(copy), { name: "NotImplemented" });
      await client.send(new PutObjectCommand({ Bucket: "b", Key: "k", Body: "x" }));
      await assert.rejects(client.send(new DeleteBucketCommand({ Bucket: "b" })), { name: "BucketNotEmpty" });
    });
  },
);

serverTest("S3Server.objects() tells what is held below a prefix, by the bytes that lie there", async () => {
  await withServer({}, async (client, server) => {
    for (const [Key, Body] of [["p/b", "second"], ["p/a", "first"], ["q/a", "other"]]) {
      await client.send(new PutObjectCommand({ Bucket: "b", Key, Body, Metadata: { sha256: "claimed" } }));
    }
    const hex = (text: string) => createHash("sha256").update(text).digest("hex");
    const before = { ...server.requests };
    assert.deepEqual(await Array.fromAsync(server.objects("b", "p/")), [
      { key: "p/a", sha256: hex("first") },
      { key: "p/b", sha256: hex("second") },
    ]);
    assert.deepEqual(await Array.fromAsync(server.objects("absent", "")), []);
    assert.deepEqual(server.requests, before);
  });
});
