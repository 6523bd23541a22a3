/**
 * The config file: one strict schema with defaults, read with positions.
 * @module
 */
import { z } from "zod";
import * as posix from "@std/path/posix";
import * as windows from "@std/path/windows";
import type { ConfigView } from "../contract.ts";
import type { Json } from "../json.ts";
import { hostSystem, type PathSystem } from "../io/paths.ts";
import { resolvePath } from "./config_paths.ts";
import { diagnose, type Diagnostic, hasErrors } from "./diagnostic.ts";
import { checkSchema } from "./schema_diagnostics.ts";
import { knownKeys, walkSchema } from "./schema_walk.ts";
import { parseToml, type TomlDocument, tomlValue, valueSpan } from "./toml_document.ts";

function text(description: string, ...examples: string[]) {
  return z.string().min(1).meta({ description, examples });
}
/** Of the examples, `install init` shows the first that its system accepts. */
function path(description: string, ...examples: string[]) {
  return z.string().min(1, "wanted a path, found an empty text").meta({ description, format: "path", examples });
}
function section<S extends z.ZodRawShape>(shape: S, description: string) {
  return z.strictObject(shape).prefault({} as never).meta({ description });
}
function command(description: string, ...examples: string[][]) {
  return z.array(z.string().min(1)).default([]).meta({ description, examples });
}
/** A file of a stage, and what is vouched for. */
function pinnedFile() {
  return z.strictObject({
    path: path("File of a stage of your own, TypeScript or JavaScript.", "stages/my_stage.ts"),
    sha256: z.string().regex(/^[0-9a-fA-F]{64}$/, "wanted 64 hex digits").optional().meta({
      description: "SHA-256 of the file; with another one it is not loaded.",
    }),
    touches: z.array(z.string().min(1)).optional().meta({
      description:
        "Places the pinned code changes by itself: source, or ids of stages; empty for none. Without it: everything.",
    }),
  }).refine(({ sha256, touches }) => touches === undefined || sha256 !== undefined, {
    path: ["touches"],
    error: "it is believed of a pinned file only, wanted sha256 beside it",
  });
}

const MOUNT = ["powershell.exe", "-NoProfile", "-File", "C:/labferry/mount.ps1"];

/** The schema of the config file: keys, types, defaults, descriptions. */
export const CONFIG_SCHEMA = z.strictObject({
  paths: section({
    source_root: path("Folder of the instrument whose sub-folders are the studies.", "/data/fusion", "D:/Fusion")
      .optional(),
    truenas_root: path("Folder on the NAS that receives the copies.", "/mnt/truenas/fusion", "//truenas/archive/fusion")
      .optional(),
    manifest_root: path(
      "Folder of the ledger, one JSONL file a month.",
      "/mnt/truenas/manifests",
      "//truenas/archive/manifests",
    ).optional(),
  }, "Where things are. Relative paths are taken from the folder of this file."),
  s3: section({
    bucket: text("Bucket that receives the copies.", "lab-archive").optional(),
    prefix: text("Key prefix below which the copies are put.", "fusion").optional(),
    region: text("Region of the bucket.", "eu-central-1").optional(),
    endpoint: z.url({ protocol: /^https?$/, error: "wanted a URL such as https://s3.example.org" }).optional().meta({
      description: "URL of a store other than Amazon S3.",
      examples: ["https://s3.lab.example"],
    }),
    force_path_style: z.boolean().optional().meta({
      description: "Put the bucket into the path of the URL, not its host; the default is true with an endpoint.",
      examples: [true],
    }),
    ca_file: path(
      "PEM file of a private certificate authority that signed the store's certificate.",
      "/etc/labferry/ca.pem",
      "C:/labferry/ca.pem",
    ).optional(),
    storage_class: text("Storage class of new objects.", "STANDARD_IA").optional(),
  }, "The object store."),
  backup: section({
    idle_days: z.number().min(0).max(36_500).default(14).meta({
      description: "Days without a change before a study is backed up.",
      unit: "days",
    }),
    settle_minutes: z.number().min(0).max(525_600).default(15).meta({
      description: "Minutes without any new entry before a study is backed up.",
      unit: "minutes",
    }),
    stale_locks: z.enum(["reclaim", "refuse"]).default("reclaim").meta({
      description: "What to do with the lock of a process of this host proved dead.",
    }),
  }, "The backup pipeline."),
  cleanup: section({
    free_threshold_pct: z.number().min(0).max(100).default(20).meta({
      description: "Per cent of free space below which studies are evicted.",
      unit: "per cent",
    }),
  }, "The cleanup pipeline."),
  monitor: section({
    log_path: path("Log file of the instrument that is followed.", "/data/Fusion.log", "C:/Fusion/Fusion.log")
      .optional(),
    sent_keep_days: z.number().min(0).max(36_500).default(30).meta({
      description: "Days for which sent messages are remembered.",
      unit: "days",
    }),
  }, "The monitor pipeline."),
  notify: section({
    enabled: z.boolean().default(false).meta({ description: "Whether people are told of events." }),
    toolkit_error_cooldown_seconds: z.number().int().min(0).default(300).meta({
      description: "Seconds within which one kind of error is reported once.",
      unit: "seconds",
    }),
    recipients_dir: path("Folder of the lists of recipients.").default("recipients"),
    smtp: section({
      host: text("Host of the mail server; without one, Gmail's.", "smtp.gmail.com").optional(),
      port: z.number().int().min(1).max(65_535).default(587).meta({ description: "Port of the mail server." }),
      security: z.enum(["starttls", "tls", "none"]).default("starttls").meta({
        description: "How the connection is protected.",
      }),
      from: text("Address the messages come from; without one, the name of the login.", "labferry@lab.example")
        .optional(),
      ca_file: path(
        "PEM file of a private certificate authority that signed the mail server's certificate.",
        "/etc/labferry/ca.pem",
        "C:/labferry/ca.pem",
      ).optional(),
    }, "The mail server. Its credentials stand in the environment or in smtp.env, never here."),
  }, "Messages to people."),
  hooks: section({
    backup: command("Program and arguments run before a backup; empty for none.", MOUNT),
    cleanup: command("Program and arguments run before a cleanup; empty for none.", MOUNT),
  }, "Programs run before a pipeline, for example to mount the NAS."),
  plugins: section({
    files: z.array(z.union([path("File of a stage of your own, TypeScript or JavaScript."), pinnedFile()])).default([])
      .meta({
        description: "Files of stages of your own, beside those in the folder plugins/ here. For one that is pinned: " +
          '{ path = "…", sha256 = "…", touches = ["…"] }.',
        examples: [["stages/my_stage.ts"]],
      }),
  }, "Stages of your own: code that runs with all the rights of labferry."),
});

