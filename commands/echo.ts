/** `echo PIPELINE`: the pipeline in force, without secrets. @module */
import type { Command } from "../cli/command.ts";
import { checkPipeline, loadProject } from "../cli/project.ts";
import { throwOnErrors } from "../core/pipeline/diagnostic.ts";
import { echoPipeline } from "../core/pipeline/presets.ts";

export const run: Command = async (args, context) => {
  const { compiled, diagnostics, found } = await checkPipeline(
    await loadProject(context),
    args.at("PIPELINE"),
    context,
  );
  // What safety lint refuses can still be shown; what does not compile cannot.
  if (compiled === undefined) throwOnErrors(diagnostics);
  else context.terminal.out(context.logs.scrubber.text(`# ${found.file}\n${echoPipeline(compiled)}`));
  return 0;
};
