/**
 * The engine: hooks, roots, locks, then items one by one through the stages. It imports no plugin.
 * @module
 */
import { ulid } from "@std/ulid";
import type { StageRun } from "../contract.ts";
import { PipelineError } from "../errors.ts";
import { asKnownError } from "../io/io_errors.ts";
import { journalApart } from "../journal/apart.ts";
import { openLedger } from "../ledger/ledger_file.ts";
import { openLedgerMirror } from "../ledger/mirror.ts";
import type { Ledger } from "../ledger/record.ts";
import { LedgerSoundness } from "../ledger/soundness.ts";
import { abortOld } from "../objects/abort.ts";
import type { CompiledStage } from "../pipeline/compile.ts";
import { nameHint } from "../pipeline/nearest.ts";
import type { ItemContext } from "../ports.ts";
import type { RunLock } from "../safety/lock_file.ts";
import { Reserves } from "../safety/reserve.ts";
import type { MarkedRoot } from "../safety/roots.ts";
import { closeEvictions, isBackup } from "./backups.ts";
import type { OpenEvictions } from "./backups.ts";
import { assertOrder } from "./backups_order.ts";
import { runBefore, runContext } from "./before.ts";
import { runEvents } from "./event_run.ts";
import { Foresight } from "./foresight.ts";
import { runItem } from "./item_run.ts";
import type { OpenStage, OpenStages } from "./item_run.ts";
import type { TreeItem } from "./item_session.ts";
import { takeUpDestroys } from "./open_destroys.ts";
import { lostPlace } from "./lost_places.ts";
import { keysOfPaths, lookingSignal, openPlaces, openRoot } from "./open_places.ts";
import type { OpenedPlaces } from "./open_places.ts";
import { openForRun } from "./opening.ts";
import { withChildGrace } from "./pinned_exec.ts";
import { toReportError } from "./report.ts";
import type { ItemReport, RunReport } from "./report.ts";
import { isOverBackups, RunState } from "./run_state.ts";
import type { EngineServices, RunRequest } from "./services.ts";
import { listCandidates, sourceContext } from "./source_context.ts";
import { asRunError } from "./stopped.ts";
import { foreseeLocks, takeLocks } from "./take_locks.ts";
import { untilEnded } from "./until_stopped.ts";
import { servicesView } from "./views.ts";

/**
 * Runs a compiled pipeline to its end. Failures of items are in the report; what ends the run is in `report.error`
 * and decides the exit code: 0, 1, 2, 3, or 130 when it was asked to stop. A dry run plans on behind what would stop a
 * real one, and ends as that would.
 */
export async function runPipeline(request: RunRequest, services: EngineServices): Promise<RunReport> {
  const { clock, journal } = services;
  const startedAt = new Date(clock.now()).toISOString();
  const report: RunReport = {
    pipeline: request.compiled.name,
    run_id: ulid(clock.now()),
    started_at: startedAt,
    finished_at: startedAt,
    exit_code: 0,
    dry_run: request.dryRun,
    items: [],
  };
  const endsWell = () => request.compiled.source.plugin.endless && request.stop.aborted;
  const foresight = request.dryRun ? new Foresight(request.compiled, services.log) : undefined;
  try {
    if (!request.dryRun) {
      await journal.startRun({ id: report.run_id, pipeline: report.pipeline, startedAt });
    }
    await runAll(request, services, { report, foresight });
    // Whatever becomes of the items: a real run would not have come to them.
    if (foresight?.stop) endWith(report, foresight.stop);
  } catch (error) {
    const known = asRunError(error, { ...request, doing: `run "${report.pipeline}"` });
    // What a real run would have met first decides; the rest is told all the same.
    if (foresight?.stop && foresight.stop !== known && known.code !== "run/stopped") {
      services.log.error(known.message, { code: known.code });
    }
    // To be asked to stop is the one way an endless run ends well, also before its first item.
    if (known.code !== "run/stopped" || !endsWell()) endWith(report, foresight?.stop ?? known);
    // Whoever watches has crashed, whatever the reason: 1, also where a finite run would end with 3.
    if (report.exit_code === 3 && request.compiled.source.plugin.endless) report.exit_code = 1;
  }
  const failed = report.items.some((item) => item.outcome === "failed");
  if (report.exit_code === 0 && failed) report.exit_code = 1;
  if ((request.abort.aborted || request.stop.aborted) && !endsWell()) report.exit_code = 130;
  report.finished_at = new Date(clock.now()).toISOString();
  if (!request.dryRun) await finishRun(report, services, isClockKnown(request, report) ? "right" : "wrong");
  return report;
}

