/** What the engine holds for one run: opened places, roots with their markers, the ledger, and what belongs to them. @module */
import { PipelineError } from "../errors.ts";
import type { Ledger } from "../ledger/record.ts";
import type { LedgerSoundness } from "../ledger/soundness.ts";
import type { CompiledPipeline } from "../pipeline/compile.ts";
import type { Place } from "../places/place.ts";
import type { RunContext } from "../ports.ts";
import type { Reserves } from "../safety/reserve.ts";
import type { DestroyServices } from "../safety/victim.ts";
import type { MarkedRoot } from "../safety/roots.ts";
import type { Listing } from "../safety/settled.ts";
import { type Deadlines, deadlinesOf } from "./deadlines.ts";
import { type Disposing, disposingOf, LeftBehind } from "./left_behind.ts";
import type { EngineServices, RunRequest } from "./services.ts";

export interface RunStateParts {
  services: EngineServices;
  request: RunRequest;
  runId: string;
  context: RunContext;
  source: MarkedRoot;
  places: readonly Place[];
  /** Places whose marker could be seen; in a dry run others are planned without being looked at. */
  visible: ReadonlySet<string>;
  ledger?: Ledger;
  soundness?: LedgerSoundness;
  assertDistinct: () => Promise<void>;
  /** Of a run that frees a place. */
  reserves?: Reserves;
}

export class RunState {
  readonly #parts: RunStateParts;
  readonly #checkedNames = new Map<string, Promise<void>>();
  readonly #promised = new Set<string>();
  /** What the source saw, by folder. */
  readonly #listings = new Map<string, Listing>();
  /** What may still be at work under the locks of the run. */
  readonly left = new LeftBehind();
  readonly deadlines: Deadlines;

  constructor(parts: RunStateParts) {
    this.#parts = parts;
    this.deadlines = deadlinesOf(parts.request);
  }

  get services(): EngineServices {
    return this.#parts.services;
  }
  get request(): RunRequest {
    return this.#parts.request;
  }
  get disposing(): Disposing {
    return disposingOf(this.request, this.services.log, this.left);
  }
  get runId(): string {
    return this.#parts.runId;
  }
  get pipeline(): string {
    return this.#parts.request.compiled.name;
  }
  get context(): RunContext {
    return this.#parts.context;
  }
  get source(): MarkedRoot {
    return this.#parts.source;
  }
  get places(): readonly Place[] {
    return this.#parts.places;
  }
  /** The items are backups at a place that other pipelines write (`cleanup`). */
  get isOverBackups(): boolean {
    return isOverBackups(this.request.compiled);
  }
  get ledger(): Ledger | undefined {
    return this.#parts.ledger;
  }
  get staleLocks(): "reclaim" | "refuse" {
    return this.request.config.backup?.stale_locks === "refuse" ? "refuse" : "reclaim";
  }

  place(id: string): Place {
    const place = this.places.find((candidate) => candidate.id === id);
    if (place) return place;
    throw new PipelineError("run/unknown-place", `Cannot use place "${id}": no stage of this pipeline writes it`, {
      hint: `Places of this pipeline: ${this.places.map((candidate) => candidate.id).join(", ") || "none"}.`,
    });
  }

  /** Does a small write that the run cannot do without, also on a place that is full where the run is to free it. */
  smallWrite<T>(act: () => Promise<T>): Promise<T> {
    const { reserves } = this.#parts;
    return reserves ? reserves.write(act) : act();
  }

  isVisible(id: string): boolean {
    return this.#parts.visible.has(id);
  }

  requireLedger(): Ledger {
    if (this.ledger) return this.ledger;
    throw new PipelineError("config/missing", `Cannot use the ledger: paths.manifest_root is not set in the config`, {
      stopsRun: 2,
      hint: "Set manifest_root under [paths] in the config, then run: labferry install places",
    });
  }

  destroyServices(): Omit<DestroyServices, "survivors"> {
    const { fs, clock, journal } = this.services;
    const { assertDistinct, soundness } = this.#parts;
    return { fs, clock, journal, ledger: this.requireLedger(), soundness, seals: this.#seals(), assertDistinct };
  }

  /** Places that hold the list of checksums once the stages ran; one that may fail without harm promises none. */
  #seals(): Set<string> {
    const sure = this.request.compiled.stages.filter((stage) => stage.onError !== "warn");
    const gives = sure.flatMap((stage) => stage.facts.gives ?? []).filter((fact) => fact.fact === "sealed");
    return new Set(gives.flatMap(({ place }) => place === undefined ? [] : [place]));
  }

  /** Runs the name check of one item once, however many stages ask. */
  checkNamesOnce(incarnation: string, check: () => Promise<void>): Promise<void> {
    let checked = this.#checkedNames.get(incarnation);
    if (checked) return checked;
    checked = check().catch((error) => {
      this.#checkedNames.delete(incarnation); // a retry asks anew
      throw error;
    });
    this.#checkedNames.set(incarnation, checked);
    return checked;
  }

  forgetItem(incarnation: string): void {
    this.#checkedNames.delete(incarnation);
  }

  /** Remembers what the source saw of a folder, for SAFETY S13 and for progress. */
  noteListing(folder: string, listing: Listing): void {
    this.#listings.set(folder, listing);
  }

  listingOf(folder: string): Listing | undefined {
    return this.#listings.get(folder);
  }

  /** Remembers that a dry run promised evidence of this item at this place. */
  promise(incarnation: string, place: string): void {
    this.#promised.add(`${incarnation}\0${place}`);
  }

  hasPromised(incarnation: string, place: string): boolean {
    return this.#promised.has(`${incarnation}\0${place}`);
  }
}

/** Whether the source of a pipeline yields backups, so that its root is a place, and no instrument. */
export function isOverBackups({ source }: Pick<CompiledPipeline, "source">): boolean {
  return source.plugin.yields === "backup";
}
