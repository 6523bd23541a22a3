/**
 * What may stand in a case file: one schema for types, defaults, checks, words and JSON Schema.
 * @module
 */
import type { ItemOutcome } from "../contract.ts";
import { LEDGER_STATUSES } from "../ledger/record.ts";
import { byteSize, z } from "../options.ts";
import { CONFIG_SCHEMA } from "./config.ts";
import type { StageOutcome } from "../run/report.ts";

/** More than any made-up file needs; all of it lies in memory. */
const LARGEST_FILE_BYTES = 64 * 2 ** 20;

const ITEM_OUTCOMES = ["done", "failed", "dropped", "waiting", "unchanged"] as const satisfies readonly ItemOutcome[];
const STAGE_OUTCOMES = [
  "done",
  "skipped",
  "failed",
  "dropped",
  "waiting",
  "not-reached",
] as const satisfies readonly StageOutcome[];

/** Folders of the world that can be unmounted or run full. */
const MOUNTS = ["source", "nas", "manifests"] as const;

const mount = (description: string) => z.enum(MOUNTS).optional().meta({ description });
const times = (description: string) => z.number().int().min(1).optional().meta({ description });

/** A stretch of time with a sign. Output: ms. */
function shift() {
  return z.string().transform((value, ctx) => {
    const match = /^([+-])(\d+(?:\.\d+)?)(s|min|h|d)$/.exec(value);
    if (match) {
      const unit = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match[3]] ?? 0;
      return Number(`${match[1]}${match[2]}`) * unit;
    }
    ctx.addIssue({
      code: "custom",
      message: `wanted a sign, a number and s, min, h or d, such as "-2h", found "${value}"`,
    });
    return z.NEVER;
  });
}

const CONTENT = z.union([
  z.string(),
  z.strictObject({
    size: byteSize({ most: LARGEST_FILE_BYTES }).meta({ description: "Bytes of it; they differ everywhere." }),
  }),
]).meta({ description: 'The text of the file, or { size = "3 MiB" }.' });

const STUDY = z.strictObject({
  fixture: z.enum(["phenocycler"]).optional().meta({
    description: "Files of a made-up study that passes this naming standard, if its name does.",
  }),
  days_old: z.number().min(0).default(30).meta({ description: "Days since anything in it was written.", unit: "days" }),
  other_host: z.boolean().default(false).meta({ description: "It is on the instrument of the second host." }),
  files: z.record(z.string().min(1), CONTENT).default({}).meta({ description: "Files by path within the study." }),
});

const LOSABLE = z.enum(["put", "uploadPart", "completeUpload", "delete"]);

const EVENT = z.strictObject({
  event: z.string().min(1).meta({ description: "Name of the event." }),
  details: z.record(z.string(), z.json()).default({}).meta({ description: "What it says." }),
});

