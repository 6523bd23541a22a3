/** Work that must not hold a command up. @module */

/** Waits for `work`, but not for longer than `ms`; it then goes on by itself. Keeps the process alive until then. */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
