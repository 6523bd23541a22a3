import assert from "node:assert/strict";
import { loadConfig } from "../../../core/pipeline/config.ts";

const PIN = "0123456789abcdefABCDEF".padEnd(64, "0");

function load(files: string) {
  return loadConfig({ path: "/etc/labferry/config.toml", text: `[plugins]\nfiles = ${files}\n`, system: "posix" });
}

Deno.test("loadConfig() takes files of stages by path and by pin, paths made absolute in both", () => {
  const { loaded, diagnostics } = load(
    `["a.ts", { path = "b/c.js", sha256 = "${PIN}", touches = [] }, { path = "/d.mjs" }]`,
  );
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(loaded?.config.plugins.files, [
    "/etc/labferry/a.ts",
    { path: "/etc/labferry/b/c.js", sha256: PIN, touches: [] },
    { path: "/d.mjs" },
  ]);
});

Deno.test("loadConfig() says once what is wrong with a pin, and where", () => {
  const wrong: [string, string, RegExp, string | undefined][] = [
    [
      '[{ path = "a.ts", sha265 = "x" }]',
      "config/unknown-key",
      /key "sha265" in "plugins\.files\[1\]"/,
      'did you mean "sha256"',
    ],
    [
      '[{ path = "a.ts", sha256 = "abc" }]',
      "config/bad-value",
      /files\[1\]\.sha256" of the config: wanted 64 hex digits, found the text "abc"/,
      undefined,
    ],
    [
      "[{ touches = [] }]",
      "config/missing-key",
      /"plugins\.files\[1\]\.path" is missing, wanted a text/,
      "add path = …",
    ],
    [
      '[{ path = "" }]',
      "config/bad-value",
      /files\[1\]\.path" of the config: wanted a path, found an empty text/,
      undefined,
    ],
    [
      '[{ path = "a.ts", touches = [] }]',
      "config/bad-value",
      /files\[1\]\.touches" of the config: it is believed of a pinned file only, wanted sha256/,
      undefined,
    ],
    [
      `[{ path = "a.ts", sha256 = "${PIN}", touches = "nas" }]`,
      "config/wrong-type",
      /touches" of the config: found the text "nas", wanted a list/,
      'write ["nas"]',
    ],
    ["[7]", "config/bad-value", /files\[1\]" of the config: found the number 7, wanted a text or a table/, undefined],
    ['["~/a.ts"]', "config/bad-path", /Cannot use path "~\/a\.ts"/, "write the whole path"],
    ['[{ path = "~/a.ts" }]', "config/bad-path", /Cannot use path "~\/a\.ts"/, "write the whole path"],
  ];
  for (const [files, code, says, hint] of wrong) {
    const { loaded, diagnostics } = load(files);
    assert.equal(loaded, undefined, files);
    assert.deepEqual(diagnostics.map((one) => [one.code, one.line, one.hint]), [[code, 2, hint]], files);
    assert.match(diagnostics[0].message, says);
  }
});
