import assert from "node:assert/strict";
import { sameInode } from "../../../core/safety/incarnation.ts";

Deno.test("S2 sameInode() tells files apart whose ids were rounded, by their birth times", () => {
  const file = { dev: 7, ino: 2 ** 60, birthtimeMs: 1000 };
  assert.equal(sameInode(file, file), true);
  assert.equal(sameInode(file, { ...file, birthtimeMs: 2000 }), false);
  assert.equal(sameInode(file, { dev: 7, ino: 2 ** 60 }), true, "what is not known cannot tell them apart");
  assert.equal(sameInode(file, { ...file, birthtimeMs: null }), true);
  const exact = { dev: 7, ino: 9, birthtimeMs: 1000 };
  assert.equal(sameInode(exact, { ...exact, birthtimeMs: 2000 }), true, "an exact id needs no birth time");
});

Deno.test("S2 sameInode() is of one device, and of a file that has an id", () => {
  const file = { dev: 7, ino: 9, birthtimeMs: 1000 };
  assert.equal(sameInode(file, { ...file, dev: 8 }), false);
  assert.equal(sameInode(file, { ...file, ino: 10 }), false);
  for (const none of [{ ino: null }, { ino: 0 }, { dev: null }]) {
    assert.equal(sameInode({ ...file, ...none }, { ...file, ...none }), false, JSON.stringify(none));
  }
});
