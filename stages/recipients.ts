/** Stage `recipients`: who hears of an event, from text files. @module */
import { defineStage, isEventName, recipientsOf } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import { pathOption, z } from "../core/options.ts";
import type { EventReadContext } from "../core/ports.ts";

/** How long, in ms, a list that names nobody is given to be saved. */
const SAVED_MS = 200;
/**
 * For how long, in ms, no other list is waited for: of a delivery's 30 s, lists that are empty on purpose take little,
 * however many events have one.
 */
const SURE_MS = 5_000;

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
  open: ({ folder }) => {
    let sureAt = -Infinity;
    const whileSaved = async ({ clock, signal }: EventReadContext) => {
      // A clock that was set back makes nobody sure for long.
      if (Math.abs(clock.now() - sureAt) < SURE_MS) return;
      await clock.sleep(SAVED_MS, signal);
      sureAt = clock.now();
    };
    return {
      async *plan(item, ctx) {
        if (!isEventName(item.name)) {
          throw new PipelineError(
            "notify/bad-event",
            `Cannot find who hears of "${item.name}": no list can have that name, wanted letters, digits, - and _`,
            { hint: "Rename the event where a pipeline of yours raises it." },
          );
        }
        const { to, problems } = await recipientsOf(item.name, {
          folder,
          readText: (path) => ctx.readText(path),
          whileSaved: () => whileSaved(ctx),
        });
        for (const problem of problems) ctx.log.warn(`${problem}; it is left out`);
        if (to.length === 0 && problems.length > 0) {
          throw new PipelineError(
            "notify/no-recipients",
            `Cannot find who hears of ${item.name}: no line of its lists is an address; ${problems[0]}`,
            { hint: "Mend the list: one address a line. The event stays queued until somebody can be told." },
          );
        }
        if (to.length === 0) {
          yield {
            kind: "drop",
            why: `nobody is subscribed: ${item.name}.txt and default.txt in ${folder} name nobody`,
          };
          return;
        }
        yield { kind: "todo", id: "recipients", summary: `tell ${to.join(", ")}`, promises: { to }, data: { to } };
      },
      apply(step, ctx) {
        ctx.amend({ to: step.data.to });
        return Promise.resolve();
      },
    };
  },
});
