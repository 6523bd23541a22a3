/** Stage `recipients`: who hears of an event, from text files. @module */
import { defineStage, isEventName, recipientsOf } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { pathOption, z } from "../core/options.ts";

export const recipients = defineStage({
  kind: "stage",
  name: "recipients",
  summary: "Finds who hears of an event in recipients/<event>.txt, else in default.txt; drops it when nobody does.",
  takes: "event",
  effect: "read",
  resume: "redo",
  options: z.strictObject({
    folder: pathOption().meta({
      description: "Folder of the lists: one address a line, # for comments, read anew for each event.",
      example: "recipients",
    }),
  }),
  example: `[[stage]]\nuse  = "recipients"\nwith = { folder = "\${notify.recipients_dir}" }\n`,
  open: ({ folder }) => ({
    async *plan(item, ctx) {
      if (!isEventName(item.name)) {
        throw new PipelineError(
          "notify/bad-event",
          `Cannot find who hears of "${item.name}": no list can have that name, wanted letters, digits, - and _`,
          { hint: "Rename the event where a pipeline of yours raises it." },
        );
      }
      const { to, problems } = await recipientsOf(item.name, { folder, readText: (path) => ctx.readText(path) });
      for (const problem of problems) ctx.log.warn(`${problem}; it is left out`);
      if (to.length === 0 && problems.length > 0) {
        throw new PipelineError(
          "notify/no-recipients",
          `Cannot find who hears of ${item.name}: no line of its lists is an address; ${problems[0]}`,
          { hint: "Mend the list: one address a line. The event stays queued until somebody can be told." },
        );
      }
      if (to.length === 0) {
        yield { kind: "drop", why: `nobody is subscribed: ${item.name}.txt and default.txt in ${folder} name nobody` };
        return;
      }
      yield { kind: "todo", id: "recipients", summary: `tell ${to.join(", ")}`, promises: { to }, data: { to } };
    },
    apply(step, ctx) {
      ctx.amend({ to: step.data.to });
      return Promise.resolve();
    },
  }),
});
