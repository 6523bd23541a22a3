/**
 * labferry for authors of stages: the plugin contract, the ports a stage is given, the building blocks of option
 * schemas, and the errors users meet. Everything here is re-exported from `core/`.
 * @module
 */
export * from "./core/contract.ts";
export * from "./core/errors.ts";
export * from "./core/evidence.ts";
export * from "./core/objects/object_store.ts";
export * from "./core/options.ts";
export * from "./core/plugin_api.ts";
export * from "./core/ports.ts";
