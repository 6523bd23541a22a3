/**
 * Runs a child process and says how long it took and how much memory its whole tree held at its peak.
 * @module
 */

export interface Measured {
  /** Wall-clock time from start to exit, ms. */
  ms: number;
  /** Largest sum of resident memory over the process and all below it, bytes; null where it cannot be seen. */
  peakBytes: number | null;
  stdout: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** How often memory is looked at, ms. Default: 20. */
  sampleMs?: number;
  /** Hears of each look, in bytes; 0 where nothing can be seen. */
  onSample?: (bytes: number) => void;
}

/**
 * Runs `argv` to its end.
 * @throws {Error} with the end of its stderr if it does not exit with 0
 */
export async function measure(argv: readonly string[], options: RunOptions = {}): Promise<Measured> {
  const [program, ...args] = argv;
  const command = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: options.env,
    cwd: options.cwd,
  });
  const start = performance.now();
  const child = command.spawn();
  let peak = 0;
  const sampler = setInterval(() => {
    const bytes = residentBytes(child.pid) ?? 0;
    peak = Math.max(peak, bytes);
    options.onSample?.(bytes);
  }, options.sampleMs ?? 20);
  try {
    const { code, stdout, stderr } = await child.output();
    const ms = performance.now() - start;
    if (code !== 0) {
      const tail = new TextDecoder().decode(stderr).trim().split("\n").slice(-12).join("\n");
      throw new Error(`${argv.join(" ")} ended with ${code}:\n${tail}`);
    }
    return { ms, peakBytes: peak === 0 ? null : peak, stdout: new TextDecoder().decode(stdout) };
  } finally {
    clearInterval(sampler);
  }
}

/**
 * Returns the resident memory of a process and all its descendants, bytes; undefined where /proc does not tell or the
 * process is gone.
 */
export function residentBytes(pid: number): number | undefined {
  const status = readProc(`/proc/${pid}/status`);
  const kib = status === undefined ? undefined : /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) return undefined;
  return childrenOf(pid).reduce((sum, child) => sum + (residentBytes(child) ?? 0), Number(kib) * 1024);
}

/** How much of the processors a process has used, without its children, in ms; undefined where it cannot be seen. */
export function processorMs(pid: number): number | undefined {
  // proc(5): fields 14 and 15, in hundredths of a second, counted behind the name, which may hold spaces.
  const stat = readProc(`/proc/${pid}/stat`)?.replace(/^.*\) /s, "").split(" ");
  return stat && (Number(stat[11]) + Number(stat[12])) * 10;
}

/** A child belongs to the thread that started it, so every thread is asked. */
function childrenOf(pid: number): number[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap((thread) =>
      (readProc(`/proc/${pid}/task/${thread.name}/children`) ?? "").split(" ").filter((id) => id.trim() !== "").map(
        Number,
      )
    );
  } catch {
    // The process ended between two looks.
    return [];
  }
}

function readProc(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // The process ended between two looks, or this system has no /proc.
    return undefined;
  }
}
