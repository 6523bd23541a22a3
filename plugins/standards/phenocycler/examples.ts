/**
 * The rules in words, with what passes and what fails: one table for the tests and for docs/data_standard.md.
 * @module
 */
import type { ListedEntry } from "../../../core/contract.ts";

/** A study and what is found in it. */
export interface Example {
  /** What it shows, in a few words. */
  about: string;
  study: string;
  /** What is in it; a `/` at the end makes a folder, an `@` a symbolic link. */
  paths: readonly string[];
  /** Rules and paths of the findings, such as `R6 <experiment>`; none for a study that passes. */
  finds: readonly string[];
  /** What matters, shown instead of the whole listing. */
  shown?: string;
}

export interface Rule {
  code: string;
  title: string;
  /** The rule, in one paragraph of Markdown. */
  text: string;
  examples: readonly Example[];
}

/** Returns paths as a listing. */
export function listingOf(paths: readonly string[]): ListedEntry[] {
  return paths.map((path) => {
    if (path.endsWith("/")) return { path: path.slice(0, -1), kind: "directory" };
    if (path.endsWith("@")) return { path: path.slice(0, -1), kind: "symlink" };
    return { path, kind: "file" };
  });
}

const STUDY = "20250131_ada_kidney_batch-1";

/** An experiment with one complete scan. */
function experiment(name: string): string[] {
  return [`${name}/`, `${name}/Scan1/`, `${name}/Scan1/${name}.qptiff`, `${name}/Scan1/.temp/`];
}

function conforming(study: string): string[] {
  return [`${study}.xpd`, ...experiment(study)];
}

/** A study that has nothing wrong but, perhaps, its name. */
function named(study: string, about: string, ...finds: string[]): Example {
  return { about, study, paths: conforming(study), finds, shown: study };
}

/** A conforming study with one more experiment and its design file. */
function suffixed(name: string, about: string, ...finds: string[]): Example {
  return { about, study: STUDY, paths: [...conforming(STUDY), `${name}.xpd`, ...experiment(name)], finds, shown: name };
}

/** A listing that is shown as a whole. */
function layout(about: string, paths: readonly string[], ...finds: string[]): Example {
  return { about, study: STUDY, paths, finds };
}

/** A study whose only experiment holds this. */
function scanned(about: string, inside: readonly string[], ...finds: string[]): Example {
  return layout(about, [`${STUDY}.xpd`, `${STUDY}/`, ...inside.map((path) => `${STUDY}/${path}`)], ...finds);
}

