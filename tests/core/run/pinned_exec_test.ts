import assert from "node:assert/strict";
import { deadlinesOf } from "../../../core/run/deadlines.ts";
import { withChildGrace } from "../../../core/run/pinned_exec.ts";
import type { EngineServices, RunRequest } from "../../../core/run/services.ts";

Deno.test("withChildGrace() has every child killed before its step is left behind", async () => {
  const given: (number | undefined)[] = [];
  const services = {
    exec: ({ graceMs }: { graceMs?: number }) => Promise.resolve(void given.push(graceMs)),
  } as unknown as EngineServices;
  const request = (yields: string) => ({ compiled: { source: { plugin: { yields } } } } as unknown as RunRequest);
  for (const yields of ["tree", "event"]) {
    const { leaveMs } = deadlinesOf(request(yields));
    await withChildGrace(services, request(yields)).exec({} as Parameters<EngineServices["exec"]>[0]);
    const graceMs = given.pop();
    assert.ok(graceMs !== undefined && graceMs > 0 && graceMs < leaveMs, `${yields}: ${graceMs} of ${leaveMs}`);
  }
  await withChildGrace(services, { ...request("tree"), deadlines: { leaveMs: 4 } })
    .exec({} as Parameters<EngineServices["exec"]>[0]);
  assert.deepEqual(given, [3], "of the deadlines that the run has");
});
