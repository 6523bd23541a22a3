/**
 * Amazon S3 and the stores that speak its protocol.
 * @module
 */
import { defineStore } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { duration, pathOption, z } from "../../core/options.ts";
import { S3Store } from "./_s3_store.ts";

const options = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "wanted the name of a bucket, such as lab-archive")
    .meta({ description: "Name of the bucket." }),
  region: z.string().min(1).default("us-east-1").meta({ description: "Region the requests are signed for." }),
  endpoint: z.url({ protocol: /^https?$/ }).optional()
    .meta({ description: "Address of a store other than Amazon's.", example: "https://s3.lab.example:9000" }),
  force_path_style: z.boolean().optional()
    .meta({
      description: "Whether the bucket stands in the path, not in the host name; the default is true with an endpoint.",
    }),
  connect_timeout: duration().prefault("10s").meta({ description: "Longest wait for a connection.", unit: "ms" }),
  request_timeout: duration().prefault("60s")
    .meta({ description: "Longest wait for an answer, beside a second for each 64 KiB of a body.", unit: "ms" }),
  ca_file: pathOption().optional()
    .meta({ description: "PEM file of a private certification authority to trust besides the usual ones." }),
});

/** The store plugin `s3`. Credentials come from the SDK's default chain: environment, shared files, role of the host. */
export const s3 = defineStore({
  kind: "store",
  name: "s3",
  summary: "Amazon S3 and stores that speak its protocol.",
  options,
  example: `bucket = "lab-archive"\nendpoint = "https://s3.lab.example:9000"`,
  async open(options) {
    const { bucket, region, endpoint, connect_timeout, request_timeout, ca_file } = options;
    const ca = ca_file === undefined ? undefined : await readCa(ca_file);
    const sdk = await import("@aws-sdk/client-s3");
    const client = new sdk.S3Client({
      region,
      endpoint,
      forcePathStyle: options.force_path_style ?? endpoint !== undefined,
      // Retries are the upload protocol's: it knows what may be repeated.
      maxAttempts: 1,
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      // With it every body would go over a connection of its own.
      expectContinueHeader: false,
      // A wrong clock must be seen: a silently corrected one still stamps ledger and evidence.
      disableClockSkewCorrection: true,
      // The usual one asks the system for its release at every request.
      defaultUserAgentProvider: () => Promise.resolve([["labferry", ""]]),
      requestHandler: {
        connectionTimeout: connect_timeout,
        httpAgent: { keepAlive: true, maxSockets: 64 },
        httpsAgent: { keepAlive: true, maxSockets: 64, ca },
      },
    });
    // It filters every request and answer for a log that nobody keeps.
    client.middlewareStack.remove("loggerMiddleware");
    return new S3Store(sdk, client, {
      bucket,
      endpoint: endpoint ?? `s3.${region}`,
      requestTimeoutMs: request_timeout,
    });
  },
});

async function readCa(path: string): Promise<string> {
  const unusable = (found: string, cause?: unknown) =>
    new PipelineError("config/unreadable", `Cannot read "${path}": ${found}`, {
      cause,
      hint: "Check ca_file under [s3] in the configuration, or in the stage: wanted a PEM file this user may read.",
      stopsRun: 2,
    });
  let text: string;
  try {
    // A store is opened before any item and its context exist, and TLS needs the text itself.
    // deno-lint-ignore labferry/no-ambient-io
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw unusable((cause as Error).message, cause);
  }
  if (/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s/.test(text)) return text;
  throw unusable("it holds no certificate");
}
