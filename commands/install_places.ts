/** `install places [PIPELINE…]`: marks the folders that pipelines write to (SAFETY S1). @module */
import type { Command } from "../cli/command.ts";
import { columns } from "../cli/format.ts";
import { checkPipeline, loadProject, pipelineNames, requirePipeline } from "../cli/project.ts";
import { withServices } from "../cli/services.ts";
import { PipelineError } from "../core/errors.ts";
import type { CompiledPipeline } from "../core/pipeline/compile.ts";
import type { Diagnostic } from "../core/pipeline/diagnostic.ts";
import { hasErrors, throwOnErrors } from "../core/pipeline/diagnostic.ts";
import { installPlaces } from "../core/run/install_places.ts";

/** Whether all that is wrong is a part of the config that is not there. */
function isUnused(diagnostics: readonly Diagnostic[]): boolean {
  const wrong = diagnostics.filter(({ severity }) => severity === "error");
  return wrong.every(({ code }) => code === "config/not-set" || code === "template/not-set");
}

export const run: Command = async (args, context) => {
  const { terminal, locations, log, logs } = context;
  const project = await loadProject(context);
  const named = args.all("PIPELINE");
  const compiled: CompiledPipeline[] = [];
  const errors: Diagnostic[] = [];
  for (const name of named) compiled.push(await requirePipeline(project, name, context));
  for (const name of named.length > 0 ? [] : await pipelineNames(context)) {
    const checked = await checkPipeline(project, name, context);
    // A preset this laboratory does not use may lack its part of the config; its places are then not to be marked.
    if (checked.compiled !== undefined && !hasErrors(checked.diagnostics)) {
      // A pipeline over events writes to no place.
      if (checked.compiled.source.plugin.yields !== "event") compiled.push(checked.compiled);
    } else {
      // Whatever else is wrong with one may be wrong with a place that another one shares.
      if (!isUnused(checked.diagnostics)) throwOnErrors(checked.diagnostics);
      log.warn(`pipeline "${name}" is left out: it does not pass lint`, { see: `labferry lint ${name}` });
      errors.push(...checked.diagnostics);
    }
  }
  if (compiled.length === 0) throwOnErrors(errors);
  if (compiled.length === 0) {
    throw new PipelineError("cli/no-pipeline", `Cannot mark places: no pipeline passes lint, wanted at least one`, {
      stopsRun: 2,
      hint: "labferry lint shows why",
    });
  }
  using interrupts = terminal.interrupts();
  const requests = compiled.map((pipeline) => ({
    compiled: pipeline,
    config: project.config.view,
    stateDir: locations.stateDir,
    abort: interrupts.stop,
  }));
  const places = await withServices(
    project.registry,
    { dryRun: false, context },
    (services) => installPlaces(requests, services, { replaced: args.has("replaced") }),
  );
  for (const { id, path, uuid, created } of places) {
    logs.printed(`place "${id}" ${created ? "is marked now" : "was marked already"}`, { path, uuid });
  }
  if (args.has("json")) terminal.out(`${JSON.stringify(places, null, 2)}\n`);
  else {
    const rows = places.map(({ id, path, uuid, created }) => [created ? "marked" : "already marked", id, path, uuid]);
    terminal.out(columns(rows).map((line) => `${line}\n`).join(""));
  }
  return 0;
};
