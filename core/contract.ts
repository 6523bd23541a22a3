/**
 * The plugin contract: what a stage, source, standard, store or scheduler is. One named object, one zod schema as the single
 * specification, `plan` that only looks and `apply` that acts through ports.
 * @module
 */
import type { z } from "zod";
import type { Finding, PipelineError } from "./errors.ts";
import type {
  AnyReadContext,
  AnyWriteContext,
  EventAckContext,
  EventReadContext,
  EventSourceContext,
  EventWriteContext,
} from "./event_ports.ts";
import type { Json } from "./json.ts";
import type { NotifierPlugin } from "./notifier.ts";
import type { ObjectStore } from "./objects/object_store.ts";
import type { AckContext, ReadContext, RunContext, SourceContext, WriteContext } from "./ports.ts";
import type { SchedulerPlugin } from "./scheduler.ts";

export type { Json } from "./json.ts";
export type * from "./scheduler.ts";
export * from "./define.ts";
export * from "./notifier.ts";
export { EVENT_NAME, isEventName } from "./events/events.ts";
export { type Recipients, recipientsOf } from "./events/recipients.ts";
export { StudyCollector } from "./standard.ts";

/** Facts of the lattice (SAFETY). `place` is the id of the stage that writes it; `source` for the instrument. */
export interface Fact {
  /** Which fact. */
  fact: "hashed" | "written" | "proved" | "sealed" | "recorded" | "locked";
  /** Id of the place; `hashed`, `recorded` and `locked` have none. */
  place?: string;
  /**
   * For `proved`: how strong the stage makes it (given) or must have it (needed). For `written`: `weak` when nothing
   * was flushed, and no proof on top of it is stronger; `none` when only some of the files are written, so that no
   * proof on top of it says anything of the item. Default: `strong`.
   */
  strength?: "strong" | "weak" | "none";
}

/** What a stage needs before it, gives after it, and kills by running. Kills come first. */
export interface StageFacts {
  /** What must stand before the stage. */
  needs?: Fact[];
  /** What its ports mint. */
  gives?: Fact[];
  /** `"everything"`: the stage may touch any byte anywhere (hooks, unpinned external stages). */
  kills?: Fact[] | "everything";
  /** The stage removes the item's files at this place; the lattice's rule for a destroy applies. */
  destroys?: { place: string; places: number };
  /** Needs every place written so far to be proved, and one of them sealed (the `complete` record). */
  needsAllProved?: boolean;
}

/** A place a stage writes to, declared so that lint, `install places` and the engine know it before anything runs. */
export type PlaceDeclaration =
  | { kind: "directory"; id: string; root: string; domain?: string; durability: "flushed" | "cached" }
  | {
    kind: "objects";
    id: string;
    /** Name of the store plugin, for example `s3`. */
    store: string;
    /** Options of the store plugin. */
    options: Record<string, Json>;
    /** Key prefix (empty for none). The compiler takes a leading `/` away and sets one at the end (SAFETY S18). */
    prefix: string;
    domain?: string;
    upload: UploadSettings;
  };

/** Largest part a stage may ask for, in bytes: parts are held in memory, whose bound is that of the run. */
export const LARGEST_PART_BYTES = 64 * 2 ** 20;

/** How an object place uploads and proves. Sizes in bytes. */
export interface UploadSettings {
  /** `auto`: by the store's own checksum where the store is known to check, else read back. */
  verify: "auto" | "read-back" | "none";
  /** At most `LARGEST_PART_BYTES`; larger ones are made only of objects that need more than 10,000 parts of it. */
  partSize: number;
  /** How many parts and small objects are under way at a time. */
  parallel: number;
  /** The store's own word, for example `DEEP_ARCHIVE`. Default: that of the bucket. */
  storageClass?: string;
}

/** A source declares its own root in the same way; its place id is always `source`. */
export interface SourceRoot {
  /** OS path. */
  root: string;
  /** Name shared by places that fail together. */
  domain?: string;
}

/** Config as plugins see it: the sections of DESIGN 5, defaults filled in. Read-only. */
export type ConfigView = Readonly<Record<string, Readonly<Record<string, Json>>>>;

/** A file of an item as a walk of the source saw it. */
export interface SourceFile {
  /** Relative to the item's root, `/`-separated. */
  path: string;
  /** Bytes. */
  size: number;
  /** ms since 1970; null where the system gives none. */
  mtimeMs: number | null;
  /** An empty folder: it is made at the place, and carries no evidence. */
  emptyFolder?: true;
}

/** The unit of work. `root` is set for trees and backups: the OS path of the dataset's folder. */
export interface Item {
  /** Stable identity: the incarnation of a tree, that of the ledger's record for a backup, the key of an event. */
  id: string;
  /** For people and for places: the name of the folder, or of the event. */
  name: string;
  /** What it is. */
  kind: ItemKind;
  /** OS path of the folder; events have none. */
  root?: string;
  /** What its source says of it, for templates and for stages of events. */
  data: { [key: string]: Json };
  /** What its source says of it, for the report: one line. */
  note?: string;
}

