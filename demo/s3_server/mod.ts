/**
 * An S3 endpoint in this process that follows the rules of AWS for what labferry uses: signatures, checksums, multipart
 * uploads, conditional writes, listings. For the `demo` command and for tests, on the loopback address only.
 * @module
 */
export { type Faults, noFaults } from "./faults.ts";
export { type HeldObject, type S3Server, type S3ServerOptions, startS3Server } from "./server.ts";
