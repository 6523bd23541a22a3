/**
 * Progress of a run: what is being done, how fast, and how long it will take. Pure but for the clock it is given.
 * @module
 */
import type { ItemOutcome, Plan } from "../core/contract.ts";
import type { ProgressSink } from "../core/run/progress.ts";
import { count, formatBytes, formatSpan } from "./format.ts";

/** The rate is taken over this many ms: long enough to be calm, short enough to show a stall. */
const WINDOW_MS = 15_000;
const SAMPLE_MS = 250;

interface Sample {
  at: number;
  bytes: number;
}

interface StageState {
  stage: string;
  startedAt: number;
  bytes: number;
  expected?: { files: number; bytes: number };
}

/** Follows a run and renders where it stands. */
export class Progress implements ProgressSink {
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #items = new Map<string, Map<string, StageState>>();
  readonly #outcomes = new Map<ItemOutcome, number>();
  readonly #samples: Sample[] = [];
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAt = now();
    this.#samples.push({ at: this.#startedAt, bytes: 0 });
  }

  itemStarted(item: string): void {
    this.#items.set(item, new Map());
  }

  stageStarted(item: string, stage: string, expected?: { files: number; bytes: number }): void {
    this.#stages(item).set(stage, { stage, startedAt: this.#now(), bytes: 0, expected });
  }

  stagePlanned(_item: string, _stage: string, _plan: Plan): void {
    // What is planned is shown by the command `plan`; here only what is done counts.
  }

  bytes(item: string, stage: string, count: number): void {
    this.#bytes += count;
    const state = this.#stages(item).get(stage);
    if (state !== undefined) state.bytes += count;
    this.#sample();
  }

  stageFinished(item: string, stage: string): void {
    this.#stages(item).delete(stage);
  }

  itemFinished(item: string, outcome: ItemOutcome): void {
    this.#items.delete(item);
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  /** One line for each stage at work, then one for the whole run. */
  lines(): string[] {
    const lines: string[] = [];
    for (const [item, stages] of this.#items) {
      if (stages.size === 0) lines.push(`${item}  …`);
      for (const state of stages.values()) lines.push(`${item}  ${this.#stageText(state)}`);
    }
    return [...lines, this.summary()];
  }

  /** Where the whole run stands, on one line. */
  summary(): string {
    const finished = [...this.#outcomes].map(([outcome, number]) => `${number} ${outcome}`);
    const running = this.#items.size;
    const parts = [
      finished.length === 0 ? "no item finished" : finished.join(", "),
      running === 0 ? undefined : `${count(running, "item")} at work`,
      this.#bytes === 0 ? undefined : formatBytes(this.#bytes),
      this.#bytes === 0 ? undefined : `${formatBytes(this.rate())}/s`,
      this.#etaText(),
      `${formatSpan(this.#now() - this.#startedAt)} elapsed`,
    ];
    return parts.filter((part) => part !== undefined).join(", ");
  }

  /** Bytes a second over the last seconds. */
  rate(): number {
    const now = this.#now();
    this.#forget(now);
    const [oldest] = this.#samples;
    const span = now - oldest.at;
    return span <= 0 ? 0 : (this.#bytes - oldest.bytes) * 1000 / span;
  }

  #stages(item: string): Map<string, StageState> {
    let stages = this.#items.get(item);
    if (stages === undefined) this.#items.set(item, stages = new Map());
    return stages;
  }

  #sample(): void {
    const now = this.#now();
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < SAMPLE_MS) return;
    this.#samples.push({ at: now, bytes: this.#bytes });
    this.#forget(now);
  }

  /** Keeps one sample older than the window, so that a rate spans all of it. */
  #forget(now: number): void {
    while (this.#samples.length > 1 && this.#samples[1].at <= now - WINDOW_MS) this.#samples.shift();
  }

  #stageText(state: StageState): string {
    const { stage, bytes, expected, startedAt } = state;
    if (expected === undefined || expected.bytes === 0) {
      return bytes === 0 ? `${stage}  ${formatSpan(this.#now() - startedAt)}` : `${stage}  ${formatBytes(bytes)}`;
    }
    const share = Math.min(99, Math.floor(100 * bytes / expected.bytes));
    const seconds = (this.#now() - startedAt) / 1000;
    const rate = seconds <= 0 ? 0 : bytes / seconds;
    const parts = [
      `${stage}  ${share} %`,
      `${formatBytes(bytes)} of ${formatBytes(expected.bytes)}`,
      `${formatBytes(rate)}/s`,
    ];
    if (rate > 0) parts.push(`${formatSpan(1000 * Math.max(0, expected.bytes - bytes) / rate)} left`);
    return parts.join("  ");
  }

  /** Time left for the stages at work, when all of them know what they expect. */
  #etaText(): string | undefined {
    let left = 0;
    let known = false;
    for (const stages of this.#items.values()) {
      for (const { expected, bytes } of stages.values()) {
        if (expected === undefined) continue;
        known = true;
        left += Math.max(0, expected.bytes - bytes);
      }
    }
    const rate = this.rate();
    return known && rate > 0 && left > 0 ? `${formatSpan(1000 * left / rate)} left of what is at work` : undefined;
  }
}
