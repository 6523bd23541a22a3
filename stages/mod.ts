/** The stages that come with labferry, one explicit list; the registry refuses two of one name. @module */
import type { AnyStage } from "../core/contract.ts";
import { checksumSidecar } from "./checksum_sidecar.ts";
import { cooldown } from "./cooldown.ts";
import { copy } from "./copy.ts";
import { deleteStage } from "./delete.ts";
import { dropRepeats } from "./drop_repeats.ts";
import { errorBlocks } from "./error_blocks.ts";
import { errorContext } from "./error_context.ts";
import { evict } from "./evict.ts";
import { health } from "./health.ts";
import { hook } from "./hook.ts";
import { lock } from "./lock.ts";
import { manifestAppend } from "./manifest_append.ts";
import { notify } from "./notify.ts";
import { proveArchived } from "./prove_archived.ts";
import { raiseEvent } from "./raise_event.ts";
import { recipients } from "./recipients.ts";
import { render } from "./render.ts";
import { s3Upload } from "./s3_upload.ts";
import { validate } from "./validate.ts";
import { verify } from "./verify.ts";

export const stages: readonly AnyStage[] = [
  checksumSidecar,
  cooldown,
  copy,
  deleteStage,
  dropRepeats,
  errorBlocks,
  errorContext,
  evict,
  health,
  hook,
  lock,
  manifestAppend,
  notify,
  proveArchived,
  raiseEvent,
  recipients,
  render,
  s3Upload,
  validate,
  verify,
];
