/**
 * A backlog of the instrument's log (2 GiB at 200 MB/s in flat memory): `deno run -A bench/log_tail.ts [--quick]
 * [--size 2GiB] [--errors 200] [--kind plain] [--dir SCRATCH] [--program PATH] [--check] [--json]`. The log is made in
 * a scratch folder, then read by `monitor tail` from its beginning, until the last error is raised.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";

import { byteSize, z } from "../core/options.ts";
import { type BenchReport, formatReport } from "./peers/compare.ts";
import { processorMs, residentBytes } from "./peers/process.ts";
import { labferry } from "./startup.ts";

const BUDGET_MB_PER_S = 200;
const BUDGET_PEAK_BYTES = 300 * 2 ** 20;
const SAMPLE_MS = 20;

const LINES = 5_000;
/** Behind the last error, which it shows to be whole; it is itself the record that may still grow. */
const LAST_LINE = "2026-12-31 23:59:59.999 INFO  Run finished\r\n";

/** What most lines of a log say: nothing of note, words that are nearly those of the context, or no time at all. */
export type LogKind = keyof typeof LINE_OF;

const LINE_OF = {
  plain: (at: string, line: number, nth: number) =>
    `${at} DEBUG Stage at x=${line * 13} y=${nth * 7}, exposure 20 ms, channel DAPI, focus held`,
  near: (at: string, line: number, nth: number) =>
    `${at} DEBUG Resampled frame ${line * 13} of recycled tile ${nth * 7}, sampled twice, focus held`,
  untimed: (_at: string, line: number, nth: number) =>
    `   at Fusion.Stage.Move(${line * 13}, ${nth * 7}) in the middle of a long trace, with no time here`,
};

/**
 * Text of a log of an instrument, about 500 kB: a sample, a cycle every hundred lines, and an error or none. Where the
 * lines have no time or are nearly context, neither sample nor cycle is named, so that none is soon found.
 */
export function logPart(nth: number, { error, kind = "plain" }: { error: boolean; kind?: LogKind }): string {
  const at = (line: number) => new Date(Date.UTC(2026, 0, 2) + (nth * LINES + line) * 40).toISOString();
  const isPlain = kind === "plain";
  const lines = isPlain ? [`${at(0)} INFO  Sample: study_${nth % 12}`] : [];
  for (let line = 1; line < LINES; line++) {
    if (isPlain && line % 100 === 0) lines.push(`${at(line)} INFO  Starting cycle ${1 + line / 100}`);
    else lines.push(LINE_OF[kind](at(line), line, nth));
  }
  if (error) {
    lines.push(
      `${at(LINES)} ERROR Pump ${nth} does not answer`,
      "   at Fusion.Fluidics.Pump.Prime()",
      "   at Fusion.Run()",
    );
  }
  return `${lines.join("\r\n")}\r\n`;
}

interface Options {
  bytes: number;
  errors: number;
  kind: LogKind;
  scratch?: string;
  program?: string;
}

/** Writes a log of at least `bytes`; the last part holds an error. Returns its size and how many errors it has. */
async function makeLog(path: string, { bytes, errors, kind }: Options): Promise<{ size: number; errors: number }> {
  const parts = Math.max(1, Math.ceil(bytes / logPart(0, { error: false, kind }).length));
  const every = Math.max(1, Math.floor(parts / errors));
  using file = await Deno.open(path, { write: true, createNew: true });
  const encoder = new TextEncoder();
  const made = { size: 0, errors: 0 };
  for (let nth = 0; nth < parts; nth++) {
    const isLast = nth === parts - 1;
    const error = nth % every === 0 || isLast;
    const content = encoder.encode(logPart(nth, { error, kind }) + (isLast ? LAST_LINE : ""));
    for (let at = 0; at < content.length;) at += await file.write(content.subarray(at));
    made.size += content.length;
    if (error) made.errors++;
  }
  return made;
}

