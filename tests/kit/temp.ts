/**
 * Temporary folders for tests: `await using dir = await tempDir()`.
 * @module
 */

export interface TempDir extends AsyncDisposable {
  /** OS path, links resolved. */
  readonly path: string;
}

/** A new folder that is removed with everything in it when the scope ends. */
export async function tempDir(): Promise<TempDir> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "labferry-test-" }));
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
