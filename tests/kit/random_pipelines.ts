/**
 * Random pipelines over the shipped stages: pipelines an operator could mean, mutated, and stages thrown together.
 * @module
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Json } from "../../core/json.ts";
import { NAS_ROOT, SOURCE_ROOT } from "../../testing/world.ts";

export interface StageSpec {
  use: string;
  id: string;
  with: Record<string, Json>;
  after?: string[];
  on_error?: "warn";
  retry?: Record<string, Json>;
  parallel?: number;
}

export interface PipelineSpec {
  before: StageSpec[];
  stages: StageSpec[];
  handlers: StageSpec[];
}

/** On a device of its own. */
export const SECOND_ROOT = "/nas2/backups";
/** Beside the NAS's own root, on its device. */
export const THIRD_ROOT = "/nas/others";

/** A program that hooks run; what it does is the plan's. */
export const TOOL = "/state/tool";
export const TOOL_TEXT = "a program";
const TOOL_SHA256 = createHash("sha256").update(TOOL_TEXT).digest("hex");

const stage = (use: string, id: string, options: Record<string, Json> = {}): StageSpec => ({ use, id, with: options });

const LOCK = stage("lock", "lock");
const BEGIN = stage("manifest-append", "begin", { status: "in_progress" });
const RECORD = stage("manifest-append", "record", { status: "complete" });
const FREE = stage("delete", "free", { require: { places: 2 } });
const FREE_ONE = stage("delete", "free", { require: { places: 1 } });
const copy = (id: string, to: string, more: Record<string, Json> = {}) => stage("copy", id, { to, ...more });
const verify = (place: string) => stage("verify", `verify-${place}`, { place });
const seal = (place: string) => stage("checksum-sidecar", `seal-${place}`, { place });
const upload = (id: string, prefix: string, more: Record<string, Json> = {}) =>
  stage("s3-upload", id, { bucket: "archive", prefix, part: "5 MiB", ...more });
const after = (one: StageSpec, ...ids: string[]): StageSpec => ({ ...one, after: ids });

const NAS = [copy("truenas", NAS_ROOT), verify("truenas"), seal("truenas")];
const SECOND = [copy("second", SECOND_ROOT), verify("second"), seal("second")];

/** The order of the shipped preset `backup`, without the naming standard. */
const SHIPPED: StageSpec[] = [LOCK, BEGIN, ...NAS, upload("s3", "fusion"), RECORD, FREE];

/** Pipelines an operator could mean: all of them pass lint. */
export const BASES: Record<string, StageSpec[]> = {
  shipped: SHIPPED,
  "upload first": [LOCK, BEGIN, upload("s3", "fusion"), ...NAS, RECORD, FREE],
  "bucket only": [LOCK, upload("s3", "fusion"), RECORD, FREE_ONE],
  "NAS only": [LOCK, BEGIN, ...NAS, RECORD, FREE_ONE],
  "two folders": [LOCK, ...NAS, ...SECOND, RECORD, FREE],
  "two prefixes": [LOCK, upload("s3", "fusion"), upload("s3b", "copies"), seal("s3b"), RECORD, FREE],
  "three places": [
    LOCK,
    ...NAS,
    ...SECOND,
    upload("s3", "fusion"),
    RECORD,
    stage("delete", "free", { require: { places: 3 } }),
  ],
  "unflushed beside the bucket": [
    LOCK,
    copy("truenas", NAS_ROOT, { durability: "cached" }),
    verify("truenas"),
    seal("truenas"),
    upload("s3", "fusion"),
    RECORD,
    FREE,
  ],
  "upload verified later": [
    LOCK,
    upload("s3", "fusion", { verify: "none" }),
    ...NAS,
    verify("s3"),
    RECORD,
    FREE,
  ],
  branches: [
    LOCK,
    after(copy("truenas", NAS_ROOT), "lock"),
    after(verify("truenas"), "truenas"),
    after(seal("truenas"), "verify-truenas"),
    after(upload("s3", "fusion"), "lock"),
    after(RECORD, "seal-truenas", "s3"),
    after(FREE, "record"),
  ],
  "no delete": [LOCK, BEGIN, ...NAS, upload("s3", "fusion"), RECORD],
  "with a pinned hook": [
    LOCK,
    ...NAS,
    stage("hook", "hook", { argv: [TOOL, "nothing"], sha256: TOOL_SHA256, touches: [] }),
    upload("s3", "fusion"),
    RECORD,
    FREE,
  ],
  "hook first": [stage("hook", "hook", { argv: [TOOL, "everything"] }), ...SHIPPED],
};

