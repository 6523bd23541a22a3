import assert from "node:assert/strict";
import { parseStreamName, STREAM_BYTES } from "../../../core/io/windows_calls.ts";
import { namedStreams } from "../../../core/io/windows_streams.ts";
import { fakeWindows } from "./_fake_windows.ts";

const PATH = "C:\\studies\\s1\\a.tif";

Deno.test("S14 namedStreams() lists every stream but the file's own bytes, and closes the list", () => {
  const world = fakeWindows();
  world.streams = ["::$DATA", ":Zone.Identifier:$DATA", ":結果:$DATA", ":odd:$OTHER"];
  assert.deepEqual(namedStreams(PATH, world.calls), ["Zone.Identifier", "結果", "odd:$OTHER"]);
  assert.deepEqual(world.listed, [`\\\\?\\${PATH}`]);
  assert.equal(world.closed, 1);
  world.streams = [":Zone.Identifier:$DATA"];
  assert.deepEqual(namedStreams(PATH, world.calls), ["Zone.Identifier"], "a folder has no bytes of its own");
});

Deno.test("namedStreams() finds none in a plain file, a folder, or where the system has no streams", () => {
  const world = fakeWindows();
  assert.deepEqual(namedStreams(PATH, world.calls), []);
  for (const number of [38, 87, 50, 1, 0]) {
    Object.assign(world, { streams: [], streamsEnd: number });
    assert.deepEqual(namedStreams(PATH, world.calls), []);
  }
  assert.deepEqual(namedStreams(PATH, undefined), []);
});

Deno.test("S18 namedStreams() takes no refusal for the end of the list", () => {
  const world = fakeWindows();
  world.streamsEnd = 5;
  assert.throws(() => namedStreams(PATH, world.calls), { code: "EPERM", message: /os error 5/ });
  assert.equal(world.closed, 1);
  world.streams = [];
  assert.throws(() => namedStreams(PATH, world.calls), { code: "EPERM" });
  assert.throws(() => namedStreams("C:\\a\0b", world.calls), { code: "EINVAL" });
});

Deno.test("parseStreamName() reads a name that fills its structure", () => {
  const bytes = new Uint8Array(STREAM_BYTES);
  const units = new Uint16Array(bytes.buffer, 8);
  units.fill("x".charCodeAt(0));
  assert.equal(parseStreamName(bytes), "x".repeat(296));
});
