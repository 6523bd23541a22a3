/**
 * Groups files into steps: large ones alone, small ones together, so that a crash repeats little and a journal
 * transaction covers much. A step's id is the identity of what it does (SAFETY S3).
 * @module
 */
import { hash } from "node:crypto";
import type { SourceFile } from "../contract.ts";
import type { FileBatch } from "../ports.ts";
import type { ItemScope } from "./place.ts";

export interface BatchLimits {
  /** Files larger than this (bytes) go alone. */
  small: number;
  /** Most files of one batch. */
  files: number;
  /** Most bytes of one batch. */
  bytes: number;
}

/** Batches for folders: a few MiB or 512 files a transaction. */
export const DIRECTORY_BATCH: BatchLimits = { small: 2 ** 20, files: 512, bytes: 64 * 2 ** 20 };
/** SAFETY S5: a destroy proves at most 1,000 files at a time. */
export const DESTROY_BATCH: BatchLimits = { small: Infinity, files: 1000, bytes: Infinity };

/** Returns a step's id: 32 hex digits over incarnation, place and the files with their sizes and times. */
export function stepId(incarnation: string, placeUuid: string, files: readonly SourceFile[]): string {
  let text = `${incarnation}\0${placeUuid}\0`;
  for (const file of files) text += `${file.path}\0${file.size}\0${file.mtimeMs}\0`;
  return hash("sha256", text, "hex").slice(0, 32);
}

/** Groups files in order. Streams: at most one batch is held. */
export async function* batchFiles(
  files: AsyncIterable<SourceFile>,
  identity: { incarnation: string; placeUuid: string; limits: BatchLimits },
): AsyncIterable<FileBatch> {
  const { limits } = identity;
  let batch: SourceFile[] = [], bytes = 0;
  const close = (): FileBatch => {
    const closed = {
      id: stepId(identity.incarnation, identity.placeUuid, batch),
      summary: summarize(batch),
      files: batch,
      bytes,
    };
    batch = [], bytes = 0;
    return closed;
  };
  for await (const file of files) {
    const large = file.size > limits.small;
    if (batch.length > 0 && (large || batch.length >= limits.files || bytes + file.size > limits.bytes)) yield close();
    batch.push(file);
    bytes += file.size;
    if (large) yield close();
  }
  if (batch.length > 0) yield close();
}

/** The files that evidence at a place names, in batches of a destroy. */
export async function* evidenceBatches(scope: ItemScope, place: string): AsyncIterable<FileBatch> {
  const files = async function* (): AsyncIterable<SourceFile> {
    for await (const { path, size, identity } of scope.evidence.list(scope.item.id, place)) {
      yield { path, size, mtimeMs: identity?.mtimeMs ?? null };
    }
  };
  yield* batchFiles(files(), { incarnation: scope.item.id, placeUuid: place, limits: DESTROY_BATCH });
}

function summarize(batch: readonly SourceFile[]): string {
  if (batch.length === 1) return batch[0].path;
  const folders = batch.filter((file) => file.emptyFolder).length;
  const files = batch.length - folders;
  const words = [counted(files, "file"), counted(folders, "empty folder")].filter((word) => word !== "");
  return `${words.join(" and ")} from ${batch[0].path}`;
}

function counted(number: number, noun: string): string {
  return number === 0 ? "" : `${number} ${noun}${number === 1 ? "" : "s"}`;
}
