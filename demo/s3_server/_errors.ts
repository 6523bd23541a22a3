import { xml, xmlResponse } from "./_xml.ts";

/** An error of the S3 protocol. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, string> = {},
  ) {
    super(message);
  }

  toResponse(method: string): Response {
    // An answer to HEAD has no body, as with AWS.
    if (method === "HEAD") return new Response(null, { status: this.status });
    const { code: Code, message: Message } = this;
    return xmlResponse(xml("Error", { Code, Message, ...this.details }), this.status);
  }
}

export const noSuchKey = (key: string) =>
  new S3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: key });
export const noSuchUpload = () => new S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.");
export const preconditionFailed = () =>
  new S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    Condition: "If-None-Match",
  });
export const invalidRequest = (message: string) => new S3Error(400, "InvalidRequest", message);
export const notImplemented = (what: string) =>
  new S3Error(501, "NotImplemented", `${what} is not implemented by this endpoint`);
