import assert from "node:assert/strict";
import { notTold } from "../../../demo/tour/instrument_log.ts";

const ADDRESS = "operator@lab.example";
const mail = (words: string, more: { to?: string[]; about?: string; event?: string } = {}) => ({
  event: more.event ?? "fusion_error",
  to: more.to ?? [ADDRESS],
  text: `${words}\n${more.about ?? "sample: 20260318_mbeki_colon_cohort2\ncycle: 2"}\n`,
});
const STUCK = "Stage: axis Z did not reach its target within 30 s";
const DARK = "Lamp: no light at 488 nm";

Deno.test("notTold() is nothing when each error was mailed once, with sample and cycle", () => {
  assert.deepEqual(notTold([mail("x", { event: "backup_failure" }), mail(STUCK), mail(DARK)], ADDRESS), []);
});

Deno.test("notTold() names an error that was mailed twice, and one that was not", () => {
  assert.deepEqual(notTold([mail(STUCK), mail(STUCK)], ADDRESS), [
    `"${STUCK}" was mailed 2 times, wanted once`,
    `"${DARK}" was mailed 0 times, wanted once`,
  ]);
  assert.deepEqual(notTold([mail(STUCK), mail(DARK), mail("something else")], ADDRESS), [
    "3 errors were mailed, wanted 2",
  ]);
});

Deno.test("notTold() names a wrong address and a mail without sample or cycle", () => {
  assert.deepEqual(notTold([mail(STUCK, { to: ["it@lab.example"] }), mail(DARK, { about: "cycle: 21" })], ADDRESS), [
    `an error was mailed to it@lab.example, wanted ${ADDRESS}`,
    "the mail of an error does not name the sample 20260318_mbeki_colon_cohort2",
    "the mail of an error does not name cycle 2",
  ]);
});
