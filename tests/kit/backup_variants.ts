/**
 * Variants of the shipped backup pipeline and what lint says of them, over stages that only declare.
 * @module
 */
import assert from "node:assert/strict";
import { lintPipeline } from "../../core/lint/safety.ts";
import { type Diagnostic, hasErrors, renderDiagnostic } from "../../core/pipeline/diagnostic.ts";
import { EMBEDDED_PRESETS } from "../../core/pipeline/embedded_presets.ts";
import type { Registry } from "../../core/registry.ts";
import { compileText } from "./fake_stages.ts";

export const BACKUP = EMBEDDED_PRESETS.backup;

/** Everything lint says of a pipeline: compiler and lattice. */
export function lint(text: string, registry?: Registry): Diagnostic[] {
  const { pipeline, diagnostics } = compileText(text, { file: "backup.toml", ...(registry ? { registry } : {}) });
  return pipeline ? [...diagnostics, ...lintPipeline(pipeline)] : diagnostics;
}

/** The shipped pipeline cut into its blocks, each with its comments above. */
export function blocks(text: string): string[] {
  return text.split(/\n(?=(?:#.*\n)*\[)/);
}

export function blockIndex(parts: readonly string[], marker: string): number {
  const at = parts.findIndex((part) => part.includes("[[stage]]") && part.includes(marker));
  assert.ok(at >= 0, `the shipped pipeline has no stage with ${marker}`);
  return at;
}

export function without(marker: string): string {
  const parts = blocks(BACKUP);
  parts.splice(blockIndex(parts, marker), 1);
  return parts.join("\n");
}

/** Moves a stage before another one. */
export function moved(marker: string, before: string): string {
  const parts = blocks(BACKUP);
  const [part] = parts.splice(blockIndex(parts, marker), 1);
  parts.splice(blockIndex(parts, before), 0, part);
  return parts.join("\n");
}

export function inserted(text: string, before: string): string {
  const parts = blocks(BACKUP);
  parts.splice(blockIndex(parts, before), 0, `${text}\n`);
  return parts.join("\n");
}

export function edited(marker: string, change: (block: string) => string): string {
  const parts = blocks(BACKUP);
  const at = blockIndex(parts, marker);
  const part = change(parts[at]);
  assert.notEqual(part, parts[at], "the edit changes nothing");
  parts[at] = part;
  return parts.join("\n");
}

export const VERIFY = 'use  = "verify"';
export const LOCK = 'use = "lock"';
export const COPY = '"copy"';
export const SIDECAR = '"checksum-sidecar"';
export const UPLOAD = 'use  = "s3-upload"';
export const RECORD = '"record"';
export const DELETE = '"delete"';

export interface Expected {
  code: string;
  /** Text of the line the finding stands at. */
  line: string;
  message: RegExp;
  hint?: RegExp;
}

export function assertFinds(text: string, expected: Expected): void {
  const found = lint(text);
  assert.ok(hasErrors(found), "lint passes it");
  const match = found.find((d) => d.code === expected.code && expected.message.test(d.message));
  const all = found.map(renderDiagnostic).join("\n\n");
  assert.ok(match, `no ${expected.code} that says ${expected.message} among:\n${all}`);
  assert.equal(match.file, "backup.toml");
  assert.equal(text.split("\n")[match.line - 1], match.sourceLine, "the line quoted is the line of the file");
  assert.equal(match.sourceLine.trim(), expected.line);
  if (expected.hint) assert.match(match.hint ?? "", expected.hint);
  const rendered = renderDiagnostic(match);
  assert.match(rendered, /^backup\.toml:\d+:\d+: (error|warning) safety\//);
  assert.match(rendered, /\n {2}[ \t]*\^+\n {2}hint: |\n {2}[ \t]*\^+$/);
}
