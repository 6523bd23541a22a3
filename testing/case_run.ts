/**
 * Runs cases: each in a scratch world in memory, with the real engine and the real stages.
 * @module
 */
import { stringify } from "@std/toml/stringify";
import type { AnyNotifier, Message, Plugin } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { ExternalStage } from "../core/external/external_stage.ts";
import { type LocalJournal, openMemoryJournal } from "../core/journal/sqlite.ts";
import type { Json } from "../core/json.ts";
import { type Diagnostic, hasErrors } from "../core/pipeline/diagnostic.ts";
import { keySpan, nodeAt, type TomlPath, valueSpan } from "../core/pipeline/toml_document.ts";
import type { EngineServices } from "../core/run/services.ts";
import type { RunReport } from "../core/run/report.ts";
import { plugins } from "../plugins/mod.ts";
import { CaseEvents } from "./case_events.ts";
import {
  type Compared,
  compareEvents,
  compareHooks,
  compareItems,
  compareLedger,
  compareListing,
  compareMails,
} from "./case_expect.ts";
import type { CaseFile } from "./case_file.ts";
import { gatedJournal } from "./case_gate.ts";
import { BUCKET_PREFIX, LOG_FILE, OTHER_ROOT, RECIPIENTS_ROOT } from "./case_paths.ts";
import { type CasePipeline, type PipelineFinder, preparePipelines } from "./case_pipelines.ts";
import type { CaseEnd, CaseListing, CaseRun, Meanwhile } from "../core/pipeline/case_schema.ts";
import { studyFiles } from "./case_studies.ts";
import { stepper } from "./crash.ts";
import type { LoggedLine } from "./doubles.ts";
import { NAS_ROOT, SOURCE_ROOT, World, type WorldRoots } from "./world.ts";

const DAY_MS = 86_400_000;
/** How often an endless pipeline may wait for news after the last that happens: longer than any source is patient. */
const QUIET_WAITS = 120;
/** A run in memory takes a fraction of a second; one that waits for what never comes is stopped. */
const LONGEST_RUN_MS = 120_000;

/** An expectation that was not met. */
export interface CaseFailure {
  /** Line of the case that says what was wanted, from 1. */
  line: number;
  /** What was looked at: `run 2: items`, `end: nas`. */
  what: string;
  wanted: string[];
  found: string[];
}

/** One run of a case. */
export interface CaseRunResult {
  /** What the engine reports; of one that was stopped in its tracks, nobody would have seen it. */
  report: RunReport;
  /** Whether the machine stopped, as the case says. */
  crashed: boolean;
}

/** What became of a case. */
export interface CaseResult {
  /** Errors of the case file or its pipeline: then nothing was run. */
  diagnostics: Diagnostic[];
  failures: CaseFailure[];
  /** The runs that were made. */
  runs: CaseRunResult[];
  /** The engine's log. */
  log: LoggedLine[];
}

export interface CaseOptions {
  finder: PipelineFinder;
  /** Stages from outside, loaded already. */
  external?: readonly ExternalStage[];
}

/** Runs a case. */
export async function runCase(file: CaseFile, options: CaseOptions): Promise<CaseResult> {
  const mails: Message[] = [];
  const server = { isAway: () => false };
  const { spec } = file;
  const { checksums, if_none_match: putIfAbsent, versioned } = spec.s3;
  await using world = await World.open({
    store: { checksums, putIfAbsent, completeIfAbsent: putIfAbsent, versioned },
    configText: (roots) => configText(roots, file.config),
    env: spec.env,
    places: [OTHER_ROOT, ...spec.places],
    ...spec.nas_size === undefined ? {} : { nasBytes: spec.nas_size },
    external: options.external,
    plugins: mailboxes(mails, server),
  });
  const { pipelines, diagnostics } = await preparePipelines(file, world, options.finder);
  if (hasErrors(diagnostics)) return { diagnostics, failures: [], runs: [], log: [] };
  const play = new CasePlay(file, world, { pipelines, mails });
  server.isAway = () => play.events.onMail();
  await play.play();
  return { diagnostics: [], failures: play.failures, runs: play.runs, log: world.log.lines };
}

