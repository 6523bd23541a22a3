/** A run that was asked to stop: nobody did anything wrong, and a later run goes on with what is left. @module */
import { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";

/** The error of whatever ends because the run was asked to stop. */
export function stoppedError(cause?: unknown): PipelineError {
  return new PipelineError("run/stopped", "Cannot go on: the run was asked to stop", {
    cause,
    hint: "Run again; what is finished is kept.",
  });
}

/** Any error as one for people; the reason of a signal that was aborted is no fault of the program. */
export function asRunError(
  error: unknown,
  { stop, abort, doing }: { stop: AbortSignal; abort: AbortSignal; doing: string },
): PipelineError {
  const known = asKnownError(error, doing);
  // A reason that was put into words on its way is a fault of nobody either.
  const first = known.code === "internal/unexpected" ? known.cause : error;
  return [stop, abort].some((signal) => signal.aborted && signal.reason === first) ? stoppedError(first) : known;
}
