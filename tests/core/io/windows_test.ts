import assert from "node:assert/strict";
import { busyDelay, longPath, Patience, shortPath } from "../../../core/io/windows.ts";

Deno.test("longPath() gives drive and share paths their verbatim form, once", () => {
  assert.equal(longPath("C:\\data\\x"), "\\\\?\\C:\\data\\x");
  assert.equal(longPath("c:/data/x"), "\\\\?\\c:\\data\\x");
  assert.equal(longPath("\\\\nas\\share\\x"), "\\\\?\\UNC\\nas\\share\\x");
  for (const path of ["\\\\?\\C:\\x", "\\\\?\\UNC\\nas\\s", "\\\\.\\pipe\\x", "relative\\x", "C:x"]) {
    assert.equal(longPath(path), path);
  }
});

Deno.test("shortPath() undoes longPath() and leaves other paths", () => {
  for (const path of ["C:\\data\\x", "\\\\nas\\share\\x", "D:\\"]) assert.equal(shortPath(longPath(path)), path);
  for (const path of ["\\\\?\\Volume{1}\\x", "/data/x", "x"]) assert.equal(shortPath(path), path);
});

Deno.test("busyDelay() waits only for busy files, only on Windows, in growing steps, for a minute", () => {
  const busy = { os: "windows", code: "EACCES", attempt: 1, waitedMs: 0 };
  assert.equal(busyDelay(busy), 10);
  assert.equal(busyDelay({ ...busy, attempt: 5 }), 50);
  assert.equal(busyDelay({ ...busy, attempt: 50 }), 100);
  assert.equal(busyDelay({ ...busy, attempt: 700, waitedMs: 59_990 }), 10);
  assert.equal(busyDelay({ ...busy, waitedMs: 60_000 }), undefined);
  for (const code of ["EPERM", "EBUSY"]) assert.equal(busyDelay({ ...busy, code }), 10);
  for (const code of ["ENOENT", "ENOSPC", undefined]) assert.equal(busyDelay({ ...busy, code }), undefined);
  assert.equal(busyDelay({ ...busy, os: "linux" }), undefined);
});

function waitInVain(patience: Patience): number {
  let waitedMs = 0;
  for (let attempt = 1;; attempt++) {
    const ms = patience.delay({ code: "EACCES", attempt, waitedMs });
    if (ms === undefined) return waitedMs;
    waitedMs += ms;
  }
}

Deno.test("Patience.delay() shortens the wait after one in vain, until a call succeeds", () => {
  const patience = new Patience("windows");
  assert.equal(waitInVain(patience), 60_000);
  assert.equal(waitInVain(patience), 1_000);
  patience.succeeded();
  assert.equal(waitInVain(patience), 60_000);
});

Deno.test("Patience.delay() waits half a second for a folder to become empty, and hardly after one in vain", () => {
  const patience = new Patience("windows");
  const waits = () => {
    for (let attempt = 1, waitedMs = 0;; attempt++) {
      const ms = patience.delay({ code: "ENOTEMPTY", attempt, waitedMs });
      if (ms === undefined) return waitedMs;
      waitedMs += ms;
    }
  };
  assert.equal(waits(), 500);
  assert.equal(waits(), 20);
  assert.equal(waitInVain(patience), 60_000);
  patience.succeeded();
  assert.equal(waits(), 500);
  assert.equal(new Patience("linux").delay({ code: "ENOTEMPTY", attempt: 1, waitedMs: 0 }), undefined);
});
