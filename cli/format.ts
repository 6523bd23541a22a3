/** Numbers for people. Pure. @module */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Returns bytes with three significant digits: `0 B`, `1.50 KiB`, `12.3 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.5 would be shown as "1024".
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Returns a time span, given in ms: `0.4 s`, `59 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Lays rows out in columns two blanks apart; `right` names the columns of numbers. No trailing blanks. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => widths[at] = Math.max(widths[at] ?? 0, [...cell].length));
  return rows.map((row) =>
    row.map((cell, at) => {
      const blanks = " ".repeat(widths[at] - [...cell].length);
      return right.includes(at) ? blanks + cell : cell + blanks;
    }).join("  ").trimEnd()
  );
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
