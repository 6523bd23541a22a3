/** Starts and stops the endpoint. */
import { createHash } from "node:crypto";
import { folderBlobs, memoryBlobs, readAcross } from "./_blobs.ts";
import { Bucket } from "./_bucket.ts";
import type { Server } from "./_call.ts";
import { S3Error } from "./_errors.ts";
import { FrontDoor } from "./_front_door.ts";
import { isComplete, route } from "./_route.ts";
import { checkSignature } from "./_signature.ts";
import { type Faults, noFaults } from "./faults.ts";

export interface S3ServerOptions {
  /** Buckets that are there from the start. */
  buckets?: readonly string[];
  /** An existing folder for bodies; without it they stay in memory. */
  folder?: string;
  accessKey?: string;
  secretKey?: string;
  /** What it does wrong. With it connections go through a relay that can drop them. */
  faults?: Partial<Faults>;
  /** Its clock. Default: that of the system. */
  now?: () => number;
}

/** An object as it is stored. */
export interface HeldObject {
  key: string;
  /** Of the bytes that are held, in hex; whatever was claimed of them. */
  sha256: string;
}

export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly faults: Faults;
  /** Requests answered so far, by method. */
  readonly requests: Readonly<Record<string, number>>;
  /** What a bucket holds below `prefix`, in order; read where it lies, without a request. */
  objects(bucket: string, prefix: string): AsyncIterable<HeldObject>;
}

/** Starts an endpoint on a free port of the loopback address. */
export function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { accessKey = "AKIADEMO", secretKey = crypto.randomUUID(), folder, now = Date.now } = options;
  const faults = { ...noFaults(), ...options.faults };
  const requests: Record<string, number> = {};
  const server: Server = {
    keys: { accessKey, secretKey },
    buckets: new Map((options.buckets ?? []).map((name) => [name, new Bucket()])),
    storage: folder === undefined ? memoryBlobs : folderBlobs(folder),
    faults,
    now: () => now() + faults.clockOffsetMs,
  };
  let door: FrontDoor | undefined;
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request, info) => {
    requests[request.method] = (requests[request.method] ?? 0) + 1;
    const { response, lost } = await answer(request, server);
    if (lost) door?.drop(info.remoteAddr.port);
    return response;
  });
  if (options.faults) door = new FrontDoor(http.addr.port, faults);
  return Promise.resolve({
    endpoint: `http://127.0.0.1:${door?.port ?? http.addr.port}`,
    accessKey,
    secretKey,
    faults,
    requests,
    objects: (bucket, prefix) => heldObjects(server.buckets.get(bucket), prefix),
    [Symbol.asyncDispose]: async () => {
      await door?.[Symbol.asyncDispose]();
      await http.shutdown();
    },
  });
}

async function* heldObjects(bucket: Bucket | undefined, prefix: string): AsyncGenerator<HeldObject> {
  for (const key of bucket?.keys(prefix, "") ?? []) {
    const object = bucket?.get(key);
    if (object === undefined) continue;
    const hash = createHash("sha256");
    for await (const chunk of readAcross(object.blobs, 0, object.size)) hash.update(chunk);
    yield { key, sha256: hash.digest("hex") };
  }
}

async function answer(request: Request, server: Server): Promise<{ response: Response; lost: boolean }> {
  const url = new URL(request.url);
  const { faults } = server;
  let response: Response;
  let lost = false;
  try {
    checkSignature(request, url, { keys: server.keys, now: server.now() });
    if (faults.deniesAll) throw new S3Error(403, "AccessDenied", "Access Denied");
    if (faults.slowDowns > 0) {
      faults.slowDowns--;
      throw new S3Error(503, "SlowDown", "Please reduce your request rate.");
    }
    response = await route(request, url, server);
    if (faults.lostCompletes > 0 && isComplete(request.method, url)) {
      faults.lostCompletes--;
      lost = true;
    } else if (faults.lostAnswers > 0) {
      faults.lostAnswers--;
      lost = true;
    }
  } catch (error) {
    const known = error instanceof S3Error ? error : new S3Error(500, "InternalError", String(error));
    response = known.toResponse(request.method);
  }
  // A body that is left unread would hold the connection.
  await request.body?.cancel().catch(() => {});
  response.headers.set("date", new Date(server.now()).toUTCString());
  response.headers.set("x-amz-request-id", crypto.randomUUID());
  return { response, lost };
}
