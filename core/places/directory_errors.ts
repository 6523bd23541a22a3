/** What a folder place says of a file that is not the copy it should be. @module */
import { PipelineError } from "../errors.ts";

/** SAFETY S2: another name of the source's own file is no second place. */
export function notACopy(place: string, { path, uri }: { path: string; uri: string }): PipelineError {
  return new PipelineError("copy/conflict", `Cannot copy "${path}" to "${uri}": the very same file stands there`, {
    hint: `A hard link is no copy. Remove that link from ${place}, then run again.`,
  });
}

/** The file at `uri` is not, or no longer, what the source is. */
export function notHeld(place: string, uri: string, found: string): PipelineError {
  return new PipelineError("verify/mismatch", `Cannot verify "${uri}": ${found}`, {
    hint:
      `The copy at ${place} is not the source. Move that file away, have the storage checked, then run again; the source is untouched.`,
  });
}