export type Config = z.output<typeof CONFIG_SCHEMA>;

/** The config in force, with what is needed to speak of it. */
export interface LoadedConfig {
  readonly config: Config;
  /** The same as plugins see it; keys that are not set are absent. */
  readonly view: ConfigView;
  /** Path of the config file, as it was given. */
  readonly file: string;
  /** The file as it is written, for positions. */
  readonly document: TomlDocument;
  /** Folder that relative paths are taken from. */
  readonly folder: string;
  readonly system: PathSystem;
}

export interface ConfigResult {
  /** Absent when there is an error. */
  loaded?: LoadedConfig;
  diagnostics: Diagnostic[];
  document?: TomlDocument;
}

export interface ConfigInput {
  /** Absolute path of the config file. */
  path: string;
  text: string;
  /** Default: the system this program runs on. */
  system?: PathSystem;
  /** Reads this section alone, the others as if they were empty: for what must work though another one is wrong. */
  only?: keyof Config;
}

/** Reads a config file. Nothing is read from disk; whether the paths exist is asked later. */
export function loadConfig(input: ConfigInput): ConfigResult {
  const system = input.system ?? hostSystem;
  const folder = (system === "windows" ? windows : posix).dirname(input.path);
  const { document, diagnostics } = parseToml({ file: input.path, text: input.text });
  if (document === undefined || hasErrors(diagnostics)) return { diagnostics, document };
  const { only } = input;
  const whole = tomlValue(document.root) as Record<string, Json>;
  const value = only === undefined ? whole : Object.hasOwn(whole, only) ? { [only]: whole[only] } : {};
  const checked = checkSchema(CONFIG_SCHEMA, value, {
    document,
    base: [],
    what: "the config",
    area: "config",
  });
  diagnostics.push(...checked.diagnostics);
  if (checked.value === undefined) return { diagnostics, document };
  const config = walkSchema(CONFIG_SCHEMA, checked.value as unknown as Json, {
    path(written, at) {
      const resolved = resolvePath(written, { folder, system });
      if (resolved.ok) return resolved.path;
      diagnostics.push(diagnose({ source: document.source, span: valueSpan(document, at) }, {
        code: "config/bad-path",
        message: `Cannot use path "${written}": ${resolved.reason}`,
        hint: resolved.hint,
      }));
      return written;
    },
  }) as unknown as Config;
  if (hasErrors(diagnostics)) return { diagnostics, document };
  const view = structuredClone(config) as unknown as ConfigView;
  return { loaded: { config, view, file: input.path, document, folder, system }, diagnostics, document };
}

/** Keys the config knows below a path such as `["notify", "smtp"]`; sections for the empty path. */
export function configKeys(at: readonly string[]): string[] {
  return knownKeys(CONFIG_SCHEMA, at);
}
