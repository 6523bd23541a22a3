/**
 * The main job on made-up studies, in a scratch folder with an S3 endpoint of its own: what `labferry demo` shows. The
 * pipeline is the shipped one; only the studies, the NAS and the bucket are made up.
 * @module
 */
import { join } from "@std/path";
import { PipelineError } from "../core/errors.ts";
import { foldLedger } from "../core/ledger/fold.ts";
import { renderLedger } from "../core/ledger/show.ts";
import type { RunReport } from "../core/run/report.ts";
import type { FileSystem } from "../core/io/file_system.ts";
import { hashFile } from "../core/io/transfer.ts";
import { readSidecar } from "../core/safety/sidecar.ts";
import { itemPath } from "../core/io/paths.ts";
import { SIDECAR_NAME } from "../core/io/names.ts";
import { startS3Server } from "./s3_server/mod.ts";
import { makeStudies } from "./studies.ts";
import type { MadeStudy } from "./studies.ts";

const BUCKET = "lab-archive";

/** The scratch folder's parts, and the program's own ways to run a pipeline in it. */
export interface TourOptions {
  /** An existing, empty folder. */
  folder: string;
  now: number;
  /** Shows text to the person watching. */
  say(text: string): void;
  /** Marks the places of the config in the folder. */
  installPlaces(configFile: string): Promise<void>;
  /** Runs the shipped `backup` pipeline with the config in the folder. */
  backup(configFile: string): Promise<RunReport>;
  /** Renders a report for people. */
  render(report: RunReport): string;
  fs: FileSystem;
  /** Hands the endpoint's keys to the S3 client, which looks for them as for any other. */
  useKeys(keys: { accessKey: string; secretKey: string }): void;
  signal: AbortSignal;
}

/**
 * Runs the tour: makes studies, archives them, shows ledger and checksums, and runs once more.
 * @returns what was not as it should be; empty when all was
 */
export async function tour(options: TourOptions): Promise<string[]> {
  const { folder, say } = options;
  const folders = {
    source: join(folder, "instrument"),
    truenas: join(folder, "truenas"),
    manifests: join(folder, "manifests"),
  };
  for (const path of Object.values(folders)) await Deno.mkdir(path);
  say(heading("1. Studies on the instrument"));
  const made = await makeStudies(folders.source, { now: options.now, signal: options.signal });
  for (const study of made) say(`${study.name}: ${study.files} files, ${mebibytes(study.bytes)}; ${study.why}\n`);

  await using server = await startS3Server({ buckets: [BUCKET] });
  options.useKeys(server);
  const configFile = join(folder, "config.toml");
  await Deno.writeTextFile(configFile, configText(server.endpoint));
  say(heading("2. Places marked, S3 endpoint started in this process"));
  await options.installPlaces(configFile);
  say(
    `${folders.source}, ${folders.truenas} and ${folders.manifests} hold a marker each; bucket s3://${BUCKET} at ${server.endpoint}\n`,
  );

  say(heading("3. labferry backup run"));
  const first = await options.backup(configFile);
  say(options.render(first));
  options.signal.throwIfAborted();
  say(heading("4. The ledger"));
  say(renderLedger(await foldLedger(options.fs, folders.manifests), "text"));
  say(heading("5. Checksums of the copies, from _checksums.sha256"));
  const wrong = await checkCopies(options, { root: folders.truenas, studies: made });
  say(heading("6. What was left on the instrument, and why"));
  await sayWhatIsLeft(options, { made, source: folders.source, report: first });

  say(heading("7. labferry backup run, once more"));
  const puts = server.requests.PUT ?? 0;
  const second = await options.backup(configFile);
  say(options.render(second));
  return [
    ...wrong,
    ...unexpected(made, first),
    ...await misplaced(made, folders.source),
    ...repeated(second, { misnamed: made.filter((study) => study.expect === "refused").map((study) => study.name) }),
    ...dataPuts(first, { before: puts, after: server.requests.PUT ?? 0 }),
  ];
}

/** The config of the scratch folder. */
function configText(endpoint: string): string {
  return `# Written by labferry demo. Paths are relative to this file.
[paths]
source_root   = "instrument"
truenas_root  = "truenas"
manifest_root = "manifests"

[s3]
bucket   = "${BUCKET}"
prefix   = "fusion"
endpoint = "${endpoint}"

[backup]
idle_days      = 14
settle_minutes = 0 # the studies were made a moment ago
`;
}

async function checkCopies(
  options: TourOptions,
  { root, studies }: { root: string; studies: readonly MadeStudy[] },
): Promise<string[]> {
  const { fs, signal } = options;
  const wrong: string[] = [];
  for (const study of studies.filter((made) => made.expect === "archived")) {
    const folder = join(root, study.name);
    const found = { good: 0, bad: 0 };
    for await (const { path, sha256 } of readSidecar(fs, join(folder, SIDECAR_NAME), { signal })) {
      const hashed = await hashFile(fs, itemPath(folder, path), { signal });
      if (hashed.sha256 === sha256) found.good++;
      else found.bad++;
    }
    options.say(
      `${study.name}: ${found.good} files match, ${found.bad} do not (also: cd ${folder} && sha256sum -c ${SIDECAR_NAME})\n`,
    );
    if (found.bad > 0 || found.good !== study.files) {
      wrong.push(`${study.name}: ${found.good} of ${study.files} copies match`);
    }
  }
  return wrong;
}

async function sayWhatIsLeft(
  options: TourOptions,
  { made, source, report }: { made: readonly MadeStudy[]; source: string; report: RunReport },
): Promise<void> {
  for (const study of made) {
    if (!await isThere(join(source, study.name))) continue;
    const item = report.items.find((candidate) => candidate.name === study.name);
    const why = item?.error?.message ?? "it is not idle yet: the instrument wrote to it less than 14 days ago";
    options.say(`${study.name}: ${why}\n`);
    for (const finding of item?.error?.findings ?? []) {
      options.say(`    ${finding.rule}  ${finding.message}\n`);
    }
  }
}

function unexpected(made: readonly MadeStudy[], report: RunReport): string[] {
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

async function misplaced(made: readonly MadeStudy[], source: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const study of made) {
    const there = await isThere(join(source, study.name));
    if (there === (study.expect === "archived")) {
      wrong.push(`${study.name} is ${there ? "still" : "no longer"} on the instrument`);
    }
  }
  return wrong;
}

/** The second run reports the misnamed study again and touches no data. */
function repeated(report: RunReport, { misnamed }: { misnamed: readonly string[] }): string[] {
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

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new PipelineError("demo/unreadable", `Cannot look at "${path}": ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function heading(text: string): string {
  return `\n${text}\n${"-".repeat(text.length)}\n`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
