/**
 * What may befall a world while the engine runs in it, as plain data: when it happens, and what. A counter-example
 * shrinks to the few events that matter.
 * @module
 */
import fc from "fast-check";

/** When an event happens: at the nth call of a kind (while a stage runs), or when a stage begins or ends. */
export type Trigger =
  | { on: "fs"; where: "source" | "nas" | "ledger" | "any"; ops: keyof typeof OPS; nth: number; during?: string }
  | { on: "store"; name: string; nth: number; during?: string }
  | { on: "stage"; use: string; edge: "started" | "finished"; nth: number };

/** What happens. `file` and `place` choose among those of the plan. */
export type Act =
  | { act: "errno"; code: string; times: number }
  | { act: "flip"; bit: number }
  | { act: "crash"; lose: "nothing" | "all" | "zeros" | number }
  | { act: "refuse"; kind: "throttled" | "unreachable" | "denied"; times: number }
  | { act: "lose-answer" }
  | { act: "corrupt"; bit: number }
  | { act: "misread"; bit: number }
  | { act: "instrument"; what: "write" | "replace" | "sneak" | "add" | "remove" | "touch"; file: number; ms: number }
  | { act: "nas"; what: "rot" | "remove" | "rewrite" | "truncate" | "foreign"; place: number; file: number }
  | { act: "object"; what: "rot" | "drop" | "overwrite" | "foreign"; place: number; file: number }
  | { act: "unmount"; mount: "/nas" | "/instrument" | "/manifests" }
  | { act: "clock"; ms: number }
  | { act: "unlock"; file: number }
  | { act: "stop" }
  | { act: "abort" };

export interface Event {
  /** 0 for the first run. */
  run: number;
  trigger: Trigger;
  act: Act;
}

/** What events choose from. */
export interface Targets {
  /** OS paths of the files of all studies at all sources. */
  sources: string[];
  /** `study/path` of the same, and of the sidecars. */
  files: string[];
  folders: string[];
  prefixes: string[];
  /** Prefixes below which `corrupt` is excused: the store takes back its word after a check that was to be trusted. */
  trusted: string[];
  /** The store says back whatever checksum it was told, and checks none. */
  parrots: boolean;
  /** The store never replaces an object when asked not to. */
  holdsIfAbsent: boolean;
  /** Two hosts run: what happens at one may fall between two calls of the other. */
  isCrowded: boolean;
}

/** Kinds of calls of the file system. */
export const OPS = {
  any: undefined,
  look: ["lstat", "readDir", "realPath", "stat", "readText"],
  read: ["openRead", "read"],
  write: ["createNew", "openReadWrite", "write", "setMtime", "mkdir", "truncate"],
  publish: ["rename", "renameNew", "link"],
  flush: ["sync", "syncFile", "syncDir", "flush", "openBarrier", "close"],
  remove: ["removeFile", "removeEmptyDir"],
} as const;

/** Acts that befall one call and its answer. */
export const OF_CALLS: ReadonlySet<string> = new Set(["errno", "flip", "refuse", "lose-answer", "corrupt", "misread"]);

const nth = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 400 }));
const few = fc.integer({ min: 1, max: 3 });
const index = fc.nat(9);
const bit = fc.nat(400);

/** Where the acts that count are: counted while a stage runs, a few calls reach any of its moments. */
const during = fc.constantFrom(undefined, "copy", "s3-upload", "delete", "delete");
const nearby = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 60 }));

const fsTrigger: fc.Arbitrary<Trigger> = fc.record({
  on: fc.constant("fs" as const),
  where: fc.constantFrom("source" as const, "nas" as const, "ledger" as const, "any" as const),
  ops: fc.constantFrom(...Object.keys(OPS) as (keyof typeof OPS)[]),
  nth,
});
const fsTriggerDuring: fc.Arbitrary<Trigger> = fc.record({
  on: fc.constant("fs" as const),
  where: fc.constantFrom("source" as const, "nas" as const, "any" as const),
  ops: fc.constantFrom("any" as const, "any" as const, "look" as const, "flush" as const, "publish" as const),
  nth: nearby,
  during,
});
const storeTrigger: fc.Arbitrary<Trigger> = fc.record({
  on: fc.constant("store" as const),
  name: fc.constantFrom("any", "any", "put", "head", "get", "list", "headBucket", "uploadPart", "completeUpload"),
  nth: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40 })),
  during: fc.constantFrom(undefined, undefined, "delete"),
});
const stageTrigger: fc.Arbitrary<Trigger> = fc.oneof(
  fc.record({
    on: fc.constant("stage" as const),
    use: fc.constantFrom("lock", "copy", "verify", "checksum-sidecar", "s3-upload", "manifest-append"),
    edge: fc.constantFrom("started" as const, "finished" as const),
    nth: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    on: fc.constant("stage" as const),
    use: fc.constant("delete"),
    edge: fc.constant("started" as const),
    nth: fc.integer({ min: 1, max: 2 }),
  }),
);
const anyTrigger = fc.oneof(
  fsTrigger,
  storeTrigger,
  { weight: 3, arbitrary: fsTriggerDuring },
  { weight: 2, arbitrary: stageTrigger },
);

const nasTrigger = (ops: keyof typeof OPS, most?: number) =>
  fc.record({
    on: fc.constant("fs" as const),
    where: fc.constant("nas" as const),
    ops: fc.constant(ops),
    nth: most === undefined ? nth : fc.integer({ min: 1, max: most }),
  });
