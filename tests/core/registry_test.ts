import assert from "node:assert/strict";
import type { AnyStage, Plugin } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { createRegistry } from "../../core/registry.ts";
import { fakeRegistry } from "../kit/fake_stages.ts";

function plugin(kind: string, name: string): Plugin {
  return { kind, name } as unknown as Plugin;
}

function failing(run: () => unknown): PipelineError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof PipelineError);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

Deno.test("createRegistry() refuses two plugins of one kind with one name", () => {
  const error = failing(() => createRegistry([plugin("stage", "copy"), plugin("stage", "copy")]));
  assert.equal(error.code, "registry/duplicate-name");
  assert.match(error.message, /Cannot register stage "copy"/);
});

Deno.test("createRegistry() takes one name in two kinds", () => {
  const registry = createRegistry([plugin("stage", "s3"), plugin("store", "s3")]);
  assert.equal(registry.get("stage", "s3").kind, "stage");
  assert.equal(registry.get("store", "s3").kind, "store");
});

Deno.test("createRegistry() refuses names that are not lower-case words, and unknown kinds", () => {
  for (const name of ["Copy", "copy_file", "-copy", "copy-", "", "a--b"]) {
    assert.equal(failing(() => createRegistry([plugin("stage", name)])).code, "registry/bad-name", name);
  }
  assert.equal(failing(() => createRegistry([plugin("stge", "copy")])).code, "registry/bad-kind");
});

Deno.test("Registry.get() names the nearest plugin, or all of them when none is near", () => {
  const near = failing(() => fakeRegistry().get("stage", "verfy"));
  assert.equal(near.code, "registry/unknown-plugin");
  assert.equal(near.hint, `did you mean "verify"`);
  assert.equal(
    failing(() => fakeRegistry().get("source", "qqq")).hint,
    "known source plugins: idle-folders, log-lines",
  );
});

Deno.test("Registry.list() keeps the order of the list, names() sorts, find() gives undefined", () => {
  const registry = createRegistry([plugin("stage", "verify"), plugin("stage", "copy")]);
  assert.deepEqual(registry.list("stage").map((stage) => stage.name), ["verify", "copy"]);
  assert.deepEqual(registry.names("stage"), ["copy", "verify"]);
  assert.equal(registry.find("stage", "toString"), undefined);
});

Deno.test("Registry.isUntrusted() tells plugins from outside from shipped ones", () => {
  const own = plugin("stage", "own") as AnyStage;
  const vouched = plugin("stage", "vouched") as AnyStage;
  const registry = createRegistry([plugin("stage", "copy")], {
    external: [
      { plugin: own, origin: { file: "/own.ts", sha256: "0", pinned: false } },
      { plugin: vouched, origin: { file: "/vouched.ts", sha256: "0", pinned: true, touches: [] } },
    ],
  });
  assert.equal(registry.isUntrusted(own), true);
  assert.equal(registry.isUntrusted(vouched), false);
  assert.equal(registry.isUntrusted(registry.get("stage", "copy")), false);
});
