/** `run PIPELINE`. @module */
import type { Command } from "../cli/command.ts";
import { runCommand } from "../cli/run_pipeline.ts";

export const run: Command = (args, context) => runCommand(args.at("PIPELINE"), args, context);
