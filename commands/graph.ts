/** `graph PIPELINE`: the pipeline as a Mermaid flowchart. @module */
import type { Command } from "../cli/command.ts";
import { checkPipeline, loadProject } from "../cli/project.ts";
import { renderGraph } from "../cli/render_graph.ts";
import { throwOnErrors } from "../core/pipeline/diagnostic.ts";

export const run: Command = async (args, context) => {
  const project = await loadProject(context);
  const { compiled, diagnostics } = await checkPipeline(project, args.at("PIPELINE"), context);
  // What safety lint refuses can still be drawn; what does not compile cannot.
  if (compiled === undefined) throwOnErrors(diagnostics);
  else context.terminal.out(context.logs.scrubber.text(renderGraph(compiled)));
  return 0;
};
