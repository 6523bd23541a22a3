// Types of the few functions used from the npm publication of @std, which ships JavaScript only (docs/decisions/0002).
declare module "@std/toml" {
  export function parse(text: string): Record<string, unknown>;
}
declare module "@std/toml/stringify" {
  export function stringify(value: Record<string, unknown>): string;
}
declare module "@std/path" {
  export const SEPARATOR: string;
  export function join(...parts: string[]): string;
  export function resolve(...parts: string[]): string;
  export function relative(from: string, to: string): string;
  export function dirname(path: string): string;
  export function basename(path: string, suffix?: string): string;
  export function extname(path: string): string;
  export function isAbsolute(path: string): boolean;
  export function normalize(path: string): string;
  export function fromFileUrl(url: string | URL): string;
  export function toFileUrl(path: string): URL;
}
declare module "@std/path/posix" {
  export * from "@std/path";
}
declare module "@std/path/windows" {
  export * from "@std/path";
}
declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    boolean?: string[];
    string?: string[];
    collect?: string[];
    alias?: Record<string, string>;
    stopEarly?: boolean;
    "--"?: boolean;
    unknown?: (argument: string, key?: string, value?: unknown) => unknown;
  }
  export function parseArgs(
    args: string[],
    options?: ParseOptions,
  ): Record<string, unknown> & { _: (string | number)[] };
}
declare module "@std/cli/prompt-secret" {
  export function promptSecret(message?: string, options?: { mask?: string; clear?: boolean }): string | null;
}
declare module "@std/text/closest-string" {
  export function closestString(word: string, possible: readonly string[]): string;
}
declare module "@std/ulid" {
  export function ulid(seedTime?: number): string;
}
