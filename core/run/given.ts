/** What stages hand to the ports, looked at before anything is done with it: a mistake is told in words. @module */
import type { Json, SourceFile } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { type Field, fieldFaults, notJson, oneOf, optional, shown, text } from "../external/field.ts";
import { isReservedName } from "../io/names.ts";
import type { DestroyRules, ExecOptions, LedgerStatus } from "../ports.ts";

/** Which act of which stage. */
export interface Act {
  name: string;
  stage: string;
}

const SIZE: Field = {
  wanted: "its bytes, a whole number",
  is: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
const STATUS = oneOf(...Object.keys(
  {
    in_progress: true,
    complete: true,
    failed_validation: true,
    failed_truenas: true,
    failed_s3: true,
    failed: true,
  } satisfies Record<LedgerStatus, true>,
));
const TEXTS: Field = {
  wanted: 'a list of texts, at least the program: ["rsync", "-a"]',
  is: (value) => Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string"),
};

/** Throws unless these are files of a study. @throws {PipelineError} `stage/bad-argument` */
export function assertFiles(act: Act, files: readonly SourceFile[]): void {
  if (!Array.isArray(files)) throw bad(act, `found ${shown(files)}, wanted a list of files`);
  for (const [i, file] of files.entries()) {
    if (typeof file !== "object" || file === null) {
      throw bad(act, `"files[${i}]": found ${shown(file)}, wanted a file of the study: { path, size, mtimeMs }`);
    }
    const { path, size } = file;
    const faults = fieldFaults({ path, size }, { path: text, size: SIZE });
    if (faults.length > 0) throw bad(act, faults.map((fault) => `"files[${i}]": ${fault}`).join("; "));
  }
}

/**
 * Throws when any of the files has a name of the engine's own: its lock, temporaries, markers and lists of checksums
 * are never copied (SAFETY S14). @throws {PipelineError} `stage/own-name`
 */
export function assertNoneOurs(act: Act, files: readonly SourceFile[]): void {
  const ours = files.find(({ path }) => path.split(/[/\\]/).some(isReservedName));
  if (ours === undefined) return;
  throw new PipelineError(
    "stage/own-name",
    `Cannot do ${act.name} for stage "${act.stage}": "${ours.path}" has a name that is reserved for labferry`,
    { hint: "Its lock, temporaries, markers and checksums are never copied. Take the files from ctx.source.files" },
  );
}

/** Throws unless it is a status of the ledger. @throws {PipelineError} `stage/bad-argument` */
export function assertStatus(act: Act, status: LedgerStatus): void {
  if (!STATUS.is(status)) throw bad(act, `found ${shown(status)}, wanted ${STATUS.wanted}`);
}

/** Throws unless it says what to run. @throws {PipelineError} `stage/bad-argument` */
export function assertExec(act: Act, options: ExecOptions): void {
  assertObject(act, options, { argv: TEXTS }, "{ argv }");
}

/** Throws unless these are rules of a destroy. @throws {PipelineError} `stage/bad-argument` */
export function assertRules(act: Act, rules: DestroyRules): void {
  assertObject(act, rules, { place: text, recheck: optional(oneOf("identity", "hash")) }, "{ place, places, recheck }");
}

/** Throws unless JSON can hold it. @throws {PipelineError} `stage/bad-argument` */
export function assertJson(act: Act, value: Json): void {
  const found = notJson(value);
  if (found !== undefined) throw bad(act, `found ${found}, wanted what JSON can hold; null for nothing`);
}

function assertObject(act: Act, value: object, fields: Record<string, Field>, wanted: string): void {
  if (typeof value !== "object" || value === null) throw bad(act, `found ${shown(value)}, wanted ${wanted}`);
  const known = Object.fromEntries(Object.keys(fields).map((key) => [key, (value as Record<string, unknown>)[key]]));
  const faults = fieldFaults(known, fields);
  if (faults.length > 0) throw bad(act, faults.join("; "));
}

function bad({ name, stage }: Act, found: string): PipelineError {
  return new PipelineError("stage/bad-argument", `Cannot do ${name} for stage "${stage}": ${found}`, {
    hint: "This is a mistake of the stage; tell its author",
  });
}