/** The config of the scratch world, with what the case says. */
function configText({ sourceRoot, nasRoot, manifestRoot }: WorldRoots, own: { [key: string]: Json }): string {
  const base: { [key: string]: Json } = {
    paths: { source_root: sourceRoot, truenas_root: nasRoot, manifest_root: manifestRoot },
    s3: { bucket: "archive", prefix: BUCKET_PREFIX, endpoint: "http://127.0.0.1:1" },
    monitor: { log_path: LOG_FILE },
    notify: { enabled: true },
  };
  return stringify(merged(base, own) as Record<string, unknown>);
}

function merged(base: Json, over: Json): Json {
  const isTable = (value: Json): value is { [key: string]: Json } =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isTable(base) || !isTable(over)) return over;
  const both = { ...base };
  for (const [key, value] of Object.entries(over)) both[key] = key in base ? merged(base[key], value) : value;
  return both;
}

/** Doubles of every notifier: they keep what they are given, and reach nobody. */
function mailboxes(mails: Message[], server: { isAway(): boolean }): Plugin[] {
  const notifiers = plugins.filter((plugin): plugin is AnyNotifier => plugin.kind === "notifier");
  return notifiers.map((notifier): AnyNotifier => ({
    ...notifier,
    secrets: () => [],
    open: () => ({
      deliver(message) {
        if (server.isAway()) {
          return Promise.reject(
            new PipelineError(
              "notify/unreachable",
              "Cannot deliver the message: the case says that its server is away",
              {
                hint: "What is not delivered stays queued for the next run",
              },
            ),
          );
        }
        mails.push(message);
        return Promise.resolve();
      },
    }),
  }));
}

interface OtherRun {
  done: Promise<RunReport>;
  path: TomlPath;
  expected?: number;
}

class CasePlay {
  readonly failures: CaseFailure[] = [];
  readonly runs: CaseRunResult[] = [];
  readonly events: CaseEvents;
  readonly #file: CaseFile;
  readonly #world: World;
  readonly #pipelines: ReadonlyMap<string, CasePipeline>;
  readonly #mails: Message[];
  readonly #hooks: string[][] = [];
  readonly #others: OtherRun[] = [];
  #otherJournal: LocalJournal | undefined;
  /** Set while the second host runs: the first waits for it, so that a case always goes the same way. */
  #gate: Promise<unknown> | undefined;
  /** Index of the run at work. */
  #run = 0;

