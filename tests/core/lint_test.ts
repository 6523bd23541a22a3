/**
 * Random orders and subsets of the shipped stages against a world of bytes: whatever lint passes keeps the data, though
 * every copy may be corrupt, every hook scrambles what it can and every stage that may fail does.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { lintPipeline } from "../../core/lint/safety.ts";
import { hasErrors, renderDiagnostics } from "../../core/pipeline/diagnostic.ts";
import { compileText } from "../kit/fake_stages.ts";

interface Move {
  use: string;
  toml: string;
  warn: boolean;
}

const STAGES: Record<string, string> = {
  lock: 'use = "lock"',
  copy: 'use = "copy"\nid = "nas"\nwith = { to = "/nas/x" }',
  verify: 'use = "verify"\nwith = { place = "nas" }',
  sidecar: 'use = "checksum-sidecar"\nwith = { place = "nas" }',
  upload: 'use = "s3-upload"\nid = "s3"\nwith = { bucket = "b", prefix = "p" }',
  blind: 'use = "s3-upload"\nid = "s3"\nwith = { bucket = "b", prefix = "p", verify = "none" }',
  record: 'use = "manifest-append"\nid = "record"\nwith = { status = "complete" }',
  delete: 'use = "delete"\nwith = { require = { places = 2 } }',
  hook: 'use = "hook"\nwith = { argv = ["x"] }',
  begin: 'use = "manifest-append"\nid = "begin"\nwith = { status = "in_progress" }',
};
const SHIPPED = ["lock", "begin", "copy", "verify", "sidecar", "upload", "record", "delete"];

function tomlOf(moves: readonly Move[]): string {
  const stages = moves.map((move, index) => {
    const id = /^id/m.test(move.toml) ? "" : `\nid = "stage${index}"`;
    return `[[stage]]\n${move.toml}${id}${move.warn ? '\non_error = "warn"' : ""}\n`;
  });
  return `name = "p"\n[source]\nuse = "idle-folders"\nwith = { root = "/s" }\n${stages.join("")}`;
}

/** A place in the world: the bytes it holds, and the bytes a proof saw there. */
interface Held {
  bytes: string;
  proved?: string;
}

/**
 * Runs the stages in the worst world the choices describe. Returns false as soon as a delete takes data that is not
 * kept elsewhere. A choice of true is bad luck: a stage that may fail fails half-way, a write is corrupt.
 */
function keepsData(moves: readonly Move[], bad: (index: number) => boolean): boolean {
  let source: string | undefined = "the data";
  let hash: string | undefined;
  let locked = false;
  let recorded = false;
  let sealed: string | undefined;
  const places = new Map<string, Held>();
  let scrambled = 0;
  for (const [index, move] of moves.entries()) {
    const fails = move.warn && bad(index);
    switch (move.use) {
      case "lock":
        if (!fails) locked = true;
        break;
      case "copy":
      case "upload":
      case "blind": {
        const place = move.use === "copy" ? "nas" : "s3";
        if (!fails) hash = source;
        // Nothing promises that bytes arrive; only a proof does.
        const bytes = fails || (move.use !== "upload" && bad(index + 100)) ? `damaged ${index}` : source ?? "";
        if (place === "nas") sealed = undefined;
        places.set(place, move.use === "upload" && !fails ? { bytes, proved: bytes } : { bytes });
        recorded = false;
        break;
      }
      case "verify": {
        const held = places.get("nas");
        if (fails || held === undefined || hash === undefined) break;
        // A proof of damaged bytes fails the item: nothing after it runs.
        if (held.bytes !== hash) {
          if (move.warn) break;
          return true;
        }
        held.proved = hash;
        break;
      }
      case "sidecar":
        if (!fails && places.get("nas")?.proved !== undefined) sealed = "nas";
        break;
      case "record":
        recorded = !fails && sealed !== undefined && places.size > 0 &&
          [...places.values()].every((held) => held.proved !== undefined && held.bytes === held.proved);
        break;
      case "hook":
        for (const held of places.values()) held.bytes = `scrambled ${scrambled++}`;
        if (source !== undefined) source = `scrambled ${scrambled++}`;
        break;
      case "delete": {
        const good = [...places.values()].filter((held) =>
          held.bytes === source && held.proved === source && hash === source
        );
        if (source === undefined || !locked || !recorded || good.length < 2) return false;
        source = undefined;
        break;
      }
    }
  }
  return true;
}

