/** Stage `validate`: holds an item against a naming standard and fails it with every finding. @module */
import { defineStage, StudyCollector } from "../core/contract.ts";
import { PipelineError } from "../core/errors.ts";
import type { Finding } from "../core/errors.ts";
import { z } from "../core/options.ts";

export const validate = defineStage({
  kind: "stage",
  name: "validate",
  summary: "Holds the item against a naming standard; every finding is reported, and any error fails the item.",
  takes: "tree",
  effect: "read",
  resume: "redo",
  failure: "failed_validation",
  options: z.strictObject({
    standard: z.string().min(1, "wanted the name of a standard").default("phenocycler").meta({
      description: "Name of the naming standard.",
      plugin: "standard",
      example: "phenocycler",
    }),
  }),
  example: `[[stage]]\nuse  = "validate"\nwith = { standard = "phenocycler" }\n`,
  open(options, run) {
    const standard = run.standard(options.standard);
    return {
      // The walk is the work, and it only looks: a dry run validates as a run does.
      // deno-lint-ignore require-yield
      async *plan(item, ctx) {
        const collector = new StudyCollector(standard);
        for await (const entry of ctx.source.walk()) collector.add(entry);
        const findings = collector.findings(item.name);
        const warnings = findings.filter((finding) => finding.severity === "warning");
        // One record: whoever is told of it is told of one study.
        if (warnings.length > 0) {
          const message = `"${item.name}" is odd by the standard ${standard.name}: ${firstOf(warnings)}`;
          ctx.log.warn(message, { findings: warnings });
        }
        if (findings.some((finding) => finding.severity === "error")) {
          throw nonconforming(item.name, standard.name, findings);
        }
      },
      apply: (step) => Promise.reject(new TypeError(`Cannot apply "${step.id}": validate plans no step`)),
    };
  },
});

/** How many findings the message names, for the ledger and for one line of the log; the error carries all. */
const TOLD = 1;

function firstOf(findings: readonly Finding[]): string {
  const told = findings.slice(0, TOLD).map(({ rule, message }) => `${rule} ${message}`).join("; ");
  return findings.length > TOLD ? `${told}; and ${findings.length - TOLD} more` : told;
}

function nonconforming(study: string, standard: string, findings: readonly Finding[]): PipelineError {
  const errors = findings.filter((finding) => finding.severity === "error");
  return new PipelineError(
    "validate/nonconforming",
    `Cannot accept "${study}": it breaks the standard ${standard}: ${firstOf(errors)}`,
    { findings, hint: `Correct it, then run again; "labferry validate study <path>" shows the same findings at once` },
  );
}
