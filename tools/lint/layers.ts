/**
 * The arrows between the folders of this repository (DESIGN 2), as one table. Pure: a file and what it imports, both
 * relative to the repository's root with `/` separators.
 * @module
 */

/** A layer: which files belong to it and what they may import besides npm packages and `node:` built-ins. */
export interface Layer {
  name: string;
  /** A folder (ends in `/`) or one file. The first layer that matches a file is its layer. */
  files: readonly string[];
  may: readonly string[];
  /**
   * Set for layers of plugins, which must not see each other: how many folders deep a plugin's file stands. A plugin
   * may import `_` files of its folder, and the files of a folder of its own name.
   */
  pluginDepth?: number;
}

const PLUGIN_SURFACE = ["core/contract.ts", "core/ports.ts", "core/options.ts", "core/errors.ts"] as const;

/** What a plugin may see beyond `PLUGIN_SURFACE`, one line each, with the reason. */
export const EXCEPTIONS: readonly { files: string; may: string; why: string }[] = [
  {
    files: "plugins/stores/",
    may: "core/objects/object_store.ts",
    why: "a store implements this port; its types and error codes are the contract",
  },
];

const COMMAND_LINE = [
  "cli/",
  "commands/",
  "core/",
  "mod.ts",
  "stages/mod.ts",
  "plugins/mod.ts",
  "pipelines/",
  "demo/",
  "schema/",
  "deno.json",
] as const;

/** What this package is called in its own import map (deno.json), so that examples read as a user writes them. */
const OWN_NAMES: Readonly<Record<string, string>> = { "labferry": "mod.ts", "labferry/testing": "testing/mod.ts" };

export const LAYERS: readonly Layer[] = [
  { name: "list of stages", files: ["stages/mod.ts"], may: ["stages/", "core/contract.ts"] },
  { name: "list of plugins", files: ["plugins/mod.ts"], may: ["plugins/", "core/contract.ts"] },
  { name: "stage", files: ["stages/"], may: PLUGIN_SURFACE, pluginDepth: 1 },
  { name: "plugin", files: ["plugins/"], may: PLUGIN_SURFACE, pluginDepth: 2 },
  { name: "core", files: ["core/"], may: ["core/", "deno.json"] },
  { name: "SDK", files: ["mod.ts"], may: ["core/"] },
  {
    name: "kit for tests",
    files: ["testing/"],
    may: ["testing/", "core/", "mod.ts", "stages/mod.ts", "plugins/mod.ts"],
  },
  { name: "presets", files: ["pipelines/"], may: ["pipelines/"] },
  {
    name: "demo",
    files: ["demo/"],
    may: ["demo/", "core/", "mod.ts", "stages/mod.ts", "plugins/mod.ts", "pipelines/"],
  },
  // The one command that runs the kit; everything else of the program must not know of it.
  { name: "command test", files: ["commands/test.ts", "commands/test/"], may: [...COMMAND_LINE, "testing/"] },
  { name: "command line", files: ["cli.ts", "cli/", "commands/"], may: COMMAND_LINE },
  // Tools and benchmarks look at the product from outside; nothing but tests may depend on tests.
  {
    name: "tools",
    files: ["tools/", "bench/"],
    may: [
      "tools/",
      "bench/",
      "core/",
      "mod.ts",
      "testing/",
      "cli/",
      "commands/",
      "stages/",
      "plugins/",
      "pipelines/",
      "demo/",
      "deno.json",
    ],
  },
];

function within(file: string, pattern: string): boolean {
  return pattern.endsWith("/") ? file.startsWith(pattern) : file === pattern;
}

/** Returns the layer of a file; undefined where no arrow is enforced (tests, documentation). */
export function layerOf(file: string): Layer | undefined {
  return LAYERS.find((layer) => layer.files.some((pattern) => within(file, pattern)));
}

/** Returns `specifier` as a file relative to the root; undefined for a package or a built-in. */
export function resolveSpecifier(file: string, specifier: string): string | undefined {
  if (Object.hasOwn(OWN_NAMES, specifier)) return OWN_NAMES[specifier];
  if (!specifier.startsWith("./") && !specifier.startsWith("../")) return undefined;
  const parts = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The plugin a file belongs to: `stages/copy` for both `stages/copy.ts` and `stages/copy/blocks.ts`. */
function pluginOf(file: string, depth: number): string {
  return file.split("/").slice(0, depth + 1).join("/").replace(/\.ts$/, "");
}

/** The folder that owns a private file: the one that holds its first segment that begins with `_`. */
function ownerOf(target: string): string | undefined {
  const at = target.split("/").findIndex((part) => part.startsWith("_"));
  if (at < 0) return undefined;
  return target.split("/").slice(0, at).map((part) => `${part}/`).join("");
}

/** Returns what is wrong with `file` importing `target`; undefined when the arrow stands. */
export function arrowProblem(file: string, target: string): string | undefined {
  const layer = layerOf(file);
  if (layer === undefined) return undefined;
  const owner = ownerOf(target);
  if (owner !== undefined && !file.startsWith(owner)) {
    return `"${target}" is private to "${owner}"`;
  }
  if (layer.may.some((pattern) => within(target, pattern))) return undefined;
  if (EXCEPTIONS.some((rule) => file.startsWith(rule.files) && within(target, rule.may))) return undefined;
  if (layer.pluginDepth !== undefined) {
    if (owner !== undefined) return undefined;
    if (pluginOf(file, layer.pluginDepth) === pluginOf(target, layer.pluginDepth)) return undefined;
  }
  return `${layer.name} files may import ${layer.may.join(", ")}` +
    (layer.pluginDepth === undefined ? "" : " and files of their own (_ beside them, or in a folder of their name)");
}
