/**
 * The kit for tests of stages: the whole engine in memory, doubles, and the suite that every stage must pass.
 * @module
 */
export * from "./conformance.ts";
export * from "./doubles.ts";
export * from "./event_plugins.ts";
export * from "./memory_file_system.ts";
export * from "./memory_object_store.ts";
export * from "./world.ts";