/**
 * Whether the run's clock may stand in the journal as an instant it has seen: a later delete is refused until then. A
 * run that found its clock wrong must leave no such stamp, nor one over events, which compares it with no other.
 */
function isClockKnown({ compiled }: RunRequest, { error, items }: RunReport): boolean {
  const isWrong = (code: string | undefined) => code === "s3/clock-skew" || code === "destroy/clock";
  return compiled.source.plugin.yields !== "event" && !isWrong(error?.code) &&
    !items.some((item) => isWrong(item.error?.code));
}

/** A journal that fails now hides neither what was done nor what stopped the run. */
async function finishRun(
  report: RunReport,
  { journal, log }: EngineServices,
  clock: "right" | "wrong",
): Promise<void> {
  try {
    await journal.finishRun(report.run_id, report.finished_at, report.exit_code, { clock });
  } catch (cause) {
    const error = asKnownError(cause, `note the end of run "${report.pipeline}" in the journal`);
    log.error(error.message, { code: error.code });
    if (report.error === undefined && report.exit_code === 0) endWith(report, error);
  }
}

function endWith(report: RunReport, error: PipelineError): void {
  report.exit_code = error.stopsRun ?? (error.code === "internal/unexpected" ? 3 : 1);
  report.error = toReportError(error);
}

async function runAll(
  request: RunRequest,
  given: EngineServices,
  { report, foresight }: { report: RunReport; foresight?: Foresight },
): Promise<void> {
  const overBackups = isOverBackups(request.compiled);
  if (overBackups) assertOrder(request.compiled);
  const own = overBackups ? { ...given, journal: journalApart(given.journal, "backups") } : given;
  const services = withChildGrace(own, request);
  const context = runContext(request, services, report.run_id);
  if (!request.dryRun) await runBefore(request, services, context);
  if (request.compiled.source.plugin.yields === "event") return await runEvents(request, services, { context, report });
  await using stack = new AsyncDisposableStack();
  const locks = new Map<string, RunLock>();
  const opened = await openPlaces(request, services, { stack, foresight });
  const { ledger: plain, soundness, root } = await openLedgerOf(request, services, { opened, foresight }) ?? {};
  const reserves = overBackups
    ? new Reserves({ ...services, signal: request.abort }, root ? [opened.source, root] : [opened.source])
    : undefined;
  const ledger = plain && reserves ? ledgerWithin(plain, reserves) : plain;
  const assertDistinct = async () => {
    // A destroy asks this at every batch; a share may let two hosts lock it at once.
    for (const lock of locks.values()) await lock.assertHeld();
    await opened.assertDistinct();
  };
  const run = new RunState({
    services,
    request,
    runId: report.run_id,
    context,
    ledger,
    soundness,
    ...opened,
    assertDistinct,
    reserves,
  });
  if (foresight) await foreseeLocks(run, foresight);
  else await takeLocks(run, { stack, locks });
  // Nothing but removals is left to do there, and none may be done: not a byte is read in vain.
  if (overBackups && soundness?.error) stopAt(soundness.error, foresight);
  if (reserves) await keepRoom(reserves, { stack, foresight });
  // What keeps backups is only looked at.
  if (!request.dryRun && !overBackups) {
    const signal = lookingSignal(request);
    for (const { session } of opened.buckets) await abortOld({ ...session, signal });
  }
  const stages = await openStages(run, stack);
  const done = new Set<string>();
  const wanted = (name: string) => request.only === undefined || request.only === name;
  let evictions: OpenEvictions | undefined;
  if (run.isOverBackups) {
    evictions = await closeEvictions(run);
    reportBad(run, report, evictions.bad.filter((item) => wanted(item.name)));
  } else {
    const open = await takeUpDestroys(run);
    reportBad(run, report, open.bad.filter((item) => wanted(item.name)));
    for (const item of open.items.filter((item) => wanted(item.name))) {
      if (request.stop.aborted) return;
      done.add(item.id);
      await runOneItem(run, { item, stages, report });
    }
  }
  await runItems(run, { stages, report, done, stack, evictions });
  // Whatever else went well: somebody must look at it.
  if (soundness?.error && !foresight?.stop) throw soundness.error;
}