  constructor(
    file: CaseFile,
    world: World,
    { pipelines, mails }: { pipelines: ReadonlyMap<string, CasePipeline>; mails: Message[] },
  ) {
    [this.#file, this.#world, this.#pipelines, this.#mails] = [file, world, pipelines, mails];
    const { places, nas_size } = file.spec;
    this.events = new CaseEvents(world, {
      places,
      nasBytes: nas_size,
      onOtherHost: (what, index) => this.#beginOther(what, index),
    });
    world.onExec = (argv) => void this.#hooks.push([...argv]);
  }

  async play(): Promise<void> {
    const { studies, recipients, run } = this.#file.spec;
    const now = this.#world.clock.now();
    for (const [name, study] of Object.entries(studies)) {
      const root = study.other_host ? OTHER_ROOT : SOURCE_ROOT;
      const files = Object.entries(studyFiles(name, study)).map(([path, bytes]) => [`${root}/${name}/${path}`, bytes]);
      this.#world.fs.seed(Object.fromEntries(files), { at: now - study.days_old * DAY_MS });
    }
    for (const [event, addresses] of Object.entries(recipients)) {
      this.#world.fs.seed({ [`${RECIPIENTS_ROOT}/${event}.txt`]: addresses.map((to) => `${to}\n`).join("") });
    }
    await using otherJournal = await openMemoryJournal();
    this.#otherJournal = otherJournal;
    for (const [index, one] of run.entries()) {
      this.#run = index;
      await this.#runOne(one, ["run", index]);
    }
    await this.#compareEnd(this.#file.spec.end, []);
  }

  async #runOne(run: CaseRun, path: TomlPath): Promise<void> {
    const world = this.#world, { events } = this;
    world.clock.time += run.days_later * DAY_MS;
    const earlier = new Set((await world.journal.outbox.pending()).map(({ id }) => id));
    this.#hooks.length = this.#mails.length = this.#others.length = 0;
    await events.begin(run.meanwhile);
    for (const event of await world.journal.outbox.pending()) earlier.add(event.id);
    await this.#endOthers();
    const hooks = world.store.hooks;
    const tap = stepper(world, { onStep: () => events.onStep() });
    const { report, items } = await this.#engine(run, tap.wrap);
    await this.#endOthers();
    if (tap.dead) tap.restart(() => events.crash === "power");
    world.fs.fault = undefined;
    world.store.hooks = hooks;
    this.runs.push({ report: { ...report, items }, crashed: tap.dead });
    for (const index of events.never) this.#neverHappened([...path, "meanwhile", index]);
    for (const { index, why } of events.impossible.splice(0)) {
      this.#fail([...path, "meanwhile", index], { what: "what happens", wanted: ["it happens"], found: [why] });
    }
    const expect = (key: string, compared: Compared) => this.#expect([...path, key], { what: key, compared });
    expect("exit_code", { wanted: [`${run.exit_code}`], found: [tap.dead ? "crash" : `${report.exit_code}`] });
    const stopped = tap.dead ? undefined : report.error?.code;
    if (run.error !== undefined || (stopped !== undefined && run.exit_code !== "crash")) {
      expect("error", {
        wanted: run.error === undefined ? [] : [run.error],
        found: stopped === undefined ? [] : [stopped],
      });
    }
    if (run.items !== undefined) expect("items", compareItems(run.items, items));
    if (run.hooks !== undefined) expect("hooks", compareHooks(run.hooks, this.#hooks));
    if (run.mails !== undefined) expect("mails", compareMails(run.mails, this.#mails));
    if (run.events !== undefined) {
      const raised = (await world.journal.outbox.pending()).filter(({ id }) => !earlier.has(id));
      expect("events", compareEvents(run.events, raised));
    }
    if (run.end !== undefined) await this.#compareEnd(run.end, path);
  }

  async #engine(run: CaseRun, wrap: (services: EngineServices) => EngineServices) {
    const { text, file, compiled } = this.#pipeline(run.pipeline);
    const { endless } = compiled.source.plugin;
    const stop = new AbortController();
    const told: RunReport["items"] = [];
    const report = await this.#world.run({
      pipeline: text,
      file,
      dryRun: run.dry_run,
      only: run.only,
      force: run.force === false ? undefined : run.force,
      stop: stop.signal,
      abort: AbortSignal.timeout(LONGEST_RUN_MS),
      progress: this.events.progress(),
      onItem: (item) => void told.push(item),
      wrap: (services) =>
        wrap({
          ...services,
          journal: gatedJournal(services.journal, () => this.#gate),
          ...endless ? { clock: this.#waitingClock(stop) } : {},
        }),
    });
    return { report, items: endless ? told : report.items };
  }

  /** A clock that says when an endless pipeline waits, and stops it when nothing more happens. */
  #waitingClock(stop: AbortController): EngineServices["clock"] {
    const { clock } = this.#world;
    let quiet = 0;
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => {
        if (signal?.aborted) return Promise.reject(signal.reason);
        clock.time += ms;
        const isDue = this.events.isWaitedFor;
        this.events.onWait();
        quiet = isDue ? 0 : quiet + 1;
        if (quiet > QUIET_WAITS) stop.abort(new DOMException("nothing more happens", "AbortError"));
        return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
      },
    };
  }

  #pipeline(name: string | undefined): CasePipeline {
    const found = this.#pipelines.get(name ?? this.#file.pipeline);
    if (found === undefined) throw new TypeError(`pipeline "${name}" was not prepared`);
    return found;
  }

