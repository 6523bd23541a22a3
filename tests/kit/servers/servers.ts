/**
 * Real S3 servers for tests, and the endpoint of the demo beside them:
 * `await using server = await realServer("versitygw")`. All on the loopback address, all with the same keys.
 */
import type { ObjectStore } from "../../../core/objects/object_store.ts";
import { s3 } from "../../../plugins/stores/s3.ts";
import { ACCESS_KEY, SECRET_KEY, useTestKeys } from "../keys.ts";
import { startInProcess } from "./_in_process.ts";
import { radosgwMissing, startRadosgw } from "./_radosgw.ts";
import { startVersitygw, versitygwMissing } from "./_versitygw.ts";

export type ServerKind = "in-process" | "versitygw" | "versitygw-tls" | "radosgw";
export const SERVER_KINDS: readonly ServerKind[] = ["in-process", "versitygw", "versitygw-tls", "radosgw"];

/** What a kind of server is known to enforce. */
export interface ServerTraits {
  checksums: boolean;
  completeIfAbsent: boolean;
}

/** A started server, before tests' conveniences. */
export interface StartedServer extends AsyncDisposable {
  name: string;
  version: string;
  endpoint: string;
  caFile?: string;
  traits: ServerTraits;
}

export interface TestServer extends StartedServer {
  kind: ServerKind;
  accessKey: string;
  secretKey: string;
  /** Makes a bucket of its own; it is emptied and removed with the server. */
  bucket(): Promise<string>;
  /** Opens a bucket through the store plugin. Closed with the server. */
  open(bucket: string, options?: Record<string, unknown>): Promise<ObjectStore>;
  /** Keys of uploads that are open in a bucket. */
  openUploads(bucket: string): Promise<string[]>;
}

/** Why a server cannot be started here; undefined when it can. */
export function serverMissing(kind: ServerKind): Promise<string | undefined> {
  if (kind === "in-process") return Promise.resolve(undefined);
  return kind === "radosgw" ? radosgwMissing() : versitygwMissing();
}

function start(kind: ServerKind): Promise<StartedServer> {
  if (kind === "in-process") return startInProcess();
  return kind === "radosgw" ? startRadosgw() : startVersitygw({ tls: kind === "versitygw-tls" });
}

const announced = new Set<string>();

/** Starts a server, or takes one that runs already. */
export async function realServer(kind: ServerKind): Promise<TestServer> {
  useTestKeys();
  const started = await start(kind);
  const words = `${started.name} ${started.version}`;
  if (!announced.has(words)) {
    console.error(`    S3 server: ${words} at ${started.endpoint}`);
    // The test runner names them all at its end.
    const log = Deno.env.get("LABFERRY_TEST_SERVERS_LOG");
    if (log && kind !== "in-process") await Deno.writeTextFile(log, `${words}\n`, { append: true });
  }
  announced.add(words);
  const { S3Client, CreateBucketCommand, DeleteBucketCommand, ListMultipartUploadsCommand } = await import(
    "@aws-sdk/client-s3"
  );
  const { Agent } = await import("node:https");
  const ca = started.caFile === undefined ? undefined : await Deno.readTextFile(started.caFile);
  const client = new S3Client({
    region: "us-east-1",
    endpoint: started.endpoint,
    forcePathStyle: true,
    requestHandler: { httpsAgent: new Agent({ ca, keepAlive: true }) },
  });
  const buckets: string[] = [];
  const stores: ObjectStore[] = [];
  const open = async (bucket: string, options: Record<string, unknown> = {}) => {
    const { endpoint, caFile: ca_file } = started;
    const store = await s3.open(s3.options.parse({ bucket, endpoint, ca_file, ...options }));
    stores.push(store);
    return store;
  };
  return {
    ...started,
    kind,
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    open,
    bucket: async () => {
      const Bucket = `labferry-${crypto.randomUUID().slice(0, 13)}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      buckets.push(Bucket);
      return Bucket;
    },
    openUploads: async (Bucket) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return Uploads.map((upload) => upload.Key!);
    },
    [Symbol.asyncDispose]: async () => {
      if (kind === "radosgw") {
        // It goes on running and keeps its objects in memory.
        for (const Bucket of buckets) {
          await empty(await open(Bucket));
          await client.send(new DeleteBucketCommand({ Bucket }));
        }
      }
      for (const store of stores) await store[Symbol.asyncDispose]();
      client.destroy();
      await started[Symbol.asyncDispose]();
    },
  };
}

async function empty(store: ObjectStore): Promise<void> {
  const { signal } = new AbortController();
  for await (const { key } of store.list("", signal)) await store.delete(key, signal);
}

/** The kinds that can run here, with a reason for each that cannot. */
export async function availableServers(
  kinds: readonly ServerKind[] = SERVER_KINDS,
): Promise<{ kind: ServerKind; missing: string | undefined }[]> {
  return await Promise.all(kinds.map(async (kind) => ({ kind, missing: await serverMissing(kind) })));
}

/** Defines one test for each kind of server; those that cannot run here are counted as ignored, with the reason. */
export async function serverTest(
  name: string,
  options: { kinds?: readonly ServerKind[] },
  act: (server: TestServer) => Promise<void>,
): Promise<void> {
  for (const { kind, missing } of await availableServers(options.kinds)) {
    Deno.test({
      name: missing === undefined ? `${name} [${kind}]` : `${name} [${kind}: ${missing}]`,
      ignore: missing !== undefined,
      // Connections kept alive by the SDK's agent are closed after the test's own resources.
      sanitizeResources: false,
      sanitizeOps: false,
      fn: async () => {
        await using server = await realServer(kind);
        await act(server);
      },
    });
  }
}
