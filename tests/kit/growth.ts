/** Whether work on a text takes a time that grows with its length and no faster, whatever stands in it. */
import assert from "node:assert/strict";

/** What texts of logs, errors and names are made of, each alone many times over. */
const UNITS = [
  ..."xA1_- \t\r\n\"'\\/:=@.#[{}*é—",
  ...["a-", "a.", "-a", " #", '\\\\"', "\\'", '="', "://", "a://", "a@", "/a:", "\u2028", "\u{1f600}", "\ud800"],
  ...[
    "0123456789abcdef",
    "Zm9v+/",
    "token",
    "token_",
    "token ",
    "token=",
    'token="',
    "token=\\",
    "/token:",
    "api-key: ",
  ],
  ...[
    "password: none ",
    "Bearer ",
    "AKIA",
    "X-Amz-Signature=",
    "some words ",
    "cycle ",
    "sample: ",
    "Error: x\n    at y ",
  ],
  ...["2026-01-31 12:34:56.789 ", "1/31/2026, 1:02:03 ", "2026-01-31 ", "ERROR", "\u001b[0m", "${env.x}"],
];
/** Behind one of these, what comes may be tried again from each of its places. */
const HEADS = ["", "token", 'password="', "a://", "Bearer", "cycle", "sample", "2026-01-31", "2026-01-31 12:34:56."];
const TAILS = ["", "\u2028y"];

/** Length of the longer text, in UTF-16 units; the shorter one has an eighth. */
const LENGTH = 32 * 1024;
/** What is done sooner, in ms, has not tried places again and again: that are half a billion steps and more. */
const NOTHING = 100;
/** Linear work takes 8 times as long for the longer text, quadratic work 64 times. */
const MOST = 24;
const ROUNDS = 5;

/**
 * Fails when `work` takes out of proportion longer for a text that is eight times as long. Only the quickest of several
 * rounds counts, so that a busy machine changes nothing.
 */
export function assertLinear(work: (text: string) => unknown, { length = LENGTH }: { length?: number } = {}): void {
  for (const unit of UNITS) {
    for (const head of HEADS) {
      for (const tail of TAILS) {
        const make = (units: number) => `${head}${unit.repeat(Math.ceil(units / unit.length))}${tail}`;
        const long = make(length);
        let took = spent(work, long);
        if (took < NOTHING) continue;
        const short = make(length / 8);
        let wanted = spent(work, short);
        for (let round = 1; round < ROUNDS && took >= NOTHING && took > MOST * wanted; round++) {
          took = Math.min(took, spent(work, long));
          wanted = Math.min(wanted, spent(work, short));
        }
        const shape = JSON.stringify([head, unit, tail]);
        assert.ok(took < NOTHING || took <= MOST * wanted, `${shape}: ${took} ms, an eighth of it ${wanted} ms`);
      }
    }
  }
}

/** How long the work takes, in ms. */
function spent(work: (text: string) => unknown, text: string): number {
  const begun = performance.now();
  work(text);
  return performance.now() - begun;
}
