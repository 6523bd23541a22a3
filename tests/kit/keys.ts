/**
 * The one pair of S3 keys of all tests. The SDK takes its keys from the environment, which every test file of a process
 * shares: two pairs would refuse each other's requests now and then.
 * @module
 */

/** What the radosgw of the test servers was made with. */
export const ACCESS_KEY = "AKIATEST";
export const SECRET_KEY = "SECRETTEST";

/** Puts the keys where the SDK looks for them. */
export function useTestKeys(): void {
  Deno.env.set("AWS_ACCESS_KEY_ID", ACCESS_KEY);
  Deno.env.set("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
  Deno.env.set("AWS_EC2_METADATA_DISABLED", "true");
}
