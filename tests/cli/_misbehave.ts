/** A program whose command goes wrong in the way its first argument names; run as a process by process_test.ts. */
import { start } from "../../cli.ts";
import { queueFailure } from "../../cli/failure_event.ts";
import { locate } from "../../cli/locations.ts";
import { createScrubber } from "../../cli/scrub.ts";
import { runProcess } from "../../core/io/exec.ts";

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

// What is told must not depend on how busy the machine is.
const crash = { secretsMs: 120_000, eventMs: 120_000, deliverMs: 120_000 };

start(async (argv, terminal) => {
  switch (argv[0]) {
    case "drain":
      return await new Promise<number>(() => {});
    case "run":
    case "monitor":
    case "reject":
      void Promise.reject(new Error("left alone"));
      return await new Promise<number>(() => {});
    case "throw":
      queueMicrotask(() => {
        throw new Error("thrown by nobody");
      });
      return await new Promise<number>(() => {});
    case "backup": {
      using interrupts = terminal.interrupts();
      if (argv[1] === "--verbose") {
        const failure = { exitCode: 1, code: "run/items-failed", message: "failed by itself" };
        const log = { debug: () => {}, error: terminal.err };
        const scrubber = createScrubber(terminal.env);
        void queueFailure("backup", failure, { locations: locate(terminal), terminal, log, scrubber });
      }
      void Promise.reject(new Error("left alone"));
      await Promise.all([aborted(interrupts.stop), aborted(interrupts.abort)]);
      terminal.out("stopped\n");
      using late = terminal.interrupts();
      terminal.out(`${late.stop.aborted} ${late.abort.aborted}\n`);
      return await new Promise<number>(() => {});
    }
    case "interrupt": {
      using interrupts = terminal.interrupts();
      // An open stdin is what keeps this process waiting.
      const input = Deno.stdin.read(new Uint8Array(1));
      terminal.out("ready\n");
      await aborted(interrupts.stop);
      terminal.out("stopping\n");
      await Promise.race([aborted(interrupts.abort), input]);
      return 130;
    }
    case "close":
      globalThis.close();
      return 0;
    case "child": {
      // As a hook that does not end when it is told to, in a process that breaks meanwhile.
      const broken = Promise.withResolvers<number>();
      const options = { argv: ["sh", "-c", "trap : TERM; echo $$; while :; do sleep 0.05; done"] };
      const stderr = (line: string) => {
        terminal.out(`${line}\n`);
        void Promise.reject(new Error("left alone"));
      };
      void runProcess(options, { signal: AbortSignal.any([]), log: { info: () => {} }, stderr });
      return await broken.promise;
    }
    default:
      return 0;
  }
}, { crash });
