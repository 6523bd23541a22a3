/** Chapters of the tour: the NAS runs full, and the oldest backups leave it. @module */
import { join } from "@std/path";
import { SIDECAR_NAME } from "../../core/io/names.ts";
import { foldLedger } from "../../core/ledger/fold.ts";
import type { LedgerRecord } from "../../core/ledger/record.ts";
import type { RunReport } from "../../core/run/report.ts";
import { readSidecar } from "../../core/safety/sidecar.ts";
import { makeStudies, planAcquisitions } from "../studies.ts";
import { sayStudies } from "./archive.ts";
import { BUCKET, FREE_THRESHOLD, type Lab, NAS_BYTES, PREFIX } from "./lab.ts";
import { isThere, mebibytes } from "./words.ts";

/** A backup on the NAS, and what its list of checksums says. */
interface Kept {
  name: string;
  bytes: number;
  /** Hash of each file by the key of its object. */
  hashes: Map<string, string>;
}

/** @returns what was not as it should be */
export async function fullNas(lab: Lab): Promise<string[]> {
  const { say, s3, folders } = lab;
  lab.chapter("The instrument goes on, and the NAS runs full");
  const made = await makeStudies(folders.source, { now: lab.now, plan: planAcquisitions, signal: lab.signal });
  sayStudies(lab, made);
  const backup = await lab.run(["backup", "run"]);
  const before = await freeShare(lab);
  say(
    `This made-up NAS holds ${mebibytes(NAS_BYTES)}. ${percent(before)} of it is free, wanted ${FREE_THRESHOLD} %.\n`,
  );

  // Read now: the lists leave the NAS with their studies.
  const kept = await oldestFirst(lab);
  const wanted = toEvict(kept, { free: before * NAS_BYTES, total: NAS_BYTES, below: FREE_THRESHOLD });
  lab.chapter("What would leave the NAS, in order, and what would then be free");
  const plan = await lab.run(["cleanup", "run", "--dry-run"]);
  const untouched = await onNas(lab, kept);

  lab.chapter("The oldest backups leave the NAS, each after S3 proved every file of it");
  const removals = s3.requests.DELETE ?? 0;
  const cleanup = await lab.run(["cleanup", "run"]);
  lab.chapter("What is where now");
  const left = await onNas(lab, kept);
  const missing = await sayWhatIsWhere(lab, { kept, left });
  await lab.labferry(["manifest", "show", folders.manifests]);
  const after = await freeShare(lab);
  const { records } = await foldLedger(lab.fs, folders.manifests);
  return [
    ...notArchived(backup, made.map(({ name }) => name)),
    ...before * 100 < FREE_THRESHOLD ? [] : [`the NAS did not run full: ${percent(before)} is free`],
    ...notAsPlanned(plan, wanted),
    ...untouched.length === kept.length ? [] : ["the dry run removed something from the NAS"],
    ...notAsPlanned(cleanup, wanted),
    ...notProved(cleanup, kept),
    ...notEvicted(kept.map(({ name }) => name), { evicted: wanted, left, records }),
    ...missing,
    ...(s3.requests.DELETE ?? 0) === removals ? [] : ["the cleanup removed objects from S3"],
    ...after * 100 >= FREE_THRESHOLD ? [] : [`only ${percent(after)} of the NAS is free after the cleanup`],
  ];
}

/** Free share of the NAS, 0 to 1. */
async function freeShare({ fs, folders }: Lab): Promise<number> {
  const { free, total } = await fs.space(folders.truenas);
  return free / total;
}