/** Between the last proof and the last file's end. */
const sourceDuringDelete: fc.Arbitrary<Trigger> = fc.record({
  on: fc.constant("fs" as const),
  where: fc.constant("source" as const),
  ops: fc.constantFrom("any" as const, "remove" as const),
  nth: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 90 })),
  during: fc.constant("delete"),
});
/** Behind the record, before the first look of the delete. */
const beforeDelete: fc.Arbitrary<Trigger> = fc.constant({ on: "stage", use: "delete", edge: "started", nth: 1 });
const atPut: fc.Arbitrary<Trigger> = fc.record({
  on: fc.constant("store" as const),
  name: fc.constantFrom("put", "completeUpload"),
  nth: fc.integer({ min: 1, max: 8 }),
});
/** Somebody is quicker: at a call that publishes, the name is the call's own. */
const someFile = { what: fc.constant("foreign" as const), place: index, file: index };

const lose: fc.Arbitrary<"nothing" | "all" | "zeros" | number> = fc.oneof(
  fc.constantFrom<"nothing" | "all" | "zeros">("nothing", "all", "zeros"),
  fc.nat(),
);

const instrumentAct: fc.Arbitrary<Act> = fc.record({
  act: fc.constant("instrument" as const),
  what: fc.constantFrom<"write" | "replace" | "sneak" | "add" | "remove" | "touch">(
    "write",
    "replace",
    "sneak",
    "add",
    "remove",
    "touch",
  ),
  file: index,
  ms: fc.constantFrom(1, 7, 900, 3000),
});

const worldAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: instrumentAct },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("nas" as const),
      what: fc.constantFrom<"rot" | "remove" | "rewrite" | "truncate" | "foreign">(
        "rot",
        "remove",
        "rewrite",
        "truncate",
        "foreign",
      ),
      place: index,
      file: index,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant("object" as const),
      what: fc.constantFrom<"rot" | "drop" | "overwrite" | "foreign">("rot", "drop", "overwrite", "foreign"),
      place: index,
      file: index,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("unmount" as const),
      mount: fc.constantFrom<"/nas" | "/instrument" | "/manifests">("/nas", "/nas", "/instrument", "/manifests"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("clock" as const),
      ms: fc.constantFrom(-86_400_000, -3_600_000, -3000, 500, 2000, 700_000, 3_600_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("unlock" as const), file: index }) },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ act: "stop" }, { act: "abort" }) },
);

type Pair = { trigger: Trigger; act: Act };
const pair = (trigger: fc.Arbitrary<Trigger>, act: fc.Arbitrary<Act>): fc.Arbitrary<Pair> =>
  fc.record({ trigger, act });

const pairs: fc.Arbitrary<Pair> = fc.oneof(
  { weight: 8, arbitrary: pair(anyTrigger, worldAct) },
  { weight: 2, arbitrary: pair(sourceDuringDelete, instrumentAct) },
  { weight: 1, arbitrary: pair(beforeDelete, instrumentAct) },
  {
    weight: 1,
    arbitrary: pair(nasTrigger("publish", 12), fc.record({ ...someFile, act: fc.constant("nas" as const) })),
  },
  { weight: 1, arbitrary: pair(atPut, fc.record({ ...someFile, act: fc.constant("object" as const) })) },
  {
    weight: 3,
    arbitrary: pair(
      fsTrigger,
      fc.record({
        act: fc.constant("errno" as const),
        code: fc.constantFrom("EIO", "ENOSPC", "EACCES", "ENOTCONN"),
        times: few,
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: pair(
      fc.oneof(fsTrigger, fsTrigger, storeTrigger),
      fc.record({ act: fc.constant("crash" as const), lose }),
    ),
  },
  {
    weight: 2,
    arbitrary: pair(
      fc.oneof(nasTrigger("write"), nasTrigger("read")),
      fc.record({ act: fc.constant("flip" as const), bit }),
    ),
  },
  {
    weight: 3,
    arbitrary: pair(
      storeTrigger,
      fc.oneof(
        fc.record({
          act: fc.constant("refuse" as const),
          kind: fc.constantFrom<"throttled" | "unreachable" | "denied">("throttled", "unreachable", "denied"),
          times: few,
        }),
        fc.constant<Act>({ act: "lose-answer" }),
        fc.record({ act: fc.constantFrom("corrupt" as const, "misread" as const), bit }),
      ),
    ),
  },
);

/** An event in one of three runs; most in the first. */
export const event: fc.Arbitrary<Event> = fc.tuple(fc.constantFrom(0, 0, 0, 1, 2), pairs)
  .map(([run, { trigger, act }]) => ({ run, ...{ trigger, act } }));

/** Events that a rerun must overcome without a person: SAFETY S22. */
export function isGentle({ act }: Event): boolean {
  return ["errno", "crash", "lose-answer", "stop", "abort"].includes(act.act) ||
    (act.act === "refuse" && act.kind !== "denied");
}

/** Whether a call of the store is one the trigger counts. */
export function isStoreTrigger(trigger: Trigger, call: { name: string }): trigger is Trigger & { on: "store" } {
  return trigger.on === "store" && (trigger.name === "any" || trigger.name === call.name);
}

/** Whether a path is on the disks a trigger speaks of. */
export function isAt(where: "source" | "nas" | "ledger" | "any", path: string): boolean {
  if (where === "any") return true;
  return path.startsWith({ source: "/instrument", nas: "/nas", ledger: "/manifests" }[where]);
}