/** Pipelines that lack one thing: lint refuses them all, and so must the engine by itself. */
export const NEAR_MISSES: Record<string, StageSpec[]> = {
  "places that fail together": [
    LOCK,
    copy("truenas", NAS_ROOT, { domain: "room" }),
    verify("truenas"),
    seal("truenas"),
    upload("s3", "fusion", { domain: "room" }),
    RECORD,
    FREE,
  ],
  "no verify": [LOCK, NAS[0], seal("truenas"), upload("s3", "fusion"), RECORD, FREE],
  "no sidecar": [LOCK, NAS[0], NAS[1], upload("s3", "fusion", { verify: "none" }), verify("s3"), RECORD, FREE],
  "no record": [LOCK, ...NAS, upload("s3", "fusion"), FREE],
  "no lock": [...NAS, upload("s3", "fusion"), RECORD, FREE],
  "unproved upload": [LOCK, ...NAS, upload("s3", "fusion", { verify: "none" }), RECORD, FREE],
  "too few places": [LOCK, ...NAS, RECORD, FREE],
  "hook before the delete": [...SHIPPED.slice(0, -1), stage("hook", "hook", { argv: [TOOL, "everything"] }), FREE],
  "unflushed only": [
    LOCK,
    copy("truenas", NAS_ROOT, { durability: "cached" }),
    verify("truenas"),
    seal("truenas"),
    RECORD,
    FREE_ONE,
  ],
};

/** Values that options are changed to, by stage and option. */
const OPTIONS: Record<string, [option: string, values: Json[]][]> = {
  copy: [
    ["to", [NAS_ROOT, SECOND_ROOT, THIRD_ROOT, `${NAS_ROOT}/nested`, `${SOURCE_ROOT}/inside`]],
    ["durability", ["flushed", "cached"]],
    ["domain", ["room", "cellar", "truenas"]],
  ],
  "s3-upload": [
    ["prefix", ["fusion", "copies", "", "fusion/inner"]],
    ["verify", ["auto", "read-back", "none"]],
    ["domain", ["room", "cellar", "s3"]],
    ["transfers", [1, 3]],
  ],
  verify: [["place", ["truenas", "second", "s3", "s3b", "nowhere"]]],
  "checksum-sidecar": [["place", ["truenas", "second", "s3", "s3b", "nowhere"]]],
  "manifest-append": [["status", ["in_progress", "complete", "failed"]]],
  delete: [
    ["require", [{ places: 1 }, { places: 2 }, { places: 3 }]],
    ["recheck", ["identity", "hash"]],
  ],
  hook: [
    ["argv", [[], [TOOL, "everything"]]],
    ["on_error", ["fail", "warn"]],
  ],
  health: [["mtime_gap_days", [1, 14]]],
};

/** Stages to put in where there were none. */
const EXTRAS: StageSpec[] = [
  ...SHIPPED,
  ...SECOND,
  upload("s3b", "copies"),
  verify("s3"),
  seal("s3"),
  FREE_ONE,
  stage("health", "health", { on: "warn" }),
  stage("hook", "hook", { argv: [TOOL, "everything"] }),
  stage("hook", "pinned", { argv: [TOOL, "nothing"], sha256: TOOL_SHA256, touches: [] }),
  stage("hook", "pinned", { argv: [TOOL, "source"], sha256: TOOL_SHA256, touches: ["source"] }),
  stage("hook", "pinned", { argv: [TOOL, "truenas"], sha256: TOOL_SHA256, touches: ["truenas"] }),
];

type MutationKind = "swap" | "drop" | "repeat" | "option" | "insert" | "after" | "engine";

export interface Mutation {
  kind: MutationKind;
  at: number;
  to: number;
  pick: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom<MutationKind>(
    "swap",
    "drop",
    "repeat",
    "option",
    "option",
    "insert",
    "insert",
    "after",
    "engine",
  ),
  at: fc.nat(11),
  to: fc.nat(11),
  pick: fc.nat(29),
});

function freshId(stages: readonly StageSpec[], id: string): string {
  let fresh = id;
  for (let n = 2; stages.some((one) => one.id === fresh); n++) fresh = `${id}-${n}`;
  return fresh;
}