/** Whether the run can write what it must, and space set aside for the next one once this one has made room. */
async function keepRoom(
  reserves: Reserves,
  { stack, foresight }: { stack: AsyncDisposableStack; foresight?: Foresight },
): Promise<void> {
  if (!foresight) stack.defer(() => reserves.restore());
  try {
    await reserves.assertRoom();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    stopAt(error, foresight);
  }
}

/** Lines that tell of a removal come before it makes room. */
function ledgerWithin(ledger: Ledger, reserves: Reserves): Ledger {
  return {
    root: ledger.root,
    latest: (name) => ledger.latest(name),
    append: (entry) => reserves.write(() => ledger.append(entry)),
    flush: (record) => ledger.flush(record),
  };
}

/** A dry run plans on. */
function stopAt(error: PipelineError, foresight: Foresight | undefined): void {
  if (!foresight) throw error;
  foresight.surely(error.message, error);
}

/** The ledger of the config, mirrored to the first bucket after every append. */
async function openLedgerOf(
  request: RunRequest,
  services: EngineServices,
  { opened, foresight }: { opened: OpenedPlaces; foresight?: Foresight },
): Promise<{ ledger: Ledger; soundness: LedgerSoundness; root: MarkedRoot } | undefined> {
  const { compiled, config } = request;
  const used = isOverBackups(compiled) ||
    [...compiled.stages, ...compiled.onItemFailed].some((stage) => stage.plugin.usesLedger);
  const root = config.paths?.manifest_root;
  if (!used || typeof root !== "string" || root === "") return undefined;
  const marked = await openRoot(services, { id: "manifests", path: root }, {
    foresight,
    visible: opened.visible,
    paths: keysOfPaths(config),
  });
  const { fs, clock, host, log } = services;
  const [bucket] = opened.buckets;
  // A dry run compares it too, and appends nothing.
  const mirror = bucket
    ? openLedgerMirror({ store: bucket.session.store, prefix: bucket.prefix, fs, root, clock, signal: request.abort })
    : undefined;
  const warn = (message: string) => log.warn(message);
  const soundness = new LedgerSoundness({ fs, root, mirror, warn });
  // A dry run runs no hook, so it may not see the folder.
  if (opened.visible.has("manifests")) await soundness.compare(lookingSignal(request));
  const ledger = openLedger({
    fs,
    root,
    clock,
    check: () => marked.check(),
    host,
    signal: request.abort,
    warn,
    onAppended: (month: string) => soundness.onAppended(month),
  });
  return { ledger, soundness, root: marked };
}

async function openStages(run: RunState, stack: AsyncDisposableStack): Promise<OpenStages> {
  const { request, context } = run;
  const until = { abort: request.abort, stack, disposing: run.disposing };
  const open = async (compiled: CompiledStage): Promise<OpenStage> => {
    const { forItem } = compiled;
    if (forItem) {
      return {
        compiled,
        perItem: true,
        open: async (item) => {
          const options = forItem(item);
          assertSameFacts(compiled, options, item);
          return await compiled.plugin.open(options, context);
        },
      };
    }
    const what = `stage "${compiled.id}"`;
    const opened: StageRun = await openForRun(what, () => compiled.plugin.open(compiled.options, context), until);
    return { compiled, open: () => Promise.resolve(opened) };
  };
  const stages: OpenStage[] = [], onItemFailed: OpenStage[] = [];
  for (const compiled of request.compiled.stages) stages.push(await open(compiled));
  for (const compiled of request.compiled.onItemFailed) onItemFailed.push(await open(compiled));
  return { stages, onItemFailed };
}

