/**
 * The journal as a pipeline over backups sees it: evidence and steps of its own, so that no fact carries over from the
 * pipeline that made the backup (SAFETY, "Nothing carries over between pipelines"). All else is shared.
 * @module
 */
import type { EvidenceStore, IntentStore, Journal, StepStore } from "./journal.ts";

/**
 * @param pipeline Kind of the pipelines that share evidence; it is part of the name under which theirs is kept.
 */
export function journalApart(journal: Journal, pipeline: string): Journal {
  const own = (incarnation: string) => `${pipeline}:${incarnation}`;
  return {
    evidence: evidenceApart(journal.evidence, own),
    steps: stepsApart(journal.steps, own),
    intents: intentsApart(journal),
    uploads: journal.uploads,
    probes: journal.probes,
    outbox: journal.outbox,
    seen: journal.seen,
    cursors: journal.cursors,
    claims: journal.claims,
    startRun: (run) => journal.startRun(run),
    finishRun: (id, finishedAt, exitCode, options) => journal.finishRun(id, finishedAt, exitCode, options),
    latestInstant: () => journal.latestInstant(),
    group: (name) => journal.group(name),
    joinGroup: (name, item, data) => journal.joinGroup(name, item, data),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

type Own = (incarnation: string) => string;

function evidenceApart(store: EvidenceStore, own: Own): EvidenceStore {
  return {
    put: (incarnation, evidence) => store.put(own(incarnation), evidence),
    get: (incarnation, place, path) => store.get(own(incarnation), place, path),
    getMany: (incarnation, place, paths) => store.getMany(own(incarnation), place, paths),
    list: (incarnation, place, options) => store.list(own(incarnation), place, options),
    totals: (incarnation, place) => store.totals(own(incarnation), place),
    places: (incarnation) => store.places(own(incarnation)),
    remove: (incarnation, place, paths) => store.remove(own(incarnation), place, paths),
  };
}

function stepsApart(store: StepStore, own: Own): StepStore {
  return {
    isFinished: (incarnation, stage, step) => store.isFinished(own(incarnation), stage, step),
    finish: (incarnation, stage, step) => store.finish(own(incarnation), stage, step),
    checkpoint: (incarnation, stage, step, value) => store.checkpoint(own(incarnation), stage, step, value),
    readCheckpoint: (incarnation, stage, step) => store.readCheckpoint(own(incarnation), stage, step),
    forgetCheckpoint: (incarnation, stage, step) => store.forgetCheckpoint(own(incarnation), stage, step),
    remove: (incarnation) => store.remove(own(incarnation)),
  };
}

/** Intents are shared. One that is opened takes the proofs of everybody else away (SAFETY, `intent`), and they go first. */
function intentsApart({ intents, evidence, steps }: Journal): IntentStore {
  return {
    open: async (intent) => {
      await evidence.remove(intent.incarnation);
      await steps.remove(intent.incarnation);
      await intents.open(intent);
    },
    get: (incarnation, place) => intents.get(incarnation, place),
    close: (incarnation, place) => intents.close(incarnation, place),
  };
}