/** `tree`: a study where it was made. `backup`: a complete backup of one, at the place it was copied to. */
export type ItemKind = "tree" | "backup" | "event";

/** A unit that `apply` will do. `id` is its idempotency key (SAFETY S3). */
export interface Todo<D extends Json = Json> {
  /** It is a step. */
  kind: "todo";
  /** Unique among the steps of one item; the same whenever the same work is meant. */
  id: string;
  /** For people: `copy Scan1/a.qptiff`. */
  summary: string;
  /** The files it covers: in a dry run the engine promises the stage's facts for them downstream. */
  files?: readonly SourceFile[];
  /** Bytes of these files, for progress and report. */
  bytes?: number;
  /** Applied only when every earlier step has ended, with nothing beside it: a seal, an enumeration, a closing. */
  alone?: true;
  /** For events, what applying it will add to the item's data: in a dry run the stages behind plan with it. */
  promises?: { [key: string]: Json };
  /** What `apply` needs to know; goes through JSON. */
  data: D;
}
/** Nothing to do for this unit, and why. */
export interface Skip {
  /** It is a skip. */
  kind: "skip";
  /** For people: `already at truenas, unchanged since they were written`. */
  why: string;
  /** How many files it stands for. Default: 1. */
  files?: number;
  /** Bytes of these files. */
  bytes?: number;
}
/** The item ends here without failure, and why. */
export interface Drop {
  /** It ends the item. */
  kind: "drop";
  /** For people: `nobody is subscribed`. */
  why: string;
}
/**
 * The item waits: this run goes on with the next, a later one takes it up again and asks anew. `until` (ms since 1970)
 * is advice for people and schedulers, told in the report.
 */
export interface Wait {
  /** It puts the item off. */
  kind: "wait";
  /** For people: `the batch job is still queued`. */
  why: string;
  /** ms since 1970. */
  until?: number;
}
/** What a plan is made of. */
export type Plan<D extends Json = Json> = Todo<D> | Skip | Drop | Wait;

/** What a stage is given, by what it takes. */
export interface StageContexts {
  /** A study where it was made. */
  tree: { read: ReadContext; write: WriteContext };
  /** A complete backup at a place. */
  backup: { read: ReadContext; write: WriteContext };
  /** A tree or a backup. */
  folder: { read: ReadContext; write: WriteContext };
  /** An event. */
  event: { read: EventReadContext; write: EventWriteContext };
  /** Whatever there is: what trees and events have in common. */
  any: { read: AnyReadContext; write: AnyWriteContext };
}
/** What kind of item a stage takes. */
export type Takes = keyof StageContexts;

/** A stage opened for one run. */
export interface StageRun<D extends Json = Json, T extends Takes = "tree"> extends Partial<AsyncDisposable> {
  /** Lists what is to be done for one item, lazily. Must not change anything; a dry run stops here. */
  plan(item: Item, ctx: StageContexts[T]["read"]): AsyncIterable<Plan<D>>;
  /** Does one unit. Safe to repeat. */
  apply(step: Todo<D>, ctx: StageContexts[T]["write"]): Promise<void>;
}

/** What a stage is. What its two functions are given follows from what it takes. */
export interface StagePlugin<S extends z.ZodObject = z.ZodObject, D extends Json = Json, T extends Takes = Takes> {
  /** It is a stage. */
  kind: "stage";
  /** As pipelines name it: lower-case words joined by hyphens, a verb first. */
  name: string;
  /** One sentence with a period, for lists and for the documentation. */
  summary: string;
  /** What kind of item it takes; lint holds it against what the source yields. */
  takes: T;
  /** What it does to the world. Only with `destroy` may it ask for a destroy; with `modify` it may touch what is there. */
  effect: "read" | "create" | "modify" | "destroy";
  /** `skip-finished`: the journal may stand in for a step that ended; `redo`: the step is asked for anew in each run. */
  resume: "redo" | "skip-finished";
  /** A run-level hook may stand in `[[before]]`. */
  before?: boolean;
  /** May stand in `[[on_item_failed]]`. */
  onItemFailed?: boolean;
  /** The one specification: types, defaults, checks, documentation and JSON Schema come from it. */
  options: S;
  /** TOML of one table that uses it, for the documentation. */
  example: string;
  /** What it needs, gives and kills with these options and this id. Pure. */
  facts?(options: z.output<S>, id: string): StageFacts;
  /** The places it writes to. Pure. */
  places?(options: z.output<S>, id: string, config: ConfigView): PlaceDeclaration[];
  /** How many steps of one item run at a time unless the pipeline says otherwise. Default: 1. */
  parallel?: number;
  /** The stage reads or writes the ledger, so `paths.manifest_root` must be set and marked. */
  usesLedger?: boolean;
  /** Ledger status when an item fails in this stage; without it, the kind of the place it works on decides. */
  failure?: "failed_validation";
  /** Whether the other steps are still tried after one failed with this error. The stage fails in any case. Default: no. */
  goesOn?(error: PipelineError): boolean;
  /**
   * Whether an event goes on after it failed in this stage, or waits there: to the stages behind that only read or fail
   * apart, too. The item fails, or waits, at its end. Default: no.
   */
  failsApart?: boolean;
  /** Plugins it hands options to: they are checked when the pipeline is, at `at` below `with`. */
  uses?(options: z.output<S>): PluginUse[];
  /** Begins a run with checked options. What it holds is given back by `[Symbol.asyncDispose]`. */
  open(options: z.output<S>, run: RunContext): StageRun<D, T> | Promise<StageRun<D, T>>;
}