/** Runs `monitor tail` until it has read a log of `size` bytes but for its last line. */
async function readBacklog(folder: string, size: number, { program }: Options) {
  const [command, ...args] = labferry(program);
  const child = new Deno.Command(command, {
    args: [...args, "monitor", "tail", "--json"],
    env: { LABFERRY_CONFIG: join(folder, "config.toml"), LABFERRY_STATE_DIR: join(folder, "state"), NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let start: number | undefined;
  let usedBefore = 0;
  let peak = 0;
  const sampler = setInterval(() => peak = Math.max(peak, residentBytes(child.pid) ?? 0), SAMPLE_MS);
  let ms: number | undefined;
  let usedMs = 0;
  try {
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const { name, outcome } = JSON.parse(line) as { name: string; outcome: string };
        if (outcome === "failed") throw new Error(`The run failed: ${line}`);
        const to = Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
        // The first item says only where reading begins.
        if (start === undefined) usedBefore = processorMs(child.pid) ?? 0;
        start ??= performance.now();
        if (ms !== undefined || to < size - LAST_LINE.length) continue;
        ms = performance.now() - start;
        usedMs = (processorMs(child.pid) ?? 0) - usedBefore;
        child.kill("SIGTERM");
      }
    }
    const { code } = await child.status;
    if (ms === undefined || code !== 0) throw new Error(`The run ended with ${code} before the end of the log`);
    return { ms, usedMs, peakBytes: peak === 0 ? null : peak };
  } finally {
    clearInterval(sampler);
  }
}

async function assertRaised(folder: string, wanted: number): Promise<void> {
  const { openJournal } = await import("../core/journal/sqlite.ts");
  await using journal = await openJournal(join(folder, "state", "journal.db"));
  const waiting = (await journal.outbox.pending()).filter(({ event }) => event === "fusion_error");
  // Of very many that wait, one event stands for all.
  const raised = waiting.reduce((sum, { data }) => sum + Number((data as { stands_for?: number }).stands_for ?? 1), 0);
  if (raised !== wanted) throw new Error(`${raised} errors were raised, wanted ${wanted}`);
}

/** Measures one backlog, from where reading begins to the last error. */
export async function measureLogTail(options: Options): Promise<BenchReport> {
  const folder = await Deno.makeTempDir({ prefix: "labferry-log-", dir: options.scratch });
  try {
    const { EMBEDDED_PRESETS: { monitor } } = await import("../core/pipeline/embedded_presets.ts");
    await Deno.mkdir(join(folder, "pipelines"));
    await Deno.mkdir(join(folder, "recipients"));
    await Deno.writeTextFile(join(folder, "recipients", "default.txt"), "bench@lab.example\n");
    await Deno.writeTextFile(
      join(folder, "smtp.env"),
      "LABFERRY_SMTP_USER=b@lab.example\nLABFERRY_SMTP_APP_PASSWORD=none\n",
    );
    const pipeline = monitor.replace("with = { path =", 'with = { start = "beginning", path =');
    await Deno.writeTextFile(join(folder, "pipelines", "monitor.toml"), pipeline);
    // Events stay in the outbox: nothing listens at this port.
    const smtp = `[notify.smtp]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\n`;
    await Deno.writeTextFile(
      join(folder, "config.toml"),
      `[monitor]\nlog_path = "Fusion.log"\n[notify]\nenabled = true\n${smtp}`,
    );
    const made = await makeLog(join(folder, "Fusion.log"), options);
    const { ms, usedMs, peakBytes } = await readBacklog(folder, made.size, options);
    await assertRaised(folder, made.errors);
    const speed = made.size / 1e6 / (ms / 1000);
    const sized = `${options.kind} lines, ${(made.size / 2 ** 20).toFixed(0)} MiB, ${made.errors} errors`;
    return {
      bench: "log-tail",
      results: [],
      verdicts: [
        {
          what: `backlog of ${sized}`,
          wanted: `at least ${BUDGET_MB_PER_S} MB/s`,
          // On a machine that others use, the time of the processors says more than that of the clock.
          measured: `${speed.toFixed(0)} MB/s${usedMs > 0 ? `, ${(usedMs / 1000).toFixed(1)} s of processors` : ""}`,
          ok: speed >= BUDGET_MB_PER_S,
        },
        {
          what: "peak memory",
          wanted: `at most ${BUDGET_PEAK_BYTES / 2 ** 20} MiB`,
          measured: peakBytes === null ? "not known here" : `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
          ok: peakBytes === null || peakBytes <= BUDGET_PEAK_BYTES,
        },
      ],
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs([...args], {
    string: ["size", "errors", "kind", "dir", "program"],
    boolean: ["quick", "check", "json"],
  });
  const size = z.object({ size: byteSize() }).parse({ size: flags.size ?? (flags.quick ? "256MiB" : "2GiB") });
  const { kind } = z.object({ kind: z.enum(Object.keys(LINE_OF) as LogKind[]).default("plain") }).parse(flags);
  const report = await measureLogTail({
    bytes: size.size,
    errors: Number(flags.errors ?? (flags.quick ? 25 : 200)),
    kind,
    scratch: flags.dir as string | undefined,
    program: flags.program as string | undefined,
  });
  console.log(flags.json ? JSON.stringify(report) : formatReport(report));
  return flags.check && report.verdicts.some((verdict) => !verdict.ok) ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
