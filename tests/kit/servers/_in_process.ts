import { startS3Server } from "../../../demo/s3_server/mod.ts";
import { ACCESS_KEY, SECRET_KEY } from "../keys.ts";
import type { StartedServer } from "./servers.ts";

/** Starts the endpoint of the demo. */
export async function startInProcess(): Promise<StartedServer> {
  const server = await startS3Server({ accessKey: ACCESS_KEY, secretKey: SECRET_KEY });
  return {
    name: "in-process",
    version: "of this repository",
    endpoint: server.endpoint,
    traits: { checksums: true, completeIfAbsent: true },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
