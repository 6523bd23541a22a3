/** A random plan: a pipeline, studies, a world, what befalls it, over how many runs. @module */
import fc from "fast-check";
import { type Event, event } from "./random_events.ts";
import { type Mutation, operatorChanges, type PipelineSpec, pipelineSpec } from "./random_pipelines.ts";

export interface Study {
  name: string;
  files: string[];
}

export interface Plan {
  pipeline: PipelineSpec;
  /** What an operator changes before the second run. */
  changes: Mutation[];
  studies: Study[];
  events: Event[];
  runs: number;
  /** Whether the journal is lost after the run. */
  loses: boolean[];
  /** Days between runs. */
  gap: number;
  /** Another host has a study of the same name as the first. */
  crowd: boolean;
  force: boolean;
  /** Is run although lint refuses it: the engine must refuse by itself. */
  daring: boolean;
  /** What a hook that may touch everything does, in turn. */
  hooks: Event["act"][];
  store: { checksums: boolean; parrots: boolean; putIfAbsent: boolean; completeIfAbsent: boolean; versioned: boolean };
  disk: { links: boolean; renameNew: boolean; barrier: boolean; isCached: boolean };
  /** How far the store's clock is off, minutes. */
  skew: number;
}

const mostly = (usual: boolean, weight = 5) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(!usual) });

const PATHS = [
  "a.txt",
  "b.bin",
  "zero",
  "Scan1/x.qptiff",
  "Scan1/.temp/",
  "Scan1/ü/ñ.dat",
  "Scan1/\nnew\\line",
  "deep/er/est/f",
  "empty/",
];

const study: fc.Arbitrary<Study> = fc.record({
  name: fc.constantFrom("study1", "study10", "ünï ¢ødé", "a b"),
  files: fc.tuple(
    fc.subarray(PATHS, { minLength: 1, maxLength: 6 }),
    fc.oneof(
      { weight: 60, arbitrary: fc.constant([]) },
      { weight: 3, arbitrary: fc.constant(["large"]) },
      { weight: 1, arbitrary: fc.constant(["parts"]) },
    ),
  ).map(([some, big]) => [...some.some((path) => !path.endsWith("/")) ? some : [...some, "a.txt"], ...big]),
});

export const plan: fc.Arbitrary<Plan> = fc.record({
  pipeline: pipelineSpec,
  changes: operatorChanges,
  studies: fc.oneof(
    { weight: 3, arbitrary: fc.uniqueArray(study, { minLength: 1, maxLength: 1 }) },
    {
      weight: 1,
      arbitrary: fc.uniqueArray(study, { minLength: 1, maxLength: 3, selector: ({ name }: Study) => name }),
    },
  ),
  events: fc.oneof(
    { weight: 1, arbitrary: fc.constant<Event[]>([]) },
    { weight: 6, arbitrary: fc.array(event, { minLength: 1, maxLength: 2 }) },
    { weight: 3, arbitrary: fc.array(event, { minLength: 3, maxLength: 6 }) },
  ),
  runs: fc.constantFrom(1, 1, 2, 2, 3),
  loses: fc.tuple(mostly(false, 3), mostly(false, 3)).map((both) => [...both]),
  gap: fc.constantFrom(0, 1 / 24, 20),
  crowd: mostly(false, 6),
  force: mostly(false, 8),
  daring: mostly(false, 2),
  hooks: fc.array(event.map(({ act }) => act), { maxLength: 2 }),
  store: fc.record({
    checksums: mostly(true, 2),
    parrots: mostly(false, 1),
    putIfAbsent: mostly(true, 3),
    completeIfAbsent: mostly(true, 3),
    versioned: mostly(false, 3),
  }),
  disk: fc.record({
    links: mostly(true),
    renameNew: mostly(true, 2),
    barrier: mostly(true, 2),
    isCached: mostly(false, 6),
  }),
  skew: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constantFrom(3, 10)),
});