/** Whether data is kept whatever the choices are. */
function alwaysKeepsData(moves: readonly Move[]): boolean {
  const points = moves.flatMap((move, index) => {
    const writes = move.use === "copy" || move.use === "blind" ? [index + 100] : [];
    return move.warn ? [index, ...writes] : writes;
  });
  for (let mask = 0; mask < 2 ** points.length; mask++) {
    if (!keepsData(moves, (index) => points.includes(index) && (mask >> points.indexOf(index)) % 2 === 1)) return false;
  }
  return true;
}

function passes(moves: readonly Move[]): boolean {
  const { pipeline, diagnostics } = compileText(tomlOf(moves));
  return pipeline !== undefined && !hasErrors([...diagnostics, ...lintPipeline(pipeline)]);
}

const move = (use: string, warn = false): Move => ({ use, toml: STAGES[use], warn });

const anyMoves = fc.array(
  fc.record({ use: fc.constantFrom(...Object.keys(STAGES)), warn: fc.integer({ min: 0, max: 7 }).map((n) => n === 0) }),
  { minLength: 1, maxLength: 10 },
).map((rows) =>
  // One id stands once: the first of each place and record counts.
  rows.filter((row, index) => {
    const id = /^id = .*$/m.exec(STAGES[row.use])?.[0];
    return id === undefined || rows.findIndex((other) => STAGES[other.use].includes(id)) === index;
  }).map((row) => move(row.use, row.warn))
);

/** Near the shipped order, where most of what passes is: some swaps, a drop, an insertion, a warning. */
const nearMoves = fc.record({
  swaps: fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 2 }),
  drop: fc.option(fc.nat(7), { freq: 2 }),
  insert: fc.option(fc.tuple(fc.constantFrom("hook", "verify", "lock", "sidecar", "delete"), fc.nat(8)), { freq: 2 }),
  warn: fc.option(fc.nat(8), { freq: 2 }),
}).map(({ swaps, drop, insert, warn }) => {
  const order = [...SHIPPED];
  for (const [a, b] of swaps) [order[a], order[b]] = [order[b], order[a]];
  if (drop !== null) order.splice(drop, 1);
  if (insert !== null) order.splice(insert[1], 0, insert[0]);
  return order.map((use, index) => move(use, index === warn));
});

function assertKept(moves: readonly Move[]): void {
  if (passes(moves)) assert.ok(alwaysKeepsData(moves), `lint passes what loses data:\n${tomlOf(moves)}`);
}

Deno.test("lintPipeline() passes no random pipeline that can lose data", () => {
  fc.assert(fc.property(anyMoves, assertKept), { numRuns: 1000 });
});

Deno.test("lintPipeline() passes no pipeline near the shipped one that can lose data", () => {
  let passed = 0;
  fc.assert(
    fc.property(nearMoves, (moves) => {
      assertKept(moves);
      const deletes = moves.some((one) => one.use === "delete");
      if (deletes && passes(moves)) passed++;
    }),
    { numRuns: 1500 },
  );
  assert.ok(passed > 20, `only ${passed} pipelines that delete passed: the test says little`);
});

Deno.test("lintPipeline() agrees with the world of bytes on every order of the stages that matter", () => {
  const rest = ["lock", "copy", "verify", "sidecar", "upload", "record", "delete"];
  let kept = 0;
  for (const order of permutations(rest)) {
    const moves = order.map((use) => move(use));
    const safe = alwaysKeepsData(moves);
    if (safe) kept++;
    // Lint may also refuse an order that keeps data by never getting anywhere (a verify before its copy).
    if (passes(moves)) assert.ok(safe, order.join(" "));
    else if (safe) {
      const { pipeline } = compileText(tomlOf(moves));
      assert.fail(`${order.join(" ")}:\n${pipeline && renderDiagnostics(lintPipeline(pipeline))}`);
    }
  }
  assert.ok(kept > 0);
});

function* permutations(items: readonly string[]): Generator<string[]> {
  if (items.length === 0) yield [];
  for (const item of items) {
    for (const rest of permutations(items.filter((other) => other !== item))) yield [item, ...rest];
  }
}
