/**
 * Standard `phenocycler`: the naming standard of PhenoCycler Fusion studies, rules R1 to R8, as a pure function over a
 * listing. It uses nothing of the runtime, so that a page in a browser gives the same verdicts.
 *
 * Upper and lower case matter everywhere: `.xpd`, `.fpr`, `.qptiff`, `.temp` and `Scan<N>` are spelled exactly so,
 * because the systems that read the archive tell them apart.
 * @module
 */
import type { ListedEntry, StandardPlugin } from "../../core/contract.ts";
import type { Finding } from "../../core/errors.ts";
import { indexStudy, isScanLike } from "./phenocycler/listing.ts";
import { experimentNameFindings, reportNameFindings, studyNameFindings } from "./phenocycler/names.ts";
import {
  completenessFindings,
  linkFindings,
  pairingFindings,
  scanFindings,
  strangerFindings,
} from "./phenocycler/rules.ts";

export { experimentNameFindings, studyNameFindings } from "./phenocycler/names.ts";

export const phenocycler: StandardPlugin = {
  kind: "standard",
  name: "phenocycler",
  summary: "Names and layout of PhenoCycler Fusion studies: rules R1 to R8.",
  depth: 3,
  wants: wantsEntry,
  check: checkStudy,
};

/** Whether a rule looks at the entry; the tiles of a scan, which may be millions, are never collected. */
function wantsEntry(entry: ListedEntry): boolean {
  if (entry.kind === "symlink" || entry.kind === "other") return true;
  const segments = entry.path.split("/");
  if (segments.length === 1) return true;
  if (!isScanLike(segments[1])) return false;
  if (segments.length === 2) return true;
  return segments.length === 3 && /^\.temp$|\.qptiff$/i.test(segments[2]);
}

/**
 * Returns every finding of a study: its folder's name and a listing of what is in it (see `wantsEntry` for the part
 * that matters). The order of the entries makes no difference; findings are ordered by rule, then path.
 */
function checkStudy(study: string, entries: readonly ListedEntry[]): Finding[] {
  const index = indexStudy(study, entries);
  const findings = [
    ...studyNameFindings(study),
    ...index.experiments.flatMap((experiment) => experimentNameFindings(study, experiment.name)),
    ...index.lookalikes.flatMap((name) => experimentNameFindings(study, name)),
    ...index.reports.flatMap(reportNameFindings),
    ...completenessFindings(index),
    ...strangerFindings(index),
    ...pairingFindings(index),
    ...scanFindings(index),
    ...linkFindings(index),
  ];
  return findings.sort((a, b) => compare(a.rule, b.rule) || compare(a.path, b.path) || compare(a.message, b.message));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
