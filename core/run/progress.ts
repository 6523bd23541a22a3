/** Where the engine tells what it is doing, for live progress and for `plan`. Calls are cheap and never throw. */
import type { ItemOutcome, Plan } from "../contract.ts";

export interface ProgressSink {
  itemStarted?(item: string): void;
  /** `expected` is what the stage will handle, by the listing of the source and by evidence, when known. */
  stageStarted?(item: string, stage: string, expected?: { files: number; bytes: number }): void;
  stagePlanned?(item: string, stage: string, plan: Plan): void;
  /** More bytes went through a stage. */
  bytes?(item: string, stage: string, count: number): void;
  stageFinished?(item: string, stage: string, outcome: string): void;
  itemFinished?(item: string, outcome: ItemOutcome): void;
}