const MEANWHILE = z.strictObject({
  before: z.string().optional().meta({ description: "Moment: as the stage of this id begins." }),
  after: z.string().optional().meta({ description: "Moment: as the stage of this id has ended." }),
  item: z.string().optional().meta({ description: "Of which item; of the first that comes there if left out." }),
  there: z.string().optional().meta({ description: "Moment: as a file or object is there, by place/path." }),
  gone: z.string().optional().meta({ description: "Moment: as a file or object that was there is not any more." }),
  steps: times("So many calls of disk, store and journal later; without a stage, since the run began."),
  waits: times("Moment: as an endless pipeline waits for news for this time, from 1."),
  write: z.record(z.string(), CONTENT).default({}).meta({ description: "Files that come or change, by place/path." }),
  append: z.record(z.string(), z.string()).default({}).meta({ description: "Text that is added to files." }),
  move: z.record(z.string(), z.string()).default({}).meta({ description: "Files that get another name, old to new." }),
  remove: z.array(z.string()).default([]).meta({ description: "Files that go." }),
  flip: z.array(z.string()).default([]).meta({ description: "Files in which one bit flips, unseen by any stat." }),
  unmount: mount("What is not there any more: its folder shows, empty."),
  remount: mount("What comes back."),
  fill: mount("What has no byte left."),
  make_room: mount("What has room again."),
  s3_down: times("So many requests to the store are not answered."),
  s3_lost_response: z.union([
    LOSABLE,
    z.strictObject({
      request: LOSABLE.meta({ description: "Which kind of request." }),
      of: z.string().meta({ description: "Of which object: bucket/…" }),
    }),
  ]).optional().meta({ description: "The next request of this kind is done, and its answer is lost." }),
  mail_down: times("So many messages are not taken, as by a server that is away."),
  crash: z.enum(["power", "kill"]).optional().meta({
    description: "The machine stops: power also takes what was not flushed, kill takes the process alone.",
  }),
  lose_journal: z.boolean().default(false).meta({ description: "The state folder is lost. Before a run only." }),
  clock: shift().optional().meta({ description: "The clock is set, by a sign and a stretch of time: -2h." }),
  raise: z.array(EVENT).default([]).meta({ description: "Events that wait to be told. Before a run only." }),
  other_host: z.strictObject({
    pipeline: z.string().optional().meta({ description: "What it runs; the case's own pipeline if left out." }),
    exit_code: z.number().int().optional().meta({ description: "How it must end." }),
  }).optional().meta({
    description: "A second host, with a journal and an instrument of its own, makes a run; the first waits meanwhile.",
  }),
});

const ITEM = z.union([
  z.enum(ITEM_OUTCOMES),
  z.strictObject({
    outcome: z.enum(ITEM_OUTCOMES).meta({ description: "How it ended." }),
    stage: z.string().optional().meta({ description: "Id of the stage in which it failed." }),
    error: z.string().optional().meta({ description: "Code of the error." }),
    why: z.string().optional().meta({
      description: "Words that stand in why it was dropped or waits, or in the error.",
    }),
    stages: z.record(z.string(), z.enum(STAGE_OUTCOMES)).default({}).meta({
      description: "How its stages ended, by id; those that are not named are not looked at.",
    }),
  }),
]);

const LISTING = z.union([
  z.array(z.string()),
  z.record(
    z.string(),
    z.union([
      z.string(),
      z.strictObject({
        sha256: z.string().regex(/^[0-9a-f]{64}$/, "wanted 64 lower-case hex digits").meta({
          description: "Its hash.",
        }),
      }),
    ]),
  ),
]);
const listing = (where: string) =>
  LISTING.optional().meta({
    description: `Every file ${where}: a list of paths, or a table of their texts or hashes. A study's name with "/" ` +
      "stands for the study as it was given, each byte of it, with its list of checksums where it is a copy.",
  });

const END = z.strictObject({
  source: listing("on the instrument"),
  other: listing("on the instrument of the second host"),
  nas: listing("on the NAS"),
  bucket: listing("in the bucket"),
  places: z.record(z.string(), LISTING).default({}).meta({ description: "The same of further places, by their root." }),
  ledger: z.record(
    z.string(),
    z.union([
      z.enum(LEDGER_STATUSES),
      z.strictObject({
        status: z.enum(LEDGER_STATUSES).meta({ description: "As in its latest record." }),
        deleted: z.boolean().default(false).meta({ description: "Its source is deleted." }),
        evicted: z.boolean().default(false).meta({ description: "It is evicted from the NAS." }),
      }),
    ]),
  ).optional().meta({ description: "Every backup and its status; as a word alone, neither deleted nor evicted." }),
});

