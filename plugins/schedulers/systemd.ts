/** Scheduler `systemd`: units of the user's own systemd. @module */
import type { ProgramResult, SchedulerHost, SchedulerPlugin } from "../../core/contract.ts";
import { PipelineError } from "../../core/errors.ts";
import { saidBy } from "./_words.ts";
import { taskUnits, unitNames } from "./systemd/units.ts";

export const systemd: SchedulerPlugin = {
  kind: "scheduler",
  name: "systemd",
  summary: "Timers and services of the user's own systemd.",
  system: "linux",
  advice: (tasks) => [
    "without lingering they run only while you are logged on: loginctl enable-linger",
    ...tasks.filter((task) => task.start.on === "system-start").map((task) => {
      const { enabled } = unitNames(task);
      return `${enabled} starts with the system; to start it now: systemctl --user start ${enabled}`;
    }),
  ],
  open: (host) => ({
    async register(tasks) {
      const folder = unitFolder(host);
      // All of them are made before the first is written.
      for (const { name, text } of tasks.flatMap(taskUnits)) await host.write(`${folder}/${name}`, text);
      await systemctl(host, "read the new units", ["daemon-reload"]);
      const enabled = (on: "monthly" | "system-start") =>
        tasks.filter((task) => task.start.on === on).map((task) => unitNames(task).enabled);
      // A timer counts from now on; what starts with the system does so at its next start.
      const [timers, services] = [enabled("monthly"), enabled("system-start")];
      if (timers.length > 0) await systemctl(host, "enable the timers", ["enable", "--now", ...timers]);
      if (services.length > 0) {
        await systemctl(host, "enable the services", ["enable", ...services]);
        // One that runs goes on as its unit now says; one that does not stays so.
        await systemctl(host, "restart the services that run", ["try-restart", ...services]);
      }
      return tasks.map(({ name }) => ({ name, change: "registered" }));
    },
    async unregister(tasks) {
      const folder = unitFolder(host);
      const planned: { name: string; enabled: string; paths: string[] }[] = [];
      for (const task of tasks) {
        const { files, enabled } = unitNames(task);
        const paths: string[] = [];
        for (const path of files.map((file) => `${folder}/${file}`)) if (await host.exists(path)) paths.push(path);
        planned.push({ name: task.name, enabled, paths });
      }
      const standing = planned.filter(({ paths }) => paths.length > 0);
      const enabled = standing.filter((one) => one.paths.includes(`${folder}/${one.enabled}`)).map((one) =>
        one.enabled
      );
      if (enabled.length > 0) await systemctl(host, "disable the units", ["disable", "--now", ...enabled]);
      for (const path of standing.flatMap(({ paths }) => paths)) await host.remove(path);
      if (standing.length > 0) await systemctl(host, "forget the units", ["daemon-reload"]);
      return planned.map(({ name, paths }) => ({ name, change: paths.length > 0 ? "removed" : "absent" }));
    },
  }),
};

/** Where a user's own units stand. @throws {PipelineError} `schedule/no-home`, exit code 2 */
function unitFolder({ env }: SchedulerHost): string {
  const config = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : env.HOME && `${env.HOME}/.config`;
  if (config) return `${config.replace(/\/+$/, "")}/systemd/user`;
  throw new PipelineError(
    "schedule/no-home",
    `Cannot find the folder of your units: neither HOME nor XDG_CONFIG_HOME is set`,
    { stopsRun: 2 },
  );
}

async function systemctl(host: SchedulerHost, what: string, args: readonly string[]): Promise<void> {
  const result = await host.run(["systemctl", "--user", ...args]);
  if (result.code !== 0) throw refused(what, result);
}

function refused(what: string, { code, output }: ProgramResult): PipelineError {
  const said = saidBy({ output });
  return new PipelineError("schedule/refused", `Cannot ${what}: systemctl --user ends with ${code}${said}`, {
    hint: "The user's own systemd must run: log on as that user (su and sudo do not start it), then run this again; " +
      "units that are written already do no harm",
  });
}