function mutate(stages: StageSpec[], { kind, at, to, pick }: Mutation): StageSpec[] {
  if (stages.length === 0) return stages;
  const [i, j] = [at % stages.length, to % stages.length];
  const one = stages[i];
  const next = [...stages];
  switch (kind) {
    case "swap":
      [next[i], next[j]] = [next[j], next[i]];
      return next;
    case "drop":
      return next.toSpliced(i, 1);
    case "repeat":
      return next.toSpliced(j, 0, { ...one, id: freshId(stages, one.id) });
    case "insert": {
      const extra = EXTRAS[pick % EXTRAS.length];
      return next.toSpliced(i, 0, { ...extra, id: freshId(stages, extra.id) });
    }
    case "option": {
      const options = OPTIONS[one.use] ?? [];
      if (options.length === 0) return next;
      const [option, values] = options[pick % options.length];
      next[i] = { ...one, with: { ...one.with, [option]: values[to % values.length] } };
      return next;
    }
    case "after":
      // Mostly what comes earlier; sometimes not, and lint refuses the circle.
      next[i] = { ...one, after: pick % 5 === 0 ? [] : [stages[pick % 7 === 0 ? j : j % (i + 1)].id] };
      return next;
    case "engine":
      next[i] = {
        ...one,
        ...[
          { on_error: "warn" as const },
          { retry: { attempts: 3, first: "1s" } },
          { retry: { attempts: 2, first: "1s", on: ["transient", "io/failed", "destroy/not-proved"] } },
          { parallel: 1 + to % 4 },
        ][pick % 4],
      };
      return next;
  }
}

const mutations = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 6, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) },
  { weight: 3, arbitrary: fc.array(mutation, { minLength: 2, maxLength: 6 }) },
);

const handlers = fc.constantFrom<StageSpec[][]>(
  [stage("manifest-append", "failed", { status: "failed" })],
  [],
  [stage("hook", "on-failure", { argv: [TOOL, "everything"] })],
  [stage("manifest-append", "failed", { status: "failed" }), stage("hook", "on-failure", { argv: [] })],
);

const MOUNT: StageSpec[] = [stage("hook", "mount", { argv: [TOOL, "everything"] })];
const before = fc.oneof(
  { weight: 5, arbitrary: fc.constant<StageSpec[]>([]) },
  { weight: 1, arbitrary: fc.constant(MOUNT) },
);

const body: fc.Arbitrary<StageSpec[]> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(fc.constantFrom(...Object.keys(BASES)), mutations)
      .map(([base, changes]) => changes.reduce(mutate, BASES[base])),
  },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(NEAR_MISSES)) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...EXTRAS), { minLength: 1, maxLength: 10 })
      .map((list) => list.reduce<StageSpec[]>((all, one) => [...all, { ...one, id: freshId(all, one.id) }], [])),
  },
);

/** Pipelines an operator could write; many pass lint, many do not. */
export const pipelineSpec: fc.Arbitrary<PipelineSpec> = fc.record({ before, stages: body, handlers });

/** What an operator changes of a pipeline between two runs. */
export const operatorChanges: fc.Arbitrary<Mutation[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 2 }) },
);

export function changed(spec: PipelineSpec, changes: readonly Mutation[]): PipelineSpec {
  return { ...spec, stages: changes.reduce(mutate, spec.stages) };
}

/** The TOML of a pipeline. */
export function renderPipeline(spec: PipelineSpec): string {
  const lines = [
    'name = "random"',
    "[source]",
    'use = "idle-folders"',
    'with = { root = "${paths.source_root}", idle = "${backup.idle_days}d" }',
  ];
  const lists = [["before", spec.before], ["stage", spec.stages], ["on_item_failed", spec.handlers]] as const;
  for (const [list, stages] of lists) {
    for (const { use, id, with: options, after, on_error, retry, parallel } of stages) {
      lines.push(`[[${list}]]`, `use = ${toml(use)}`, `id = ${toml(id)}`, `with = ${toml(options)}`);
      if (after) lines.push(`after = ${toml(after)}`);
      if (on_error) lines.push(`on_error = ${toml(on_error)}`);
      if (retry) lines.push(`retry = ${toml(retry)}`);
      if (parallel) lines.push(`parallel = ${parallel}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function toml(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${key} = ${toml(inner)}`);
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}
