/** Chapters of the tour: studies are archived, proved and freed, and nothing is done twice. @module */
import { join } from "@std/path";
import { SIDECAR_NAME } from "../../core/io/names.ts";
import { itemPath } from "../../core/io/paths.ts";
import { hashFile } from "../../core/io/transfer.ts";
import type { RunReport } from "../../core/run/report.ts";
import { readSidecar } from "../../core/safety/sidecar.ts";
import { type MadeStudy, makeStudies } from "../studies.ts";
import { BUCKET, type Lab } from "./lab.ts";
import { isThere, mebibytes } from "./words.ts";

/** @returns what was made, and what was not as it should be */
export async function archive(lab: Lab): Promise<{ made: MadeStudy[]; wrong: string[] }> {
  const { folders, say, s3 } = lab;
  lab.chapter("Studies on the instrument");
  const made = await makeStudies(folders.source, { now: lab.now, signal: lab.signal });
  sayStudies(lab, made);

  lab.chapter("Places marked; S3 endpoint and mail server started in this process");
  const places = await lab.labferry(["install", "places"]);
  say(`bucket s3://${BUCKET} at ${s3.endpoint}, mail server at 127.0.0.1:${lab.mail.port}\n`);

  lab.chapter("A backup");
  const first = await lab.run(["backup", "run"]);
  lab.chapter("The ledger");
  await lab.labferry(["manifest", "show", folders.manifests]);
  lab.chapter("Checksums of the copies, from _checksums.sha256");
  const wrong = await checkCopies(lab, made);
  lab.chapter("What was left on the instrument, and why");
  await sayWhatIsLeft(lab, { made, report: first });

  lab.chapter("The same backup, once more");
  const puts = s3.requests.PUT ?? 0;
  const second = await lab.run(["backup", "run"]);
  return {
    made,
    wrong: [
      ...places.code === 0 ? [] : [`install places ended with ${places.code}, wanted 0`],
      ...wrong,
      ...unexpected(made, first),
      ...await misplaced(made, folders.source),
      ...repeated(second, { misnamed: made.filter((study) => study.expect === "refused").map((study) => study.name) }),
      ...dataPuts(first, { before: puts, after: s3.requests.PUT ?? 0 }),
    ],
  };
}

export function sayStudies({ say }: Pick<Lab, "say">, made: readonly MadeStudy[]): void {
  for (const study of made) say(`${study.name}: ${study.files} files, ${mebibytes(study.bytes)}; ${study.why}\n`);
}

async function checkCopies({ fs, folders, say, signal }: Lab, made: readonly MadeStudy[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const study of made.filter((made) => made.expect === "archived")) {
    const folder = join(folders.truenas, study.name);
    const found = { good: 0, bad: 0 };
    for await (const { path, sha256 } of readSidecar(fs, join(folder, SIDECAR_NAME), { signal })) {
      const hashed = await hashFile(fs, itemPath(folder, path), { signal });
      if (hashed.sha256 === sha256) found.good++;
      else found.bad++;
    }
    say(
      `${study.name}: ${found.good} files match, ${found.bad} do not (also: cd ${folder} && sha256sum -c ${SIDECAR_NAME})\n`,
    );
    if (found.bad > 0 || found.good !== study.files) {
      wrong.push(`${study.name}: ${found.good} of ${study.files} copies match`);
    }
  }
  return wrong;
}

async function sayWhatIsLeft(
  { folders, say }: Lab,
  { made, report }: { made: readonly MadeStudy[]; report: RunReport },
): Promise<void> {
  for (const study of made) {
    if (!await isThere(join(folders.source, study.name))) continue;
    const item = report.items.find((candidate) => candidate.name === study.name);
    const why = item?.error?.message ?? "it is not idle yet: the instrument wrote to it less than 14 days ago";
    say(`${study.name}: ${why}\n`);
    for (const finding of item?.error?.findings ?? []) say(`    ${finding.rule}  ${finding.message}\n`);
  }
}

/** What a first run did with the studies that it should not have done. Pure. */
export function unexpected(
  made: readonly Pick<MadeStudy, "name" | "expect">[],
  report: Pick<RunReport, "exit_code" | "items">,
): string[] {
  const wrong = report.exit_code === 1
    ? []
    : [`the first run ended with ${report.exit_code}, wanted 1 (one study is misnamed)`];
  for (const study of made) {
    const outcome = report.items.find((item) => item.name === study.name)?.outcome ?? "not taken up";
    const wanted = { "archived": "done", "refused": "failed", "left-alone": "not taken up" }[study.expect];
    if (outcome !== wanted) wrong.push(`${study.name}: ${outcome}, wanted ${wanted}`);
  }
  return wrong;
}

/** Studies that are on the instrument and should not be, or the other way round. */
export async function misplaced(
  made: readonly Pick<MadeStudy, "name" | "expect">[],
  source: string,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const study of made) {
    const there = await isThere(join(source, study.name));
    if (there === (study.expect === "archived")) {
      wrong.push(`${study.name} is ${there ? "still" : "no longer"} on the instrument`);
    }
  }
  return wrong;
}

/** The second run reports the misnamed study again and touches no data. Pure. */
export function repeated(
  report: Pick<RunReport, "items">,
  { misnamed }: { misnamed: readonly string[] },
): string[] {
  const wrong: string[] = [];
  const names = report.items.map((item) => item.name);
  if (JSON.stringify(names) !== JSON.stringify(misnamed)) {
    wrong.push(`the second run took up ${names.join(", ") || "nothing"}`);
  }
  for (const stage of report.items.flatMap((item) => item.stages)) {
    if (["copy", "s3-upload", "delete"].includes(stage.use) && stage.applied > 0) {
      wrong.push(`the second run did work in ${stage.id}`);
    }
  }
  return wrong;
}

/** Of the second run only the ledger's mirror may be put. */
function dataPuts(first: RunReport, { before, after }: { before: number; after: number }): string[] {
  const ledgerLines = first.items.length;
  return after - before <= ledgerLines * 2 ? [] : [`the second run put ${after - before} objects`];
}
