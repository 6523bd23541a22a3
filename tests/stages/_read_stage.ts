/** Runs the plan of a stage that only reads, over a made-up walk. */
import type { AnyStage, Item, ListedEntry, Plan, StandardPlugin } from "../../core/contract.ts";
import type { Logger, ReadContext, RunContext, TreeEntry } from "../../core/ports.ts";

export type PlainEntry = Pick<ListedEntry, "path" | "kind"> & Partial<TreeEntry>;

export function treeItem(name: string): Item {
  return { id: `id-${name}`, name, kind: "tree", root: `/in/${name}`, data: {} };
}

export function recordingLog(): { lines: string[]; log: Logger } {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { lines, log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

export async function planStage(
  stage: AnyStage,
  options: Record<string, unknown>,
  world: { item: Item; entries: readonly PlainEntry[]; standards?: readonly StandardPlugin[] },
): Promise<{ steps: Plan[]; log: string[] }> {
  const { lines, log } = recordingLog();
  const run = {
    log,
    config: {},
    standard(name: string) {
      const found = world.standards?.find((standard) => standard.name === name);
      if (found === undefined) throw new TypeError(`no standard ${name}`);
      return found;
    },
  } as unknown as RunContext;
  const context = {
    run,
    log,
    item: world.item,
    source: {
      async *walk() {
        for (const entry of world.entries) {
          yield await Promise.resolve({ size: 1, mtimeMs: 0, ctimeMs: 0, birthtimeMs: 0, ...entry });
        }
      },
    },
  } as unknown as ReadContext;
  const opened = await stage.open(stage.options.parse(options), run);
  const steps: Plan[] = [];
  for await (const step of opened.plan(world.item, context)) steps.push(step);
  return { steps, log: lines };
}
