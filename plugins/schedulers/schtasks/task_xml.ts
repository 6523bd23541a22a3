/**
 * A task as Task Scheduler's XML. The flags of schtasks.exe cannot say all of it: a missed start made up for, a working
 * folder, no end after 72 hours. Pure.
 *
 * Source of the elements: "Task Scheduler Schema", Microsoft Learn, version 1.2 (Windows Vista and later).
 * @module
 */
import type { ScheduledTask, TaskStart } from "../../../core/contract.ts";
import { checkText, joinArguments } from "./quote.ts";

/** What is in the XML and not in the task. */
export interface TaskXmlOptions {
  /** `DOMAIN\user`. */
  user: string;
  /** Local wall clock; the first start is the next one after it. */
  now: Date;
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/**
 * Returns the XML of a task.
 * @throws {PipelineError} `schedule/bad-path` for a path that Task Scheduler would change
 */
export function taskXml(task: ScheduledTask, { user, now }: TaskXmlOptions): string {
  const [program, ...args] = task.argv;
  const line = joinArguments(args);
  for (const text of [program, line, task.workingDirectory]) checkText(text);
  const restarts = task.start.on === "system-start"
    ? "\n    <RestartOnFailure>\n      <Interval>PT1M</Interval>\n      <Count>10</Count>\n    </RestartOnFailure>"
    : "";
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${escapeXml(task.summary)}</Description>
  </RegistrationInfo>
  <Triggers>
${trigger(task.start, now)}
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${escapeXml(user)}</UserId>
      <LogonType>Password</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>${restarts}
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(program)}</Command>
      <Arguments>${escapeXml(line)}</Arguments>
      <WorkingDirectory>${escapeXml(task.workingDirectory)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`.replaceAll("\n", "\r\n");
}

function trigger(start: TaskStart, now: Date): string {
  if (start.on === "system-start") {
    // A program that ends with an error is no failed start, so RestartOnFailure leaves it dead until the next boot.
    // Once an hour it is started again; where it still runs, IgnoreNew keeps the second away.
    return `    <BootTrigger>
      <Repetition>
        <Interval>PT1H</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <Enabled>true</Enabled>
    </BootTrigger>`;
  }
  return `    <CalendarTrigger>
      <StartBoundary>${nextMonthly(start, now)}</StartBoundary>
      <Enabled>true</Enabled>
      <ScheduleByMonth>
        <DaysOfMonth>
          <Day>${start.day}</Day>
        </DaysOfMonth>
        <Months>
${MONTHS.map((month) => `          <${month} />`).join("\n")}
        </Months>
      </ScheduleByMonth>
    </CalendarTrigger>`;
}

/**
 * Returns the next start after `now`, local time. A boundary in the past would count as a missed start, which is made up
 * for at once.
 */
export function nextMonthly(start: Extract<TaskStart, { on: "monthly" }>, now: Date): string {
  const { day, hour, minute } = start;
  const next = new Date(now.getFullYear(), now.getMonth(), day, hour, minute);
  if (next <= now) next.setMonth(next.getMonth() + 1);
  const two = (number: number) => String(number).padStart(2, "0");
  const year = String(next.getFullYear()).padStart(4, "0");
  return `${year}-${two(next.getMonth() + 1)}-${two(day)}T${two(hour)}:${two(minute)}:00`;
}

/** Returns a text as the content of an element. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
  return text.replace(/[&<>"']/g, (char) => names[char]);
}

/** Returns a text as UTF-16, little end first, with its mark: the form Task Scheduler exports and reads everywhere. */
export function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 + text.length * 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xfeff, true);
  for (let at = 0; at < text.length; at++) view.setUint16(2 + at * 2, text.charCodeAt(at), true);
  return bytes;
}
