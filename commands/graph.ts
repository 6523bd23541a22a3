/** `graph PIPELINE`: the pipeline as a Mermaid flowchart. @module */
import type { Command } from "../cli/command.ts";
import { checkPipeline, loadProject } from "../cli/project.ts";
import { renderGraph } from "../cli/render_graph.ts";
import { renderDiagnostics, throwOnErrors } from "../core/pipeline/diagnostic.ts";

export const run: Command = async (args, context) => {
  const project = await loadProject(context);
  const { compiled, diagnostics } = await checkPipeline(project, args.at("PIPELINE"), context);
  // What safety lint refuses can still be drawn; what does not compile cannot.
  if (compiled === undefined) {
    throwOnErrors(diagnostics);
    return 2;
  }
  const { terminal, logs } = context;
  if (diagnostics.length > 0) terminal.err(logs.scrubber.text(`${renderDiagnostics(diagnostics)}\n\n`));
  const codes = new Set(diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code));
  if (codes.size > 0) terminal.out(`%% Lint refuses this pipeline, it cannot run: ${[...codes].join(", ")}\n`);
  terminal.out(logs.scrubber.text(renderGraph(compiled)));
  return 0;
};
