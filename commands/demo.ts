/** `demo`: the main job on made-up studies, in a scratch folder. @module */
import { join, resolve } from "@std/path";
import type { Command, CommandContext } from "../cli/command.ts";
import { locate } from "../cli/locations.ts";
import { loadProject, requirePipeline } from "../cli/project.ts";
import { showProgress } from "../cli/progress_view.ts";
import { renderReport } from "../cli/render_report.ts";
import { execute } from "../cli/run_pipeline.ts";
import { withServices } from "../cli/services.ts";
import { PipelineError } from "../core/errors.ts";
import { Disk } from "../core/io/disk.ts";
import { installPlaces } from "../core/run/install_places.ts";
import { tour } from "../demo/tour.ts";

const PIPELINE = "backup";

export const run: Command = async (args, context) => {
  const { terminal } = context;
  const keep = args.value("keep");
  const folder = keep === undefined
    ? await Deno.makeTempDir({ prefix: "labferry-demo-" })
    : await emptyFolder(resolve(terminal.cwd, keep));
  try {
    const wrong = await tourIn(folder, context);
    if (keep !== undefined) terminal.out(`\nEverything is kept in ${folder}\n`);
    if (wrong.length === 0) {
      terminal.out("\nThe demo went as it should: two studies archived and freed, one refused, one left alone.\n");
      return 0;
    }
    for (const line of wrong) terminal.err(`not as it should be: ${line}\n`);
    return 1;
  } finally {
    if (keep === undefined) await Deno.remove(folder, { recursive: true });
  }
};

async function tourIn(folder: string, outer: CommandContext): Promise<string[]> {
  const { terminal } = outer;
  const stateDir = join(folder, "state");
  await Deno.mkdir(stateDir);
  using interrupts = terminal.interrupts();
  await using fs = new Disk();
  const contextOf = (configFile: string): CommandContext => ({
    ...outer,
    locations: locate({
      config: configFile,
      env: { LABFERRY_STATE_DIR: stateDir },
      system: terminal.system,
      cwd: terminal.cwd,
    }),
  });
  return await tour({
    folder,
    now: terminal.now(),
    say: (text) => terminal.out(text),
    fs,
    signal: interrupts.stop,
    render: (report) => renderReport(report),
    useKeys({ accessKey, secretKey }) {
      for (const name of ["AWS_SESSION_TOKEN", "AWS_PROFILE"]) Deno.env.delete(name);
      Deno.env.set("AWS_ACCESS_KEY_ID", accessKey);
      Deno.env.set("AWS_SECRET_ACCESS_KEY", secretKey);
    },
    async installPlaces(configFile) {
      const context = contextOf(configFile);
      const project = await loadProject(context);
      const compiled = await requirePipeline(project, PIPELINE, context);
      const request = { compiled, config: project.config.view, stateDir, abort: interrupts.stop };
      await withServices(
        project.registry,
        { dryRun: false, context },
        (services) => installPlaces([request], services),
      );
    },
    async backup(configFile) {
      const context = contextOf(configFile);
      const project = await loadProject(context);
      const compiled = await requirePipeline(project, PIPELINE, context);
      using progress = showProgress(context);
      return await execute(compiled, { options: { dryRun: false }, project, context, progress: progress.sink });
    },
  });
}

/** The demo never mixes with what is there. */
async function emptyFolder(path: string): Promise<string> {
  await Deno.mkdir(path, { recursive: true }).catch((cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError("demo/no-folder", `Cannot work in "${path}": ${reason}`, {
      cause,
      stopsRun: 2,
      hint: "Name a folder that can be made and written to.",
    });
  });
  for await (const entry of Deno.readDir(path)) {
    throw new PipelineError(
      "demo/not-empty",
      `Cannot work in "${path}": "${entry.name}" is in it, wanted an empty folder`,
      {
        stopsRun: 2,
        hint: "Name a folder that does not exist yet.",
      },
    );
  }
  return path;
}
