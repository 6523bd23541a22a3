/**
 * The kit for tests of stages: one stage run by the real engine in memory (`runStage`), the suite that every stage must
 * pass (`conformance`), the world behind both, and doubles.
 * @module
 */
export * from "./conformance.ts";
export * from "./doubles.ts";
export * from "./event_plugins.ts";
export * from "./memory_file_system.ts";
export * from "./memory_object_store.ts";
export * from "./run_stage.ts";
export * from "./stage_setting.ts";
export * from "./world.ts";
