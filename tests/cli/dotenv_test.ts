import assert from "node:assert/strict";
import { brokenLine, parseDotenv } from "../../cli/dotenv.ts";
import { assertLinear } from "../kit/growth.ts";

Deno.test("parseDotenv() reads values with and without quotes, and a password with a # as it is", () => {
  const text =
    "\ufeff# login\r\nUSER = ops@lab.example \r\nexport PASS=abcd#efgh # the app's\nA='x # y' # z\nB=\"q\\\"\\n\"\n" +
    "C=\nD=a b  c\n#E=1\nno line\nF='left open\nG=1\nG=2\nH= # only a comment\n";
  assert.deepEqual(parseDotenv(text), {
    USER: "ops@lab.example",
    PASS: "abcd#efgh",
    A: "x # y",
    B: 'q"\n',
    C: "",
    D: "a b  c",
    F: "'left open",
    G: "2",
    H: "",
  });
});

Deno.test("parseDotenv() takes a password that begins with #, and a comment only behind a blank", () => {
  const { A, B, C, D } = parseDotenv("A=#secret\nB= # nothing\nC=abc#def ghi # why\nD='a # b' # why\n");
  assert.deepEqual([A, B, C, D], ["#secret", "", "abc#def ghi", "a # b"]);
});

Deno.test("parseDotenv() takes a time that grows with the file and no faster", () => {
  assertLinear((text) => parseDotenv(`A=${text}`));
});

Deno.test("brokenLine() names the first line that is no UTF-8 and no comment", () => {
  assert.equal(brokenLine("# \udcfc\r\nA=1\r\nB=\udcfc\r\nC=\udcf6\n"), 3);
  assert.equal(brokenLine("# \udcfc\nA=\ufffd\n"), undefined);
});
