/** Checks of AWS Signature Version 4, as S3 uses it: in the `Authorization` header. */
import { createHash, createHmac } from "node:crypto";
import { S3Error } from "./_errors.ts";

/** AWS refuses requests whose time differs by more. */
const MAX_SKEW_MS = 15 * 60_000;

export interface Keys {
  accessKey: string;
  secretKey: string;
}

const hmac = (key: string | Uint8Array, text: string): Uint8Array => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Percent-encodes everything but unreserved characters. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function denied(code: string, message: string): S3Error {
  return new S3Error(403, code, message);
}

interface Authorization {
  accessKey: string;
  scope: string[];
  signedHeaders: string[];
  signature: string;
}

function parseAuthorization(header: string | null): Authorization {
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    header ?? "",
  );
  if (!match) throw denied("AccessDenied", "Anonymous access is forbidden for this operation");
  const [accessKey, ...scope] = match[1].split("/");
  if (scope.length !== 4) throw denied("AuthorizationHeaderMalformed", "The credential is not well formed");
  return { accessKey, scope, signedHeaders: match[2].split(";"), signature: match[3] };
}

/** `20260101T000000Z` as ms since 1970. */
function parseAmzDate(text: string | null): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (!match) throw denied("AccessDenied", "The request has no valid x-amz-date");
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function canonicalRequest(request: Request, url: URL, signedHeaders: string[]): string {
  const path = url.pathname.split("/").map((segment) => uriEncode(decodeURIComponent(segment))).join("/");
  const query = url.search.slice(1).split("&").filter((pair) => pair !== "").map((pair) => {
    const [name, value = ""] = pair.split("=", 2).map((part) => uriEncode(decodeURIComponent(part)));
    return `${name}=${value}`;
  }).sort().join("&");
  const headers = signedHeaders.map((name) =>
    `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`
  );
  const payload = request.headers.get("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  return [request.method, path, query, headers.join(""), signedHeaders.join(";"), payload].join("\n");
}

/**
 * Refuses a request that was not signed with `keys`, or not at this time.
 * @throws {S3Error} `InvalidAccessKeyId`, `SignatureDoesNotMatch`, `RequestTimeTooSkewed`, `AccessDenied`
 */
export function checkSignature(request: Request, url: URL, options: { keys: Keys; now: number }): void {
  const { keys, now } = options;
  const { accessKey, scope, signedHeaders, signature } = parseAuthorization(request.headers.get("authorization"));
  if (accessKey !== keys.accessKey) {
    throw denied("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
  }
  const stamp = request.headers.get("x-amz-date");
  if (Math.abs(parseAmzDate(stamp) - now) > MAX_SKEW_MS) {
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      { RequestTime: stamp!, ServerTime: new Date(now).toISOString(), MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS) },
    );
  }
  const signingKey = scope.reduce<string | Uint8Array>((key, part) => hmac(key, part), `AWS4${keys.secretKey}`);
  const canonical = canonicalRequest(request, url, signedHeaders);
  const text = ["AWS4-HMAC-SHA256", stamp, scope.join("/"), sha256(canonical)].join("\n");
  const expected = createHmac("sha256", signingKey).update(text).digest("hex");
  if (expected !== signature) {
    throw denied(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided.",
    );
  }
}
