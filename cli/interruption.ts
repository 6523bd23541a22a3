/** Ctrl+C and SIGTERM as the reason of an aborted signal, told apart from any other abort. @module */

const MESSAGE = "labferry was interrupted";

/** The reason signals are aborted with. */
export function interruption(): DOMException {
  return new DOMException(MESSAGE, "AbortError");
}

/** Whether an error only says that the person asked to stop. */
export function isInterruption(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError" && error.message === MESSAGE;
}
