/**
 * The kit for tests of stages: one stage run by the real engine in memory (`runStage`), the suite that every stage must
 * pass (`conformance`), the world behind both, and doubles.
 * @module
 */
export type { ItemReport, ReportError, RunReport, StageOutcome, StageReport } from "../core/run/report.ts";
export * from "./conformance.ts";
export * from "./doubles.ts";
export {
  boxNotifier,
  event,
  eventStage,
  type ListSource,
  listSource,
  type QueueSource,
  queueSource,
} from "./event_plugins.ts";
export * from "./memory_file_system.ts";
export * from "./memory_object_store.ts";
export { runStage, type RunStageOptions, type StageResult } from "./run_stage.ts";
export { type StageSetting, STUDY, STUDY_FILES, SUBJECT } from "./stage_setting.ts";
export * from "./world.ts";
