import assert from "node:assert/strict";
import { PipelineError } from "../../../core/errors.ts";
import { asKnownError, errnoOf, ioError, isAbsent } from "../../../core/io/io_errors.ts";

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });
const action = { verb: "write", path: "/nas/a" };

Deno.test("ioError() says what a system error means, for which path, and what to do", () => {
  const wanted: Record<string, string> = {
    ENOSPC: "io/disk-full",
    EDQUOT: "io/disk-full",
    EROFS: "io/read-only",
    EACCES: "io/denied",
    EPERM: "io/denied",
    EIO: "io/failing",
    ENOTCONN: "io/lost",
    ESTALE: "io/lost",
    EHOSTDOWN: "io/lost",
    ENOENT: "io/gone",
    EBUSY: "io/busy",
    ELOOP: "io/link",
  };
  for (const [errno, code] of Object.entries(wanted)) {
    const error = ioError(coded(errno), action);
    assert.ok(error instanceof PipelineError);
    assert.equal(error.code, code);
    assert.match(error.message, new RegExp(`^Cannot write "/nas/a": .*\\(${errno}\\)$`));
    assert.ok(error.hint && error.hint.length > 20, code);
    assert.equal(error.retry, code === "io/lost" || code === "io/busy" ? "transient" : "permanent");
    assert.ok(error.cause);
  }
});

Deno.test("ioError() reads Windows' own numbers where they say more", () => {
  const cases: [number, string, string][] = [[112, "ENOSPC", "io/disk-full"], [32, "EBUSY", "io/busy"]];
  cases.push([64, "UNKNOWN", "io/lost"], [59, "UNKNOWN", "io/lost"], [19, "EROFS", "io/read-only"]);
  for (const [number, code, wanted] of cases) {
    const error = ioError(coded(code, `x (os error ${number})`), action, { windows: true });
    assert.equal((error as PipelineError).code, wanted);
  }
});

Deno.test("ioError() keeps pipeline errors and aborts, and names the unknown", () => {
  const own = new PipelineError("copy/conflict", "x");
  assert.equal(ioError(own, action), own);
  const abort = new DOMException("stop", "AbortError");
  assert.equal(ioError(abort, action), abort);
  const unknown = ioError(coded("EWHAT", "odd"), action) as PipelineError;
  assert.equal(unknown.code, "io/failed");
  assert.match(unknown.message, /Cannot write "\/nas\/a": odd/);
});

Deno.test("errnoOf() and isAbsent() read the system's name", () => {
  assert.equal(errnoOf(coded("ENOENT")), "ENOENT");
  assert.equal(errnoOf(new Error("x")), undefined);
  assert.equal(errnoOf(new PipelineError("io/gone", "x")), undefined);
  assert.ok(isAbsent(coded("ENOTDIR")) && isAbsent(coded("ENOENT")) && !isAbsent(coded("EACCES")));
});

Deno.test("asKnownError() gives words to what the system said where no caller had them", () => {
  const said = coded("EIO", "Input/output error (os error 5): lstat '/nas'");
  const failing = asKnownError(said, 'run stage "copy"', { windows: false });
  assert.equal(failing.code, "io/failing");
  assert.match(failing.message, /^Cannot run stage "copy": the device reports a read or write error \(.*'\/nas'\)$/);
  assert.equal(asKnownError(coded("EWHAT", "odd"), "run").code, "io/failed");
  assert.equal(asKnownError(new TypeError("x"), "run").code, "internal/unexpected");
  const own = new PipelineError("copy/conflict", "x");
  assert.equal(asKnownError(own, "run"), own);
  assert.equal(asKnownError(new SuppressedError(coded("EIO"), own), "run"), own, "what went wrong first counts");
});
