import assert from "node:assert/strict";
import type { AnyStage, Fact, StageFacts } from "../../../core/contract.ts";
import { effectiveFacts } from "../../../core/pipeline/effective_facts.ts";
import { createRegistry } from "../../../core/registry.ts";
import { fakeRegistry } from "../../kit/fake_stages.ts";

const own = { ...fakeRegistry().get("stage", "validate"), name: "own" } as AnyStage;

function effective(
  declared: StageFacts | undefined,
  origin: { pinned: boolean; touches?: string[] } | undefined,
  plugin: AnyStage = own,
) {
  const external = origin && { plugin, origin: { file: "/own.ts", sha256: "0", ...origin } };
  const registry = createRegistry(external ? [] : [plugin], external ? { external: [external] } : {});
  return effectiveFacts(plugin, { declared, registry });
}

const GIVES: Fact[] = [
  { fact: "locked" },
  { fact: "hashed" },
  { fact: "written", place: "a" },
  { fact: "proved", place: "a" },
  { fact: "proved", place: "b" },
  { fact: "sealed", place: "b" },
  { fact: "recorded" },
];

const names = (facts: readonly Fact[] = []) => facts.map(({ fact, place }) => place ? `${fact} ${place}` : fact);

Deno.test("effectiveFacts() believes a shipped stage, unless it changes things and does not say which", () => {
  assert.deepEqual(effective({ gives: GIVES }, undefined), { facts: { gives: GIVES }, uncounted: [] });
  assert.deepEqual(effective(undefined, undefined), { facts: {}, uncounted: [] });
  const modify = effective(undefined, undefined, { ...own, effect: "modify" });
  assert.deepEqual(modify.facts, { kills: "everything" });
});

Deno.test("effectiveFacts() of a stage nobody vouches for: it takes everything away and gives at most the lock", () => {
  for (const origin of [{ pinned: false }, { pinned: true }, { pinned: false, touches: [] }]) {
    const needs: Fact[] = [{ fact: "hashed" }];
    const { facts, uncounted } = effective({ needs, gives: GIVES, kills: [] }, origin);
    assert.deepEqual(facts, { needs, gives: [{ fact: "locked" }], kills: "everything" });
    assert.equal(uncounted.length, GIVES.length - 1);
    assert.deepEqual(effective(undefined, origin).facts, { kills: "everything" });
  }
});

Deno.test("effectiveFacts() of one vouched for: what it touches is added to what it says it kills", () => {
  const kills: Fact[] = [{ fact: "sealed", place: "b" }];
  const at = (touches: string[], declared: StageFacts = { gives: GIVES, kills }) =>
    effective(declared, { pinned: true, touches });
  assert.deepEqual(at([], { gives: GIVES }), { facts: { gives: GIVES }, uncounted: [] });
  assert.deepEqual(at(["source", "a"], {}).facts, {
    kills: [{ fact: "hashed" }, { fact: "written", place: "a" }],
  });
  assert.deepEqual(names(at(["a"], { gives: GIVES }).uncounted), ["written a", "proved a", "recorded"]);
  assert.deepEqual(names(at(["source"], { gives: GIVES }).uncounted), [
    "hashed",
    "proved a",
    "proved b",
    "sealed b",
    "recorded",
  ]);
  assert.deepEqual(at(["a"], { kills: "everything" }).facts, { kills: "everything" });
});

Deno.test("effectiveFacts() believes of a pinned stage that modifies what it or the config names, and of one without names nothing", () => {
  const modify = { ...own, effect: "modify" } as AnyStage;
  for (const declared of [undefined, {}, { kills: [] }]) {
    assert.deepEqual(effective(declared, { pinned: true, touches: [] }, modify).facts.kills, "everything");
  }
  const kills: Fact[] = [{ fact: "written", place: "b" }];
  assert.deepEqual(effective({ kills }, { pinned: true, touches: [] }, modify).facts.kills, kills);
  assert.deepEqual(effective(undefined, { pinned: true, touches: ["a"] }, modify).facts, {
    kills: [{ fact: "written", place: "a" }],
  });
});