const RUN = z.strictObject({
  pipeline: z.string().optional().meta({ description: "Another pipeline than the case's, for this run." }),
  days_later: z.number().min(0).default(0).meta({ description: "Days that pass before it.", unit: "days" }),
  only: z.string().optional().meta({ description: "As --only." }),
  force: z.union([z.boolean(), z.string()]).default(false).meta({ description: "As --force: true, or a stage." }),
  dry_run: z.boolean().default(false).meta({ description: "As --dry-run." }),
  meanwhile: z.array(MEANWHILE).default([]).meta({ description: "What happens; without a moment, before the run." }),
  exit_code: z.union([z.number().int(), z.literal("crash")]).meta({
    description: 'How it ends; "crash" if it has no end.',
  }),
  error: z.string().optional().meta({ description: "Code of what stopped the run as a whole." }),
  items: z.record(z.string(), ITEM).optional().meta({
    description: "Every item and how it ended. A name that comes again is written: name (2).",
  }),
  hooks: z.array(z.array(z.string())).optional().meta({ description: "Programs that would have been started." }),
  events: z.array(z.union([z.string(), EVENT])).optional().meta({
    description: "Events that were raised, in order; details that are not named are not looked at.",
  }),
  mails: z.array(z.strictObject({
    to: z.string().optional().meta({ description: "The address." }),
    event: z.string().optional().meta({ description: "Name of the event." }),
    subject: z.string().optional().meta({ description: "Words in its subject." }),
    text: z.string().optional().meta({ description: "Words in its text." }),
  })).optional().meta({ description: "Messages that were delivered, in order." }),
  end: END.optional().meta({ description: "What is where after this run; what is not named is not looked at." }),
});

/** The schema of a case file. */
export const CASE_SCHEMA = z.strictObject({
  summary: z.string().min(1).meta({ description: "What must be so, as a sentence." }),
  pipeline: z.string().min(1).optional().meta({
    description:
      "Name of a pipeline beside the case or of a preset, or a .toml file; the file's name up to the first " +
      "dot if left out.",
  }),
  config: CONFIG_SCHEMA.optional().meta({
    description: "Keys of the config. Its paths, bucket and endpoint are those of the scratch world.",
  }),
  options: z.record(z.string(), z.record(z.string(), z.json())).default({}).meta({
    description: 'Options that differ from the pipeline\'s, by the id of the stage; those of the source as "source".',
  }),
  env: z.record(z.string(), z.string()).default({}).meta({ description: "The environment, for ${env.…}." }),
  places: z.array(z.string().regex(/^(\/[^/]+)+$/, "wanted an absolute path such as /second")).default([]).meta({
    description: "Roots of further places that the pipeline writes to.",
  }),
  nas_size: byteSize().optional().meta({ description: "How much the NAS holds." }),
  s3: z.strictObject({
    checksums: z.boolean().default(true).meta({ description: "It refuses wrong checksums." }),
    if_none_match: z.boolean().default(true).meta({
      description: "It never replaces an object that must not be there.",
    }),
    versioned: z.boolean().default(false).meta({ description: "It keeps versions." }),
  }).prefault({}).meta({ description: "How the store behaves." }),
  recipients: z.record(z.string(), z.array(z.string())).default({}).meta({
    description: "Who hears of an event, by its name or default.",
  }),
  studies: z.record(z.string().min(1), STUDY).default({}).meta({ description: "Studies on the instrument, by name." }),
  run: z.array(RUN).min(1).meta({ description: "Runs, one after another." }),
  end: END.prefault({}).meta({ description: "What is where after the last run; what is not named is not looked at." }),
});

/** A case as it was read. */
export type Case = z.output<typeof CASE_SCHEMA>;
/** One run of a case, with what is expected of it. */
export type CaseRun = Case["run"][number];
/** Something that happens, and when. */
export type Meanwhile = z.output<typeof MEANWHILE>;
/** What a case says of a study. */
export type CaseStudy = z.output<typeof STUDY>;
/** What a case says of the content of a file. */
export type CaseContent = z.output<typeof CONTENT>;
/** What is where. */
export type CaseEnd = z.output<typeof END>;
/** What a case says of the files of a place. */
export type CaseListing = z.output<typeof LISTING>;
