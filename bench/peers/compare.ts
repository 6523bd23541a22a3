/**
 * Fair comparison: contestants take turns within every round, and medians are compared, so that a machine that slows
 * down for a minute slows down all of them.
 * @module
 */

export interface Sample {
  ms: number;
  peakBytes: number | null;
}

export interface Contestant {
  name: string;
  /** Puts the world in order before a measurement; not timed. */
  prepare?(): Promise<void>;
  run(): Promise<Sample>;
}

export interface Result {
  name: string;
  medianMs: number;
  /** Fastest and slowest round, ms. */
  spreadMs: [number, number];
  peakBytes: number | null;
  rounds: number;
}

/** Returns the middle value; of an even number, the mean of the two in the middle. @throws {RangeError} if empty */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("The median of no values is not defined");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs the contestants in turn, `rounds` times; the order turns round from one round to the next. */
export async function interleave(contestants: readonly Contestant[], options: {
  rounds: number;
  onSample?: (name: string, sample: Sample, round: number) => void;
}): Promise<Result[]> {
  const samples = new Map<string, Sample[]>(contestants.map((one) => [one.name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const one of round % 2 === 0 ? contestants : [...contestants].reverse()) {
      await one.prepare?.();
      const sample = await one.run();
      samples.get(one.name)!.push(sample);
      options.onSample?.(one.name, sample, round);
    }
  }
  return contestants.map((one) => summarize(one.name, samples.get(one.name)!));
}

function summarize(name: string, samples: readonly Sample[]): Result {
  const times = samples.map((sample) => sample.ms);
  const peaks = samples.flatMap((sample) => sample.peakBytes ?? []);
  return {
    name,
    medianMs: median(times),
    spreadMs: [Math.min(...times), Math.max(...times)],
    peakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    rounds: samples.length,
  };
}

/** How many times as long as `ours` the peer took; above 1 ours is faster. */
export function ratio(ours: Result, peer: Result): number {
  return peer.medianMs / ours.medianMs;
}

/** A limit of DESIGN 7 and what was measured. */
export interface Verdict {
  what: string;
  wanted: string;
  measured: string;
  ok: boolean;
}

/** Everything one benchmark found, for `--json` and for the totals of `bench/mod.ts`. */
export interface BenchReport {
  bench: string;
  results: { case: string; results: Result[] }[];
  verdicts: Verdict[];
}

/** Returns the lines people read. */
export function formatReport(report: BenchReport): string {
  const lines = report.results.flatMap(({ case: name, results }) => [
    `${report.bench}: ${name}`,
    ...results.map((one) =>
      `  ${one.name.padEnd(34)} ${formatMs(one.medianMs).padStart(9)}  (${one.spreadMs.map(formatMs).join(" to ")}, ` +
      `${one.rounds} rounds${one.peakBytes === null ? "" : `, peak ${Math.round(one.peakBytes / 2 ** 20)} MiB`})`
    ),
  ]);
  for (const verdict of report.verdicts) {
    lines.push(`  ${verdict.ok ? "ok    " : "MISSED"} ${verdict.what}: ${verdict.measured}, wanted ${verdict.wanted}`);
  }
  return lines.join("\n");
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
