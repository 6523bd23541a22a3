/** `monitor tail`: the pipeline `monitor` by its familiar name. @module */
import type { Command } from "../cli/command.ts";
import { runCommand } from "../cli/run_pipeline.ts";

export const run: Command = (args, context) => runCommand("monitor", args, context);
