/**
 * Stages that only declare: the same names, options and facts as the shipped ones, and nothing behind them. For tests
 * of the language and of lint, which never run a stage.
 * @module
 */
import { type AnyStage, defineSource, defineStage, type Plugin } from "../../core/contract.ts";
import { argv, duration, pathOption, placeId, z } from "../../core/options.ts";
import { compilePipeline, type CompileResult } from "../../core/pipeline/compile.ts";
import { loadConfig, type LoadedConfig } from "../../core/pipeline/config.ts";
import { createRegistry, type Registry, type RegistryOptions } from "../../core/registry.ts";

function unused(): never {
  throw new TypeError("Cannot open a fake stage: it only declares");
}

const domain = z.string().optional();

const FAKES: Plugin[] = [
  defineSource({
    kind: "source",
    name: "idle-folders",
    summary: "Folders.",
    yields: "tree",
    endless: false,
    options: z.object({ root: pathOption(), idle: duration().prefault("14d"), domain }),
    example: "",
    root: ({ root, domain }) => ({ root, domain }),
    open: unused,
  }),
  defineSource({
    kind: "source",
    name: "log-lines",
    summary: "Lines.",
    yields: "event",
    endless: true,
    options: z.object({}),
    example: "",
    open: unused,
  }),
  fakeStage({ name: "validate", effect: "read", options: z.object({ standard: z.string() }) }),
  fakeStage({ name: "lock", facts: () => ({ gives: [{ fact: "locked" }] }) }),
  fakeStage({
    name: "copy",
    options: z.object({ to: pathOption(), domain, durability: z.enum(["flushed", "cached"]).default("flushed") }),
    places: (options, id) => [
      { kind: "directory", id, root: options.to, domain: options.domain, durability: options.durability },
    ],
    facts: (options, id) => ({
      gives: [{ fact: "hashed" }, {
        fact: "written",
        place: id,
        strength: options.durability === "flushed" ? "strong" : "weak",
      }],
    }),
  }),
  fakeStage({
    name: "verify",
    effect: "read",
    options: z.object({ place: placeId(), strength: z.enum(["strong", "weak"]).default("strong") }),
    facts: ({ place, strength }) => ({
      needs: [{ fact: "hashed" }, { fact: "written", place }],
      gives: [{ fact: "proved", place, strength }],
    }),
  }),
  fakeStage({
    name: "checksum-sidecar",
    options: z.object({ place: placeId() }),
    facts: ({ place }) => ({
      needs: [{ fact: "proved", place, strength: "weak" }],
      gives: [{ fact: "sealed", place }],
    }),
  }),
  fakeStage({
    name: "s3-upload",
    options: z.object({
      bucket: z.string(),
      prefix: z.string().default(""),
      verify: z.enum(["auto", "read-back", "none"]).default("auto"),
      domain,
    }),
    places: ({ bucket, prefix, verify, domain }, id) => [{
      kind: "objects",
      id,
      store: "s3",
      options: { bucket },
      prefix,
      domain,
      upload: { verify, partSize: 8 * 2 ** 20, parallel: 4 },
    }],
    facts: ({ verify }, id) => ({
      gives: [{ fact: "hashed" }, { fact: "written", place: id }, {
        fact: "proved",
        place: id,
        strength: verify === "none" ? "none" : "strong",
      }, ...(verify === "none" ? [] : [{ fact: "sealed" as const, place: id }])],
    }),
  }),
  fakeStage({
    name: "manifest-append",
    onItemFailed: true,
    usesLedger: true,
    options: z.object({ status: z.enum(["in_progress", "complete", "failed"]) }),
    facts: ({ status }) => status === "complete" ? { needsAllProved: true, gives: [{ fact: "recorded" }] } : {},
  }),
  fakeStage({
    name: "delete",
    effect: "destroy",
    options: z.object({ require: z.object({ places: z.number().int().min(1).default(1) }).prefault({}) }),
    facts: (options) => ({
      kills: [{ fact: "hashed" }],
      destroys: { place: "source", places: options.require.places },
    }),
  }),
  fakeStage({
    name: "evict",
    effect: "destroy",
    options: z.object({ place: placeId(), places: z.number().int().default(1) }),
    facts: ({ place, places }) => ({ destroys: { place, places } }),
  }),
  fakeStage({
    name: "hook",
    takes: "any",
    effect: "modify",
    before: true,
    onItemFailed: true,
    options: z.object({ argv: argv().default([]), touches: z.array(z.string()).optional() }),
    facts: ({ argv, touches }) =>
      argv.length === 0 ? {} : touches === undefined ? { kills: "everything" } : {
        kills: touches.map((place: string) =>
          place === "source" ? { fact: "hashed" as const } : { fact: "written" as const, place }
        ),
      },
  }),
  fakeStage({ name: "tidy", effect: "modify" }),
  fakeStage({ name: "wreck", effect: "destroy", facts: () => ({}) }),
  fakeStage({ name: "mail", takes: "event", options: z.object({ to: z.string() }) }),
];

/** A stage that only declares. */
export function fakeStage(
  // deno-lint-ignore no-explicit-any
  plugin: Partial<Omit<AnyStage, "options">> & { name: string; options?: z.ZodObject<any> },
): AnyStage {
  return defineStage({
    kind: "stage",
    summary: `${plugin.name}.`,
    takes: "tree",
    effect: "create",
    resume: "redo",
    example: "",
    open: unused,
    ...plugin,
    options: plugin.options ?? z.object({}),
  });
}

/** A registry of the fakes, and of what is given. */
export function fakeRegistry(more: readonly Plugin[] = [], options: RegistryOptions = {}): Registry {
  return createRegistry([...FAKES, ...more], options);
}

export const LAB_CONFIG = `[paths]
source_root = "/lab/source"
truenas_root = "/nas/backup"
manifest_root = "/nas/manifests"

[s3]
bucket = "archive"
prefix = "fusion"
`;

/** The config of a lab, or of the text given. */
export function labConfig(text = LAB_CONFIG): LoadedConfig {
  const { loaded, diagnostics } = loadConfig({ path: "/etc/labferry/config.toml", text, system: "posix" });
  if (loaded === undefined) throw new TypeError(diagnostics.map((d) => d.message).join("\n"));
  return loaded;
}

/** Compiles a pipeline over the fakes. */
export function compileText(
  text: string,
  options: { config?: LoadedConfig; registry?: Registry; env?: Record<string, string>; file?: string } = {},
): CompileResult {
  return compilePipeline({
    text,
    file: options.file ?? "p.toml",
    config: options.config ?? labConfig(),
    registry: options.registry ?? fakeRegistry(),
    env: options.env ?? {},
  });
}