/** A plugin that a stage uses, and the options it hands on. */
export interface PluginUse {
  /** What kind of plugin. */
  kind: "notifier";
  /** Its name. */
  name: string;
  /** Options for it, unchecked. */
  options: { [key: string]: Json };
  /** Where the options stand below `with`. */
  at: readonly string[];
}

/** What a source is given, by what it yields. */
export interface SourceContexts {
  /** For a source of studies. */
  tree: { items: SourceContext; ack: AckContext };
  /** For a source of backups. */
  backup: { items: SourceContext; ack: AckContext };
  /** For a source of events. */
  event: { items: EventSourceContext; ack: EventAckContext };
}
/** What kind of item a source yields. */
export type Yields = keyof SourceContexts & ItemKind;

/** What a source is: it yields items and is told what came of them. */
export interface SourcePlugin<S extends z.ZodObject = z.ZodObject, Y extends Yields = Yields> {
  /** It is a source. */
  kind: "source";
  /** As pipelines name it: lower-case words joined by hyphens, a noun. */
  name: string;
  /** One sentence with a period. */
  summary: string;
  /** With `backup` the root is a place that other pipelines write: the run holds its lock (SAFETY S11). */
  yields: Y;
  /** Whether it goes on until the run is stopped. */
  endless: boolean;
  /** The one specification, as for a stage. */
  options: S;
  /** TOML of a `[source]` that uses it. */
  example: string;
  /** The folder its items lie in, if they lie in one. Pure. */
  root?(options: z.output<S>): SourceRoot;
  /** Begins a run with checked options. */
  open(options: z.output<S>, run: RunContext): SourceRun<Y> | Promise<SourceRun<Y>>;
}

/** What became of an item. */
export type ItemOutcome = "done" | "failed" | "dropped" | "waiting" | "unchanged";

/** A source opened for one run. */
export interface SourceRun<Y extends Yields = "tree"> extends Partial<AsyncDisposable> {
  /** Pulled only when a worker is free. An endless source ends with the signal of its context. */
  items(ctx: SourceContexts[Y]["items"]): AsyncIterable<Item>;
  /** Told what became of an item, never in a dry run. What failed or waits must come again. */
  ack?(item: Item, outcome: ItemOutcome, ctx: SourceContexts[Y]["ack"]): Promise<void>;
}

/** One entry of a listing handed to a standard. */
export interface ListedEntry {
  /** Relative to the study, `/`-separated. */
  path: string;
  /** What it is; links are never followed. */
  kind: "file" | "directory" | "symlink" | "other";
}

/** A naming standard: a pure function over a listing, free of Deno so that a browser page can share it. */
export interface StandardPlugin {
  /** It is a standard. */
  kind: "standard";
  /** As the stage `validate` names it. */
  name: string;
  /** One sentence with a period. */
  summary: string;
  /** How deep the listing must go, in path segments below the study; entries below are not needed. */
  depth: number;
  /** Whether the rules look at this entry at all; without it, every entry down to `depth` is collected. */
  wants?(entry: ListedEntry): boolean;
  /** Returns what is wrong with a study of this name, by rule. Pure. */
  check(study: string, entries: readonly ListedEntry[]): Finding[];
}

/** An adapter to a kind of object store. */
export interface StorePlugin<S extends z.ZodObject = z.ZodObject> {
  /** It is a store. */
  kind: "store";
  /** As stages name it, for example `s3`. */
  name: string;
  /** One sentence with a period. */
  summary: string;
  /** The one specification of a bucket's address. */
  options: S;
  /** TOML of a stage that writes to such a store. */
  example: string;
  /** Begins a session. Loads what is heavy, and asks nothing of the network yet. */
  open(options: z.output<S>): Promise<ObjectStore>;
}

/** Any stage, whatever its options and steps are. */
// deno-lint-ignore no-explicit-any
export type AnyStage = StagePlugin<any, any>;
/** Any source. */
// deno-lint-ignore no-explicit-any
export type AnySource = SourcePlugin<any>;
/** Any store. */
// deno-lint-ignore no-explicit-any
export type AnyStore = StorePlugin<any>;
/** Any notifier. */
// deno-lint-ignore no-explicit-any
export type AnyNotifier = NotifierPlugin<any>;
/** Any plugin. */
export type Plugin = AnyStage | AnySource | StandardPlugin | AnyStore | AnyNotifier | SchedulerPlugin;
