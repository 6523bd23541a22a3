/** The studies of a case. @module */
import type { CaseContent, CaseStudy } from "../core/pipeline/case_schema.ts";
import { patternBytes } from "./doubles.ts";

/** Bytes of a file of a case. Files of the same size at different paths differ. */
export function contentBytes(content: CaseContent, path: string): Uint8Array {
  if (typeof content === "string") return new TextEncoder().encode(content);
  let seed = 1;
  for (const letter of path) seed = (Math.imul(seed, 31) + letter.charCodeAt(0)) >>> 0;
  return patternBytes(content.size, seed);
}

/** Files of a study by path within it. */
export function studyFiles(name: string, { fixture, files }: CaseStudy): Record<string, Uint8Array> {
  const all: Record<string, CaseContent> = { ...fixture === undefined ? {} : phenocycler(name), ...files };
  return Object.fromEntries(Object.entries(all).map(([path, content]) => [path, contentBytes(content, path)]));
}

/** What the naming standard of the PhenoCycler wants of a study, each file as small as can be. */
function phenocycler(name: string): Record<string, string> {
  return {
    [`${name}.xpd`]: "protocol",
    [`${name}.fpr`]: "report",
    [`${name}/Scan1/${name}.qptiff`]: "image",
    [`${name}/Scan1/.temp/tile 1`]: "tile",
  };
}
