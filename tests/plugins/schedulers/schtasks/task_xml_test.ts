import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeXml, nextMonthly, taskXml, utf16 } from "../../../../plugins/schedulers/schtasks/task_xml.ts";
import { AT_START, MONTHLY } from "../_host.ts";

const OPTIONS = { user: "LAB\\ada", now: new Date(2026, 0, 15, 12) };

/** Text of an element that occurs once. */
function element(xml: string, name: string): string {
  const found = [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))];
  assert.equal(found.length, 1, name);
  return unescapeXml(found[0][1]);
}

function unescapeXml(text: string): string {
  assert.doesNotMatch(text.replace(/&(amp|lt|gt|quot|apos);/g, ""), /[&<>]/, "well formed");
  const chars: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name) => chars[name]);
}

Deno.test("taskXml() says what flags cannot: a missed start, no end, the folder, a stored password", () => {
  for (const task of [MONTHLY, AT_START]) {
    const xml = taskXml(task, OPTIONS);
    assert.equal(element(xml, "StartWhenAvailable"), "true");
    assert.equal(element(xml, "ExecutionTimeLimit"), "PT0S");
    assert.equal(element(xml, "WorkingDirectory"), "/etc/lab");
    assert.equal(element(xml, "LogonType"), "Password");
    assert.equal(element(xml, "RunLevel"), "LeastPrivilege");
    assert.equal(element(xml, "UserId"), "LAB\\ada");
    assert.equal(element(xml, "MultipleInstancesPolicy"), "IgnoreNew");
    assert.equal(element(xml, "Command"), "/opt/labferry");
  }
  assert.equal(element(taskXml(MONTHLY, OPTIONS), "Arguments"), "--config /etc/lab/config.toml backup run");
});

Deno.test("taskXml() starts a monthly task every month, and the other with the system", () => {
  const monthly = taskXml(MONTHLY, OPTIONS);
  assert.equal(element(monthly, "StartBoundary"), "2026-02-01T02:00:00");
  assert.equal(element(monthly, "Day"), "1");
  assert.equal([...monthly.matchAll(/^ +<[A-Z][a-z]+ \/>\r?$/gm)].length, 12);
  assert.doesNotMatch(monthly, /RestartOnFailure/);
  const start = taskXml(AT_START, OPTIONS);
  assert.match(start, /<BootTrigger>/);
  assert.equal([...start.matchAll(/<Interval>(PT\w+)<\/Interval>/g)].map((match) => match[1]).join(), "PT1H,PT1M");
});

Deno.test("nextMonthly() is after now, within a month, also over the end of a year", () => {
  const at = { on: "monthly", day: 1, hour: 2, minute: 0 } as const;
  assert.equal(nextMonthly(at, new Date(2026, 0, 1, 1, 59)), "2026-01-01T02:00:00");
  assert.equal(nextMonthly(at, new Date(2026, 0, 1, 2)), "2026-02-01T02:00:00");
  assert.equal(nextMonthly({ ...at, day: 20 }, new Date(2026, 11, 31)), "2027-01-20T02:00:00");
});

Deno.test("taskXml() keeps paths with blanks, quotes, signs, backslashes and letters of any script", () => {
  const path = fc.array(
    fc.constantFrom(" ", "&", "<", ">", "'", "$", "%\\", "\\", "ü", "界", "🔬", "]]>", "a", "--"),
    { maxLength: 10 },
  ).map((parts) => `C:\\x${parts.join("")}`);
  fc.assert(fc.property(path, path, (program, folder) => {
    const xml = taskXml({ ...MONTHLY, argv: [program, "run"], workingDirectory: folder }, OPTIONS);
    assert.equal(element(xml, "Command"), program);
    assert.equal(element(xml, "WorkingDirectory"), folder);
    assert.equal(new TextDecoder("utf-16le").decode(utf16(xml)), xml);
  }));
});

Deno.test("escapeXml() is read back as it was", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => assert.equal(unescapeXml(escapeXml(text)), text)));
});

Deno.test("utf16() begins with the mark of little-endian UTF-16", () => {
  assert.deepEqual([...utf16("aü")], [0xff, 0xfe, 0x61, 0, 0xfc, 0]);
});
