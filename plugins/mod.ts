/**
 * The schedulers, sources, standards and stores that come with labferry, one explicit list; the registry refuses two of one name.
 * @module
 */
import type { Plugin } from "../core/contract.ts";
import { schtasks } from "./schedulers/schtasks.ts";
import { systemd } from "./schedulers/systemd.ts";
import { capacity } from "./sources/capacity.ts";
import { idleFolders } from "./sources/idle_folders.ts";
import { phenocycler } from "./standards/phenocycler.ts";
import { s3 } from "./stores/s3.ts";

export const plugins: readonly Plugin[] = [
  capacity,
  idleFolders,
  phenocycler,
  s3,
  schtasks,
  systemd,
];
