/**
 * Plays a random plan: a pipeline, studies, a world and what befalls it, over up to three runs of the whole engine; and
 * says what was untrue in the end.
 * @module
 */
import type { LocalJournal } from "../../core/journal/sqlite.ts";
import { openMemoryJournal } from "../../core/journal/sqlite.ts";
import type { CompiledPipeline } from "../../core/pipeline/compile.ts";
import type { RunReport } from "../../core/run/report.ts";
import type { EngineServices } from "../../core/run/services.ts";
import { patternBytes } from "../../testing/doubles.ts";
import { type Event, isGentle, type Targets } from "./random_events.ts";
import { Chaos } from "./random_faults.ts";
import type { Plan, Study } from "./random_plan.ts";
import { CrashError } from "../../testing/memory_types.ts";
import {
  changed,
  type PipelineSpec,
  renderPipeline,
  SECOND_ROOT,
  THIRD_ROOT,
  TOOL,
  TOOL_TEXT,
} from "./random_pipelines.ts";
import { type Demand, type Host, Truth, type TruthPlace } from "./truth.ts";
import { NAS_ROOT, SOURCE_ROOT, World } from "../../testing/world.ts";

const OTHER_SOURCE = "/instrument2/studies";
const DAY = 86_400_000;
const SIDECAR = "_checksums.sha256";
/** Longest time a run may take, ms: a fraction of a second does, and the busiest machine is not this slow. */
const RUN_MS = 180_000;
/** The same once a run took too long: others are played only to make its plan smaller. */
const SHRINK_MS = 20_000;

/** What came of a plan. */
export interface Outcome {
  accepted: boolean;
  runs: number;
  /** Files the engine removed from a source. */
  removals: number;
  violations: string[];
  /** For the words of a failure. */
  told: string[];
}

interface Player {
  host: Host;
  journal: LocalJournal;
}

/** Whether lint accepts the pipeline. */
export function accepts(world: World, spec: PipelineSpec): CompiledPipeline | undefined {
  const { pipeline, diagnostics } = world.compile(renderPipeline(spec));
  return diagnostics.some((found) => found.severity === "error") ? undefined : pipeline;
}

/** Plays a plan to its end; what lint refuses only where the plan dares. */
export async function play(plan: Plan): Promise<Outcome> {
  await using game = await Game.open(plan);
  return await game.play();
}

