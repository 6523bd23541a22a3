/** `show NAME`: a plugin with its options, or a pipeline. @module */
import type { Command } from "../cli/command.ts";
import { brokenLines } from "../cli/external.ts";
import { factsOf } from "../cli/plugin_facts.ts";
import { builtinRegistry, findPipelineText, type KnownPlugins, knownPlugins, pipelineNames } from "../cli/project.ts";
import { optionsOf, renderPlugin } from "../cli/render_plugin.ts";
import type { AnyStage } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { nameHint } from "../core/pipeline/nearest.ts";
import { PLUGIN_KINDS } from "../core/registry.ts";

export const run: Command = async (args, context) => {
  const { terminal, logs } = context;
  const name = args.at("NAME");
  const pipelines = await pipelineNames(context);
  let known: KnownPlugins = { registry: builtinRegistry(), broken: [] };
  const named = () => PLUGIN_KINDS.flatMap((kind) => known.registry.find(kind, name) ?? []);
  // Code from outside is run only for a name that nothing else has.
  if (named().length === 0 && !pipelines.includes(name)) known = await knownPlugins(context);
  const { registry, broken } = known;
  const plugins = named();
  if (plugins.length === 0 && !pipelines.includes(name)) {
    for (const line of brokenLines(broken)) context.log.warn(line);
    const names = [...PLUGIN_KINDS.flatMap((kind) => registry.names(kind)), ...pipelines];
    throw new PipelineError("cli/no-name", `Cannot show "${name}": no plugin and no pipeline has that name`, {
      stopsRun: 2,
      hint: broken.length > 0
        ? "It may be in a file that could not be loaded, as told above"
        : nameHint(name, names, "known names"),
    });
  }
  const pipeline = pipelines.includes(name) ? await findPipelineText(name, context) : undefined;
  if (args.has("json")) {
    const shown = plugins.map((plugin) => ({
      kind: plugin.kind,
      name,
      summary: plugin.summary,
      ...plugin.kind === "stage" ? stageInfo(plugin) : {},
      ...plugin.kind === "source" ? { yields: plugin.yields, endless: plugin.endless } : {},
      options: optionsOf(plugin),
      ..."example" in plugin ? { example: plugin.example } : {},
      ...registry.externalOf(plugin) ? { external: registry.externalOf(plugin) } : {},
    }));
    const text = pipeline === undefined ? [] : [{ kind: "pipeline", name, file: pipeline.file, text: pipeline.text }];
    terminal.out(`${JSON.stringify([...shown, ...text], null, 2)}\n`);
    return 0;
  }
  // With a pipeline of the same name the whole can still be saved as one.
  const asComment = (text: string) => pipeline === undefined ? text : text.replace(/^(?=.)/gm, "# ");
  const texts = plugins.map((plugin) => asComment(renderPlugin(plugin, registry.externalOf(plugin))));
  if (pipeline !== undefined) {
    texts.push(
      logs.scrubber.text(`# pipeline ${name}, from ${pipeline.file}\n${pipeline.text.replaceAll("\r\n", "\n")}`),
    );
  }
  terminal.out(texts.join("\n"));
  return 0;
};

function stageInfo(stage: AnyStage) {
  const { takes, effect, resume, before = false, onItemFailed = false } = stage;
  return { takes, effect, resume, before, on_item_failed: onItemFailed, facts: factsOf(stage) ?? null };
}
