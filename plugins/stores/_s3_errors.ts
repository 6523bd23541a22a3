/**
 * Turns every failure of the S3 client into an `ObjectStoreError`. Nothing of the request is kept: its headers hold
 * the signature.
 */
import { ObjectStoreError, type StoreErrorKind } from "../../core/objects/object_store.ts";

const KINDS: Record<string, StoreErrorKind> = {
  NoSuchKey: "not-found",
  NoSuchUpload: "not-found",
  NoSuchVersion: "not-found",
  NotFound: "not-found",
  NoSuchBucket: "no-bucket",
  AccessDenied: "denied",
  InvalidAccessKeyId: "denied",
  SignatureDoesNotMatch: "denied",
  ExpiredToken: "denied",
  InvalidToken: "denied",
  AllAccessDisabled: "denied",
  AccountProblem: "denied",
  CredentialsProviderError: "denied",
  TokenProviderError: "denied",
  BadDigest: "bad-digest",
  XAmzContentSHA256Mismatch: "bad-digest",
  XAmzContentChecksumMismatch: "bad-digest",
  PreconditionFailed: "precondition",
  ConditionalRequestConflict: "conflict",
  OperationAborted: "conflict",
  RequestTimeTooSkewed: "clock-skew",
  RequestExpired: "clock-skew",
  RequestInTheFuture: "clock-skew",
  SlowDown: "throttled",
  SlowDownRead: "throttled",
  SlowDownWrite: "throttled",
  TooManyRequests: "throttled",
  TooManyRequestsException: "throttled",
  Throttling: "throttled",
  ThrottlingException: "throttled",
  RequestLimitExceeded: "throttled",
  ServiceUnavailable: "throttled",
  RequestTimeout: "unreachable",
  IncompleteBody: "unreachable",
  InternalError: "unreachable",
  NotImplemented: "unsupported",
  MethodNotAllowed: "unsupported",
  InvalidObjectState: "archived",
};

/** Above this the store's refusal of an unexplained request is put down to the clocks (AWS refuses at 15 min). */
const SKEW_MS = 14 * 60_000;

function kindOfStatus(status: number): StoreErrorKind {
  if (status === 404) return "not-found";
  if (status === 401 || status === 403) return "denied";
  if (status === 409) return "conflict";
  if (status === 412) return "precondition";
  if (status === 429 || status === 503) return "throttled";
  if (status === 405 || status === 501) return "unsupported";
  return status >= 500 ? "unreachable" : "bad-request";
}

interface Failure {
  name?: string;
  Code?: string;
  code?: string;
  message?: string;
  ServerTime?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { statusCode?: number; headers?: Record<string, string> };
}

/** Returns the time a `Date` header gives, if it gives one. */
export function parseDate(header: string | undefined): Date | undefined {
  const ms = header === undefined ? NaN : Date.parse(header);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

/** Maps what the client threw. `now`: this computer's clock, ms since 1970. */
export function storeError(error: unknown, now: number): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const failure = (typeof error === "object" && error !== null ? error : { message: String(error) }) as Failure;
  const code = failure.Code ?? failure.name ?? "";
  const status = failure.$response?.statusCode ?? failure.$metadata?.httpStatusCode;
  const serverDate = parseDate(failure.$response?.headers?.date);
  const options = { status, serverDate, cause: bareCause(failure) };
  const words = [code, failure.message].filter((word) =>
    word && word !== "Error" && word !== "Unknown" && word !== "UnknownError"
  ).join(
    ": ",
  );
  // A status of success belongs to an answer that broke off or that cannot be read.
  if (status === undefined || (status < 300 && KINDS[code] === undefined)) {
    return withoutAnswer(failure, words, options);
  }
  let kind = KINDS[code] ?? kindOfStatus(status);
  // An answer to HEAD has no body, so that a refusal for the clock looks like any other.
  if (kind === "denied" && KINDS[code] === undefined && serverDate && Math.abs(now - serverDate.getTime()) > SKEW_MS) {
    kind = "clock-skew";
  }
  return new ObjectStoreError(kind, `${words === "" ? "no reason given" : words}, status ${status}`, options);
}

function withoutAnswer(
  failure: Failure,
  words: string,
  options: { status?: number; serverDate?: Date; cause: Error },
): ObjectStoreError {
  const kind = KINDS[failure.name ?? ""];
  if (kind === "denied") return new ObjectStoreError(kind, `no credentials were found: ${failure.message}`, options);
  if (/certificate|UnknownIssuer|SELF_SIGNED|UNABLE_TO_VERIFY/i.test(`${failure.code} ${failure.message}`)) {
    return new ObjectStoreError(
      "bad-request",
      `its certificate is not trusted, set ca_file under [s3] in the configuration: ${words}`,
      options,
    );
  }
  if (/Deserialization|char '.*' is not expected|Unexpected token/i.test(failure.message ?? "")) {
    return new ObjectStoreError("unsupported", `its answer is not of the S3 protocol: ${words}`, options);
  }
  return new ObjectStoreError("unreachable", failure.code ? `${failure.code}: ${failure.message}` : words, options);
}

/** The client's errors carry the response and with it the signed request: only words go on. */
function bareCause(failure: Failure): Error {
  const cause = new Error(failure.message ?? "no message");
  cause.name = failure.name ?? "Error";
  return cause;
}