/** Lint judged the pipeline by a sample item: the facts of a stage must not depend on which item it is. */
function assertSameFacts({ plugin, id, options: sample }: CompiledStage, options: unknown, item: TreeItem): void {
  const facts = (of: unknown) => JSON.stringify(plugin.facts?.(of, id) ?? {});
  if (facts(options) === facts(sample)) return;
  throw new PipelineError(
    "item/other-facts",
    `Cannot run stage "${id}" for "${item.name}": what it touches depends on the item, so lint could not judge it`,
    { hint: "Use templates of the item only in options that do not say which places a stage reads or writes." },
  );
}

async function runItems(
  run: RunState,
  { stages, report, done, stack, evictions }: {
    stages: OpenStages;
    report: RunReport;
    done: Set<string>;
    stack: AsyncDisposableStack;
    evictions?: OpenEvictions;
  },
): Promise<void> {
  const { request, services } = run;
  const { source } = request.compiled;
  const shared: ItemContext = { run: run.context, ...servicesView(services, request.abort) };
  const opened = await openForRun(
    `source "${source.use}"`,
    () => source.plugin.open(source.options, run.context),
    { abort: request.abort, stack, disposing: run.disposing },
  );
  const candidates = run.isOverBackups ? { good: [], bad: [] } : await listCandidates(run);
  const wanted = (name: string) => request.only === undefined || request.only === name;
  const failed = new Set(report.items.filter((item) => item.outcome === "failed").map((item) => item.name));
  reportBad(run, report, candidates.bad.filter((folder) => wanted(folder.name)));
  const good = candidates.good.filter((folder) => wanted(folder.name) && !failed.has(folder.name));
  const isThere = async (name: string) =>
    evictions === undefined ? good.length > 0 : evictions.names.has(name) || await isBackup(run, name);
  if (request.only !== undefined && report.items.length === 0 && !await isThere(request.only)) {
    throw new PipelineError(
      "run/no-such-item",
      `Cannot run "${request.only}": no such folder is in ${run.source.path}`,
      { stopsRun: 2, hint: nameHint(request.only, candidates.good.map(({ name }) => name), "studies there") },
    );
  }
  // The source's scan, which may take long, hears the wish to stop too.
  const scanning = { ...shared, signal: lookingSignal(request) };
  for await (const item of untilEnded(opened.items(sourceContext(run, scanning, good)), scanning.signal)) {
    if (request.stop.aborted) return;
    if (done.has(item.id)) continue;
    if (item.root === undefined) throw new TypeError(`source "${source.use}" yielded an item without a root`);
    const { outcome, error } = await runOneItem(run, { item: item as TreeItem, stages, report });
    await opened.ack?.(item, outcome, { ...shared, error });
  }
}

/** Items that fail before their first stage. */
function reportBad(run: RunState, report: RunReport, bad: readonly { name: string; error: PipelineError }[]): void {
  for (const { name, error } of bad) {
    const told = toReportError(error, "");
    run.services.log.error(`${name}: ${error.message}`, { code: error.code, findings: told.findings });
    report.items.push({ name, outcome: "failed", error: told, stages: [] });
  }
}

async function runOneItem(
  run: RunState,
  { item, stages, report }: { item: TreeItem; stages: OpenStages; report: RunReport },
): Promise<ItemReport> {
  const end = await runItem(run, item, stages);
  report.items.push(end.report);
  if (end.stopsRun) throw end.stopsRun;
  const lost = end.report.error && await lostPlace(run, end.report.error);
  if (lost) throw lost;
  return end.report;
}
