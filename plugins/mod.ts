/**
/**
 * The notifiers, schedulers, sources, standards and stores that come with labferry, one explicit list; the registry
 * refuses two of one name.
 * @module
 */
import type { Plugin } from "../core/contract.ts";
import { email } from "./notifiers/email.ts";
import { slack } from "./notifiers/slack.ts";
import { webhook } from "./notifiers/webhook.ts";
import { schtasks } from "./schedulers/schtasks.ts";
import { systemd } from "./schedulers/systemd.ts";
import { capacity } from "./sources/capacity.ts";
import { idleFolders } from "./sources/idle_folders.ts";
import { logTail } from "./sources/log_tail.ts";
import { outbox } from "./sources/outbox.ts";
import { phenocycler } from "./standards/phenocycler.ts";
import { s3 } from "./stores/s3.ts";

export const plugins: readonly Plugin[] = [
  email,
  slack,
  webhook,
  capacity,
  idleFolders,
  logTail,
  outbox,
  phenocycler,
  s3,
  schtasks,
  systemd,
];
