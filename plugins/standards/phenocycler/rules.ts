/** Rules about layout: R4 (complete), R5 (strangers), R6 (pairs), R8 (scans), and links. @module */
import type { Finding } from "../../../core/errors.ts";
import type { Experiment, Scan, Stranger, StudyIndex } from "./listing.ts";

/** R4: metadata and data are both there. */
export function completenessFindings(index: StudyIndex): Finding[] {
  const findings: Finding[] = [];
  const state = index.isEmpty ? "study folder is empty" : undefined;
  if (index.designs.length + index.reports.length === 0) {
    findings.push(error("R4", "", `${state ?? "study has no metadata"}, wanted at least one .xpd or .fpr file`));
  }
  if (index.experiments.length === 0) {
    const wanted = `wanted at least one folder "${index.study}" or "${index.study}_<suffix>"`;
    findings.push(error("R4", "", `${state ?? "study has no experiment folder"}, ${wanted}`));
  }
  return findings;
}

/** R5: nothing else at the level of the study. */
export function strangerFindings(index: StudyIndex): Finding[] {
  return index.strangers.map((stranger) => error("R5", stranger.name, strangerMessage(stranger)));
}

function strangerMessage({ name, kind }: Stranger): string {
  const wanted = "wanted only .xpd files, .fpr files and experiment folders at the level of the study";
  const extension = /\.(xpd|fpr)$/i.exec(name)?.[1];
  if (kind === "symlink") return `"${name}" is a symbolic link, ${wanted}`;
  if (kind === "other") return `"${name}" is neither a file nor a folder, ${wanted}`;
  if (kind === "directory") {
    return extension === undefined
      ? `folder "${name}" is no experiment of this study, ${wanted}`
      : `"${name}" is a folder, wanted a file`;
  }
  if (extension !== undefined) {
    return `file "${name}" has the extension .${extension}, wanted .${extension.toLowerCase()} in lower case`;
  }
  return `file "${name}" does not belong here, ${wanted}`;
}

/**
 * R6: `.xpd` files and experiment folders pair one to one by name. A study described by `.fpr` files alone has no
 * pairs (R4 allows it); as soon as there is one `.xpd`, every experiment needs its own.
 */
export function pairingFindings(index: StudyIndex): Finding[] {
  const findings: Finding[] = [];
  for (const file of index.designs) {
    const stem = file.slice(0, -".xpd".length);
    if (index.folders.has(stem)) continue;
    const near = [...index.folders].sort().find((folder) => folder.toLowerCase() === stem.toLowerCase());
    const found = near === undefined ? "there is none" : `there is "${near}"`;
    findings.push(error("R6", file, `file "${file}" has no experiment folder: wanted "${stem}", ${found}`));
  }
  if (index.designs.length === 0) return findings;
  const designs = new Set(index.designs);
  for (const { name } of index.experiments) {
    if (designs.has(`${name}.xpd`)) continue;
    findings.push(error("R6", name, `experiment folder "${name}" has no design file, wanted "${name}.xpd" beside it`));
  }
  return findings;
}

/** R8: each experiment has a scan with an image and its `.temp` folder. */
export function scanFindings(index: StudyIndex): Finding[] {
  return index.experiments.filter((experiment) => !experiment.scans.some((scan) => scan.hasImage && scan.hasTemp))
    .map((experiment) => error("R8", experiment.name, scanMessage(experiment)));
}

function scanMessage(experiment: Experiment): string {
  const wanted = "wanted at least one Scan<N> folder with a *.qptiff file and a .temp folder";
  const what = `experiment folder "${experiment.name}"`;
  if (experiment.scans.length === 0) {
    const near = experiment.misnamedScans.map((name) => `"${name}"`).join(", ");
    return `${what} has no Scan<N> folder${near === "" ? "" : ` (only ${near})`}, ${wanted}`;
  }
  return `${what} has no complete scan (${experiment.scans.map(lacks).join("; ")}), ${wanted}`;
}

function lacks(scan: Scan): string {
  const missing = [scan.hasImage ? [] : ["no *.qptiff file"], scan.hasTemp ? [] : ["no .temp folder"]].flat();
  return `${scan.name}: ${[...missing, ...scan.nearMisses].join(", ")}`;
}

/** Links and special files below the level of the study: they are never followed and cannot be archived. */
export function linkFindings(index: StudyIndex): Finding[] {
  return index.deepLinks.map((entry) =>
    entry.kind === "symlink"
      ? error("links", entry.path, `"${entry.path}" is a symbolic link, wanted only files and folders`)
      : error("links", entry.path, `"${entry.path}" is neither a file nor a folder, wanted only files and folders`)
  );
}

function error(rule: string, path: string, message: string): Finding {
  return { rule, severity: "error", path, message };
}