class Game implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #truth: Truth;
  readonly #players: Player[] = [];
  readonly #told: string[] = [];
  #chaos: Chaos | undefined;
  readonly #prefixes = new Set<string>();
  #hooks = 0;
  #runs = 0;

  private constructor(plan: Plan, world: World, truth: Truth) {
    this.#plan = plan;
    this.#world = world;
    this.#truth = truth;
  }

  static async open(plan: Plan): Promise<Game> {
    const seats: Game[] = [];
    const world = await World.open({ store: { ...plan.store, now: () => seats[0]?.storeTime() ?? 0 } });
    const { fs } = world;
    const { isCached, ...disk } = plan.disk;
    fs.disk.setMount("/nas", { ...disk, medium: isCached ? "cached" : "direct" });
    fs.mount("/nas2");
    fs.mount("/instrument2");
    for (const [n, root] of [SECOND_ROOT, THIRD_ROOT, OTHER_SOURCE].entries()) mark(world, root, n);
    fs.seed({ [TOOL]: TOOL_TEXT });
    const truth = new Truth(world, ["/instrument", "/instrument2", "/nas", "/nas2", "/manifests"]);
    const game = new Game(plan, world, truth);
    seats.push(game);
    await game.#seat();
    return game;
  }

  storeTime(): number {
    return this.#world.clock.now() - (this.#chaos?.jumped ?? 0) + this.#plan.skew * 60_000;
  }

  async #seat(): Promise<void> {
    const { studies, crowd } = this.#plan;
    const seats = [{ name: "instrument-1", sourceRoot: SOURCE_ROOT, studies }];
    if (crowd) seats.push({ name: "instrument-2", sourceRoot: OTHER_SOURCE, studies: studies.slice(0, 1) });
    for (const { name, sourceRoot, studies } of seats) {
      const host: Host = { name, sourceRoot, demand: { places: [], wanted: undefined } };
      this.#truth.hosts.push(host);
      this.#players.push({
        host,
        journal: this.#players.length === 0 ? this.#world.journal : await openMemoryJournal(),
      });
      for (const study of studies) this.#seed(sourceRoot, study);
    }
  }

  #seed(sourceRoot: string, { name, files }: Study): void {
    const at = this.#world.clock.now() - 30 * DAY;
    for (const file of files) {
      const path = `${sourceRoot}/${name}/${file}`;
      const content = contentOf(path);
      this.#world.fs.seed({ [path]: file.endsWith("/") ? "" : content }, { at });
      if (!file.endsWith("/")) this.#truth.sourceHas(path, content);
    }
  }

  #targets(compiled: CompiledPipeline): Targets {
    const { studies, crowd, store } = this.#plan;
    const files = studies.flatMap(({ name, files }) =>
      [...files.filter((file) => !file.endsWith("/")), SIDECAR].map((file) => `${name}/${file}`)
    );
    const own = files.filter((file) => !file.endsWith(SIDECAR));
    const sources = own.map((file) => `${SOURCE_ROOT}/${file}`);
    const places = placesOf(compiled, this.#plan);
    return {
      sources,
      files,
      folders: places.flatMap(({ folder }) => folder === undefined ? [] : [folder]),
      prefixes: places.flatMap(({ prefix }) => prefix === undefined ? [] : [prefix]),
      trusted: store.checksums ? vouchedPrefixes(compiled) : [],
      parrots: store.parrots && !store.checksums,
      holdsIfAbsent: store.putIfAbsent && store.completeIfAbsent,
      isCrowded: crowd,
    };
  }

  async play(): Promise<Outcome> {
    const { pipeline, changes, runs, gap, daring } = this.#plan;
    const accepted = accepts(this.#world, pipeline);
    const unlinted = accepted === undefined;
    const first = accepted ?? (daring ? this.#world.compile(renderPipeline(pipeline)).pipeline : undefined);
    if (!first) return this.#outcome(false);
    const later = changed(pipeline, changes);
    const second = unlinted ? undefined : changes.length > 0 ? accepts(this.#world, later) : undefined;
    for (const place of [...first.places, ...second?.places ?? []]) {
      if (place.kind === "directory" && place.root.endsWith("/nested")) mark(this.#world, place.root, 9);
    }
    this.#chaos = new Chaos(this.#world, this.#truth, this.#targets(first));
    for (let run = 0; run < runs; run++) {
      const isChanged = run > 0 && second !== undefined;
      const events = this.#plan.events.filter((event) => event.run === run);
      const reports = await this.#run(isChanged ? later : pipeline, isChanged ? second : first, { events, unlinted });
      if (run === 0 && this.#isCalm() && !unlinted) this.#judgeCalm(reports[0], first);
      await this.#between(run, gap);
    }
    if (this.#isGentle() && !unlinted) {
      await this.#between(-1, 20);
      const [report] = await this.#run(pipeline, first, { events: [], unlinted });
      this.#judgeCalm(report, first);
    }
    return this.#outcome(!unlinted);
  }

  #outcome(accepted: boolean): Outcome {
    const { violations, removals } = this.#truth;
    return { accepted, runs: this.#runs, removals, violations, told: this.#told };
  }

  async #run(
    spec: PipelineSpec,
    compiled: CompiledPipeline,
    { events, unlinted }: { events: readonly Event[]; unlinted: boolean },
  ): Promise<(RunReport | undefined)[]> {
    const world = this.#world, truth = this.#truth, chaos = this.#chaos!;
    this.#runs++;
    const demand = demandOf(compiled, this.#plan);
    for (const { host } of this.#players) host.demand = demand;
    chaos.uses = new Map(compiled.stages.map(({ id, use }) => [id, use]));
    truth.beginRun();
    const signals = chaos.beginRun(events);
    world.onExec = (argv) => this.#hook(argv[1]);
    const running = this.#players.map(({ host, journal }) =>
      world.run({
        pipeline: renderPipeline(spec),
        unlinted,
        sourceRoot: host.sourceRoot,
        host: host.name,
        force: this.#plan.force ? true : undefined,
        progress: chaos.progress(),
        ...signals,
        wrap: (services) => ({ ...services, journal: mortal(journal, world) as EngineServices["journal"] }),
      })
    );
    const ended = await inTime(Promise.allSettled(running));
    const crashed = world.fs.disk.crashed;
    chaos.endRun();
    const reports = ended.map((end) => end.status === "fulfilled" ? end.value : undefined);
    for (const [index, end] of ended.entries()) {
      if (end.status === "fulfilled") this.#tell(end.value);
      else {
        this.#told.push(`${this.#players[index].host.name}: ${end.reason}`);
        if (!crashed) truth.violations.push(`a run threw: ${(end.reason as Error)?.stack ?? end.reason}`);
      }
    }
    if (!crashed) { for (const report of reports) if (report) this.#judgeReport(report, compiled); }
    const { folders, prefixes } = this.#targets(compiled);
    for (const prefix of prefixes) this.#prefixes.add(prefix);
    // The longest first: a key below `fusion/` is no study called fusion, whatever another run's prefix was.
    truth.judgeFinalNames(folders, [...this.#prefixes].sort((a, b) => b.length - a.length));
    return reports;
  }

  #tell(report: RunReport): void {
    const items = report.items.map((item) => `${item.name} ${item.outcome} ${item.error?.message ?? ""}`);
    this.#told.push(`exit ${report.exit_code} ${report.error?.message ?? ""} [${items.join("; ")}]`);
  }

  async #between(run: number, days: number): Promise<void> {
    this.#world.clock.time += days * DAY;
    if (!this.#plan.loses[run]) return;
    for (const [index, player] of this.#players.entries()) {
      if (index === 0) {
        await this.#world.loseJournal();
        player.journal = this.#world.journal;
        continue;
      }
      await player.journal[Symbol.asyncDispose]();
      player.journal = await openMemoryJournal();
    }
  }

  /** What a program of the operator does: what the plan says, where it may. */
  #hook(mayTouch: string | undefined): void {
    const { hooks } = this.#plan;
    if (hooks.length === 0 || this.#world.fs.disk.crashed) return;
    const act = hooks[this.#hooks++ % hooks.length];
    const touches = { instrument: "source", nas: "truenas", object: "s3" }[act.act as string];
    if (touches === undefined || (mayTouch !== "everything" && mayTouch !== touches)) return;
    this.#chaos?.apply(act);
  }

  #hasHooks(): boolean {
    const { pipeline, hooks } = this.#plan;
    return hooks.length > 0 &&
      [...pipeline.before, ...pipeline.stages, ...pipeline.handlers].some(({ use }) => use === "hook");
  }

  /** Nothing befalls this world. */
  #isCalm(): boolean {
    const { events, crowd, disk, skew } = this.#plan;
    return events.length === 0 && !crowd && !disk.isCached && skew < 5 && !this.#hasHooks();
  }

  /** Whatever befalls it, the next run must overcome by itself (SAFETY S22). */
  #isGentle(): boolean {
    const { events, crowd, disk, skew, pipeline, changes } = this.#plan;
    const flushed = !pipeline.stages.some((stage) => stage.with.durability === "cached");
    return events.every(isGentle) && !crowd && !disk.isCached && skew < 5 && !this.#hasHooks() && flushed &&
      changes.length === 0;
  }

  /** What lint accepts succeeds where nothing goes wrong. */
  #judgeCalm(report: RunReport | undefined, compiled: CompiledPipeline): void {
    const say = (words: string): void => void this.#truth.violations.push(`calm run: ${words}`);
    if (!report) return say("it ended without a report");
    if (report.exit_code !== 0) say(`exit ${report.exit_code}: ${this.#told.at(-1)}`);
    const frees = compiled.stages.some((stage) => stage.facts.destroys && stage.onError === "fail");
    for (const { name } of frees ? this.#plan.studies : []) {
      if (this.#truth.node(`${SOURCE_ROOT}/${name}`)) say(`${name} was not removed`);
      if (this.#truth.latest(name)?.source_deleted_at === null) say(`the ledger does not say that ${name} was removed`);
    }
  }

  /** What a report says is so. */
  #judgeReport(report: RunReport, compiled: CompiledPipeline): void {
    const say = (words: string): void => void this.#truth.violations.push(`report: ${words}`);
    if (report.exit_code === 3 && report.error) say(`an unexpected error: ${report.error.message}`);
    for (const item of report.items) {
      if (item.outcome === "failed" && report.exit_code === 0) say(`${item.name} failed and the exit code is 0`);
      if (item.outcome === "failed" && !item.error) say(`${item.name} failed without an error`);
      if (item.error?.code === "internal/unexpected" && !isAborted(report)) {
        say(`${item.name} met an unexpected error: ${item.error.message}`);
      }
      for (const stage of item.stages) {
        const facts = compiled.stages.find(({ id }) => id === stage.id)?.facts;
        if (stage.outcome !== "done" || stage.applied === 0 || this.#plan.crowd) continue;
        const latest = this.#truth.latest(item.name);
        if (facts?.needsAllProved && latest?.status !== "complete") say(`${item.name} is not recorded as complete`);
        if (!facts?.destroys) continue;
        if (this.#truth.node(`${SOURCE_ROOT}/${item.name}`)) say(`${item.name} was not removed`);
        if (latest?.source_deleted_at === null) say(`the ledger does not say that ${item.name} was removed`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { journal } of this.#players.slice(1)) await journal[Symbol.asyncDispose]();
    await this.#world[Symbol.asyncDispose]();
  }
}

let isKnownToHang = false;

/** SAFETY S22: nothing waits for ever. No clock of this world is real, so that a run takes no time to speak of. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const deadline = AbortSignal.timeout(isKnownToHang ? SHRINK_MS : RUN_MS);
  const late = () => {
    isKnownToHang = true;
    reject(new Error("the run waits for ever"));
  };
  deadline.addEventListener("abort", late);
  try {
    return await Promise.race([work, promise]);
  } finally {
    deadline.removeEventListener("abort", late);
  }
}

function isAborted(report: RunReport): boolean {
  return report.exit_code === 130;
}

/** Prefixes at which the word of a store that checks is all the pipeline asks for. */
function vouchedPrefixes({ places, stages }: CompiledPipeline): string[] {
  const isRead = (id: string) => stages.some(({ use, options }) => use === "verify" && options.place === id);
  return places.flatMap((place) => {
    if (place.kind === "directory" || place.upload.verify === "read-back") return [];
    return place.upload.verify === "auto" || !isRead(place.id) ? [place.prefix] : [];
  });
}

/** What `labferry install places` does. */
function mark({ fs }: World, root: string, n: number): void {
  fs.seed({ [`${root}/.labferry-place`]: `00000000-0000-4000-8000-00000000001${n}\n` });
}

/** Content that says where it was; two hosts never have the same. */
function contentOf(path: string): Uint8Array {
  if (path.endsWith("/zero")) return new Uint8Array(0);
  if (path.endsWith("/large")) return patternBytes(2 ** 20 + 5, path.length);
  if (path.endsWith("/parts")) return patternBytes(5 * 2 ** 20 + 99, path.length);
  return new TextEncoder().encode(`content of ${path}`);
}

function placesOf(compiled: CompiledPipeline, { disk }: Plan): TruthPlace[] {
  return compiled.places.map((place) => {
    const domain = place.domain ?? `place:${place.id}`;
    if (place.kind === "objects") return { id: place.id, domain, prefix: place.prefix, strong: true };
    const isCached = disk.isCached && place.root.startsWith(NAS_ROOT.slice(0, 5));
    return { id: place.id, domain, folder: place.root, strong: place.durability === "flushed" && !isCached };
  });
}

function demandOf(compiled: CompiledPipeline, plan: Plan): Demand {
  const wanted = compiled.stages.flatMap(({ facts }) => facts.destroys ? [facts.destroys.places] : []);
  return { places: placesOf(compiled, plan), wanted: wanted.length === 0 ? undefined : Math.min(...wanted) };
}

/** A journal of a machine that may crash: then it answers nobody any more. */
function mortal<T extends object>(alive: T, world: World): T {
  return new Proxy(alive, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value === "function") {
        return (...args: unknown[]) => {
          if (!world.fs.disk.crashed) return value.apply(target, args);
          const isList = key === "list" && "totals" in target;
          if (isList) throw new CrashError();
          return Promise.reject(new CrashError());
        };
      }
      return typeof value === "object" && value !== null ? mortal(value, world) : value;
    },
  });
}