function percent(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

/** The backups the ledger knows as complete, with what their lists of checksums say. */
async function oldestFirst({ fs, folders, signal }: Lab): Promise<Kept[]> {
  const { records } = await foldLedger(fs, folders.manifests);
  const complete = [...records.values()].filter(({ status }) => status === "complete");
  complete.sort((a, b) => (a.completed_at ?? "") < (b.completed_at ?? "") ? -1 : 1);
  const kept: Kept[] = [];
  for (const { backup_name: name, total_bytes: bytes } of complete) {
    const hashes = new Map<string, string>();
    for await (const { path, sha256 } of readSidecar(fs, join(folders.truenas, name, SIDECAR_NAME), { signal })) {
      hashes.set(`${PREFIX}/${name}/${path}`, sha256);
    }
    kept.push({ name, bytes, hashes });
  }
  return kept;
}

/** Names of the backups that have to go: the oldest ones, and not one more than needed. Pure. */
export function toEvict(
  oldest: readonly Pick<Kept, "name" | "bytes">[],
  { free, total, below }: { free: number; total: number; below: number },
): string[] {
  const names: string[] = [];
  let left = free;
  for (const { name, bytes } of oldest) {
    if (left / total * 100 >= below) break;
    names.push(name);
    left += bytes;
  }
  return names;
}

/** Names of those whose folder is on the NAS. */
async function onNas({ folders }: Lab, kept: readonly Kept[]): Promise<string[]> {
  const names: string[] = [];
  for (const { name } of kept) if (await isThere(join(folders.truenas, name))) names.push(name);
  return names;
}

/** Says for each backup where it is, and finds the objects that do not stand in S3 as the lists of checksums have them. */
async function sayWhatIsWhere(
  { s3, say }: Lab,
  { kept, left }: { kept: readonly Kept[]; left: readonly string[] },
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { name, hashes } of kept) {
    const held = new Map<string, string>();
    for await (const { key, sha256 } of s3.objects(BUCKET, `${PREFIX}/${name}/`)) held.set(key, sha256);
    const good = [...hashes].filter(([key, sha256]) => held.get(key) === sha256).length;
    say(
      `${name}: ${
        left.includes(name) ? "on the NAS" : "gone from the NAS"
      }; ${good} of ${hashes.size} files stand in S3` +
        " with the hashes of its list\n",
    );
    if (good !== hashes.size || good === 0) wrong.push(`${name}: ${good} of ${hashes.size} files stand in S3`);
  }
  say("\n");
  return wrong;
}

/** What the backup of the further studies did not archive. Pure. */
export function notArchived(report: Pick<RunReport, "items">, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const outcome = report.items.find((item) => item.name === name)?.outcome ?? "not taken up";
    return outcome === "done" ? [] : [`${name}: ${outcome}, wanted done`];
  });
}

/** What a cleanup, real or dry, did otherwise than wanted: those, in this order, and no other. Pure. */
export function notAsPlanned(
  report: Pick<RunReport, "exit_code" | "dry_run" | "items">,
  names: readonly string[],
): string[] {
  const what = report.dry_run ? "the dry run of cleanup" : "cleanup";
  const wrong = report.exit_code === 0 ? [] : [`${what} ended with ${report.exit_code}, wanted 0`];
  const found = report.items.map(({ name, outcome }) => `${name} ${outcome}`).join(", ");
  const wanted = names.map((name) => `${name} done`).join(", ");
  if (wanted !== "" && found === wanted) return wrong;
  return [...wrong, `${what}: ${found || "nothing"}; wanted ${wanted || "something to go"}`];
}

/** Evictions before which S3 did not prove every file. Pure. */
export function notProved(
  report: Pick<RunReport, "items">,
  kept: readonly Pick<Kept, "name" | "hashes">[],
): string[] {
  return report.items.flatMap(({ name, stages }) => {
    const [proof, eviction] = ["prove-archived", "evict"].map((use) => stages.findIndex((stage) => stage.use === use));
    const wanted = kept.find((backup) => backup.name === name)?.hashes.size ?? 0;
    const proved = stages[proof]?.files ?? 0;
    if (eviction < 0 || stages[eviction].outcome !== "done") return [];
    return proof >= 0 && proof < eviction && proved >= wanted && wanted > 0
      ? []
      : [`${name} was evicted after ${proved} of ${wanted} files were proved at S3`];
  });
}

/** Backups that left the NAS and should not have, or the other way round, by its folders and by the ledger. Pure. */
export function notEvicted(
  names: readonly string[],
  { evicted, left, records }: {
    evicted: readonly string[];
    left: readonly string[];
    records: ReadonlyMap<string, Pick<LedgerRecord, "status" | "truenas_evicted_at">>;
  },
): string[] {
  return names.flatMap((name) => {
    const mustGo = evicted.includes(name);
    const wrong: string[] = [];
    if (left.includes(name) === mustGo) wrong.push(`${name} is ${mustGo ? "still" : "no longer"} on the NAS`);
    const record = records.get(name);
    const isRecorded = record?.status === "complete" && record.truenas_evicted_at !== null;
    if (isRecorded !== mustGo) {
      wrong.push(`the ledger ${isRecorded ? "says" : "does not say"} that ${name} was evicted`);
    }
    return wrong;
  });
}