export const RULES: readonly Rule[] = [
  {
    code: "R1",
    title: "The name of a study",
    text:
      "A study's folder is named `YYYYMMDD_<user>_<project>_<customname>`: four fields joined by `_`, the first a " +
      "date that exists.",
    examples: [
      named(STUDY, "four fields"),
      named("20240229_li_tonsil_panel2", "a leap day"),
      named("20250131_ada_kidney", "three fields", "R1 "),
      named("20250131_ada_kidney_batch_1", "five fields", "R1 "),
      named("20250229_ada_kidney_b1", "no such day", "R1 "),
      named("31012025_ada_kidney_b1", "the day first", "R1 "),
      named("2025-01-31_ada_kidney_b1", "a date with hyphens", "R1 "),
      named("20250131_ada__b1", "an empty field", "R1 "),
    ],
  },
  {
    code: "R2",
    title: "The name of an experiment",
    text: "An experiment's folder is named as its study is, letter for letter, or so with one suffix: " +
      "`<study>_<suffix>`. There is no `_` in a suffix.",
    examples: [
      suffixed(`${STUDY}_region2`, "with a suffix"),
      suffixed(`${STUDY}_a_b`, "two suffixes", `R2 ${STUDY}_a_b`),
      suffixed(`${STUDY}_`, "an empty suffix", `R2 ${STUDY}_`),
      {
        about: "another user's study",
        study: STUDY,
        paths: [...conforming(STUDY), ...experiment("20250131_bob_kidney_batch-1")],
        finds: ["R2 20250131_bob_kidney_batch-1"],
        shown: "20250131_bob_kidney_batch-1",
      },
      {
        about: "other capitals",
        study: STUDY,
        paths: [...conforming(STUDY), ...experiment("20250131_Ada_kidney_batch-1")],
        finds: ["R2 20250131_Ada_kidney_batch-1"],
        shown: "20250131_Ada_kidney_batch-1",
      },
    ],
  },
  {
    code: "R3",
    title: "Characters and length",
    text: "A field holds letters `A-Z` and `a-z`, digits and `-`, nothing else. The name of a study or an experiment " +
      "has at most 60 characters, so that paths with it fit the limit of Windows.",
    examples: [
      named("20250131_Ada-L_kidney_b1", "capitals and hyphens"),
      named("20250131_ada l_kidney_b1", "a space", "R3 "),
      named("20250131_ada_kidney_bätch", "a letter outside of A-Z", "R3 "),
      suffixed(`${STUDY}_v1.2`, "a dot in a suffix", `R3 ${STUDY}_v1.2`),
      named(`20250131_ada_kidney_${"x".repeat(40)}`, "60 characters"),
      named(`20250131_ada_kidney_${"x".repeat(41)}`, "61 characters", "R3 "),
    ],
  },
  {
    code: "R4",
    title: "Metadata and data",
    text: "A study has metadata, at least one `.xpd` or `.fpr` file, and data, at least one experiment folder.",
    examples: [
      layout("a design and its experiment", conforming(STUDY)),
      layout("a report in place of the design", ["plate.fpr", ...experiment(STUDY)]),
      layout("no metadata", experiment(STUDY), "R4 "),
      layout("no experiment", ["plate.fpr"], "R4 "),
    ],
  },
  {
    code: "R5",
    title: "Nothing else",
    text: "At the level of the study stand `.xpd` files, `.fpr` files and experiment folders, and nothing else. The " +
      "extensions are in lower case. Within an experiment anything may stand, but for links.",
    examples: [
      layout("notes inside an experiment", [...conforming(STUDY), `${STUDY}/notes.txt`]),
      layout("notes beside it", [...conforming(STUDY), "notes.txt"], "R5 notes.txt"),
      layout("a folder of another name", [...conforming(STUDY), "export/"], "R5 export"),
      layout("an extension in capitals", [...conforming(STUDY), "plate.FPR"], "R5 plate.FPR"),
      layout("a symbolic link", [...conforming(STUDY), "latest@"], "R5 latest"),
    ],
  },
  {
    code: "R6",
    title: "Designs and experiments in pairs",
    text:
      "Each `.xpd` file has an experiment folder of its name beside it, and, as soon as there is one `.xpd` file, " +
      "each experiment folder has its `.xpd` file.",
    examples: [
      layout("two pairs", [...conforming(STUDY), ...conforming(`${STUDY}_b`)]),
      layout("a design without its experiment", [...conforming(STUDY), `${STUDY}_b.xpd`], `R6 ${STUDY}_b.xpd`),
      layout("an experiment without its design", [...conforming(STUDY), ...experiment(`${STUDY}_b`)], `R6 ${STUDY}_b`),
    ],
  },
  {
    code: "R7",
    title: "Names of reports",
    text:
      "The name of an `.fpr` file holds the characters of R3; its fields may be joined by `_`. It needs no partner: " +
      "one may serve several experiments.",
    examples: [
      layout("plain characters", [...conforming(STUDY), "plate_2-b.fpr"]),
      layout("a space", [...conforming(STUDY), "my plate.fpr"], "R7 my plate.fpr"),
      layout("a second dot", [...conforming(STUDY), "plate.v2.fpr"], "R7 plate.v2.fpr"),
    ],
  },
  {
    code: "R8",
    title: "A complete scan",
    text: "Each experiment has at least one folder `Scan<N>` that holds both a `*.qptiff` file and a folder `.temp`.",
    examples: [
      scanned("the second scan is complete", ["Scan1/", "Scan2/", "Scan2/a.qptiff", "Scan2/.temp/"]),
      scanned("no image", ["Scan1/", "Scan1/.temp/"], `R8 ${STUDY}`),
      scanned("no .temp folder", ["Scan1/", "Scan1/a.qptiff"], `R8 ${STUDY}`),
      scanned(
        "image and .temp in two scans",
        ["Scan1/", "Scan1/a.qptiff", "Scan2/", "Scan2/.temp/"],
        `R8 ${STUDY}`,
      ),
      scanned("a scan of another spelling", ["scan1/", "scan1/a.qptiff", "scan1/.temp/"], `R8 ${STUDY}`),
    ],
  },
];