  #beginOther({ pipeline, exit_code }: NonNullable<Meanwhile["other_host"]>, index: number): void {
    const { text, file } = this.#pipeline(pipeline ?? this.#file.spec.run[this.#run].pipeline);
    const journal = this.#otherJournal;
    if (journal === undefined) throw new TypeError("the second host runs only while the case does");
    const done = this.#world.run({
      pipeline: text,
      file,
      host: "instrument-2",
      sourceRoot: OTHER_ROOT,
      abort: AbortSignal.timeout(LONGEST_RUN_MS),
      wrap: (services) => ({ ...services, journal }),
    });
    const gate = done.finally(() => {
      if (this.#gate === gate) this.#gate = undefined;
    });
    gate.catch(() => {}); // told by whoever awaits the run
    this.#gate = gate;
    this.#others.push({ done, path: ["run", this.#run, "meanwhile", index, "other_host"], expected: exit_code });
  }

  async #endOthers(): Promise<void> {
    for (const { done, path, expected } of this.#others.splice(0)) {
      const { exit_code, error } = await done;
      if (expected === undefined) continue;
      const found = [`${exit_code}${exit_code === expected || error === undefined ? "" : ` [${error.code}]`}`];
      this.#expect([...path, "exit_code"], { what: "other_host", compared: { wanted: [`${expected}`], found } });
    }
  }

  async #compareEnd(end: CaseEnd, below: TomlPath): Promise<void> {
    const { studies } = this.#file.spec;
    const study = (name: string) => Object.hasOwn(studies, name) ? studyFiles(name, studies[name]) : undefined;
    const listing = (
      path: TomlPath,
      wanted: CaseListing | undefined,
      more: { files: () => Map<string, Uint8Array>; isCopy: boolean },
    ) => {
      if (wanted === undefined) return;
      const compared = compareListing(wanted, more.files(), { study, isCopy: more.isCopy });
      this.#expect([...below, "end", ...path], { what: path.join(" "), compared });
    };
    listing(["source"], end.source, { files: () => this.#files(SOURCE_ROOT), isCopy: false });
    listing(["other"], end.other, { files: () => this.#files(OTHER_ROOT), isCopy: false });
    listing(["nas"], end.nas, { files: () => this.#files(NAS_ROOT), isCopy: true });
    listing(["bucket"], end.bucket, { files: () => this.#objects(), isCopy: true });
    for (const [root, wanted] of Object.entries(end.places)) {
      listing(["places", root], wanted, { files: () => this.#files(root), isCopy: true });
    }
    if (end.ledger === undefined) return;
    this.#expect([...below, "end", "ledger"], {
      what: "ledger",
      compared: compareLedger(end.ledger, await this.#world.ledger()),
    });
  }

  #files(root: string): Map<string, Uint8Array> {
    const names = Object.keys(this.#world.files(root)).filter((path) => !path.endsWith("/"));
    return new Map(names.map((path) => [path, this.#world.fs.bytes(`${root}/${path}`)]));
  }

  /** Objects by key below the world's prefix, or by `/` and the whole key; without what labferry keeps there. */
  #objects(): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    for (const [key, { bytes }] of this.#world.store.objects) {
      if (/(^|\/)_(claims|manifests|probe)\//.test(key)) continue;
      found.set(key.startsWith(`${BUCKET_PREFIX}/`) ? key.slice(BUCKET_PREFIX.length + 1) : `/${key}`, bytes);
    }
    return found;
  }

  #neverHappened(path: TomlPath): void {
    this.#fail(path, { what: "what happens", wanted: ["it happens"], found: ["its moment never came"] });
  }

  #expect(path: TomlPath, { what, compared }: { what: string; compared: Compared }): void {
    if (compared.wanted.join("\n") !== compared.found.join("\n")) this.#fail(path, { what, ...compared });
  }

  #fail(path: TomlPath, { what, wanted, found }: { what: string } & Compared): void {
    const { document } = this.#file;
    const isThere = nodeAt(document, path) !== undefined;
    const { line } = isThere ? keySpan(document, path) : valueSpan(document, path);
    const where = path[0] === "run" ? `run ${Number(path[1]) + 1}` : "end";
    this.failures.push({ line, what: `${where}: ${what}`, wanted, found });
  }
}
