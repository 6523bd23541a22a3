/**
 * Turns what a store says into what a person can act on.
 * @module
 */
import { PipelineError, type PipelineErrorOptions } from "../errors.ts";
import { ObjectStoreError } from "./object_store.ts";
import { isTransient } from "./retry.ts";

/** What was being done, in the grammar of messages: `Cannot <verb> "<thing>": …`. */
export interface Doing {
  verb: string;
  thing: string;
  /** This computer's clock, ms since 1970. */
  now: number;
}

/** Returns the time between two clocks in words: `22 min`. */
export function spanInWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** Words about two clocks: which is ahead, and by how much. */
export function clocksInWords(now: number, serverDate: Date | undefined): string {
  const ours = new Date(now).toISOString();
  if (serverDate === undefined) return `the store refuses the time ${ours} of this computer`;
  const ahead = now - serverDate.getTime();
  return `this computer says ${ours}, the store says ${serverDate.toISOString()}, this computer is ` +
    `${spanInWords(ahead)} ${ahead > 0 ? "ahead" : "behind"}`;
}

const CLOCK_HINT =
  "Set this computer's clock (on Windows: w32tm /resync; on Linux: check the NTP service), then run again.";

const WORDS: Record<ObjectStoreError["kind"], { code: string; found: string; hint: string }> = {
  "not-found": {
    code: "s3/not-found",
    found: "it is not in the store",
    hint: "Look whether someone removed it, or whether a lifecycle rule expires objects under this prefix.",
  },
  "no-bucket": {
    code: "s3/no-bucket",
    found: "the bucket does not exist",
    hint: "Check bucket, region and endpoint under [s3] in the configuration, or make the bucket.",
  },
  denied: {
    code: "s3/denied",
    found: "the store refuses access",
    hint:
      "Check the access key of the account that runs labferry (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws), " +
      "and that its policy allows to list, read and write the bucket.",
  },
  "bad-digest": {
    code: "s3/bad-digest",
    found: "the bytes that arrived are not the bytes that were sent",
    hint: "The network, a proxy or this computer's memory damages data. The source is untouched; have them checked.",
  },
  precondition: {
    code: "s3/conflict",
    found: "an object of that name is there already",
    hint: "Nothing was overwritten. Find out where the other object comes from before it is removed or renamed.",
  },
  conflict: {
    code: "s3/busy",
    found: "another upload to the same name is under way",
    hint: "Wait until the other upload has ended; make sure that only one computer uploads this study.",
  },
  "clock-skew": { code: "s3/clock-skew", found: "the clocks differ", hint: CLOCK_HINT },
  throttled: {
    code: "s3/throttled",
    found: "the store asks to slow down",
    hint: "It passes by itself as a rule; if it stays, lower parallel of this stage.",
  },
  unreachable: {
    code: "s3/unreachable",
    found: "the store does not answer",
    hint: "Check the network and the endpoint. Run again then: what is finished is kept.",
  },
  "bad-request": {
    code: "s3/refused",
    found: "the store refuses the request",
    hint: "Check region, endpoint and force_path_style under [s3] in the configuration, then run labferry lint.",
  },
  unsupported: {
    code: "s3/unsupported",
    found: "the store does not know this operation",
    hint: "Check that the endpoint under [s3] in the configuration is an S3 store, then run labferry lint.",
  },
  stopped: {
    code: "run/stopped",
    found: "the run was asked to stop while the store did not answer",
    hint: "Run again; what is finished is kept.",
  },
  archived: {
    code: "s3/archived",
    found: "it is in a storage class that must be restored first",
    hint: "Restore the object in the store's console, or upload to a storage class that can be read.",
  },
};

/** Returns `error` as a `PipelineError` with code `s3/…`; errors that are not the store's are returned as they are. */
export function explain(error: unknown, doing: Doing): unknown {
  if (!(error instanceof ObjectStoreError)) return error;
  const words = WORDS[error.kind];
  const found = error.kind === "clock-skew" ? clocksInWords(doing.now, error.serverDate) : words.found;
  const detail = error.kind === "clock-skew" ? ", wanted less than 15 min apart" : ` (${error.message})`;
  const options: PipelineErrorOptions = {
    hint: words.hint,
    cause: error,
    retry: isTransient(error.kind) || error.kind === "conflict" ? "transient" : "permanent",
  };
  return new PipelineError(words.code, `Cannot ${doing.verb} "${doing.thing}": ${found}${detail}`, options);
}
