import assert from "node:assert/strict";
import { hideNamed } from "../../cli/hide_named.ts";
import { assertLinear } from "../kit/growth.ts";

const hide = (text: string) => hideNamed(text, "***");

Deno.test("hideNamed() hides the value behind a name, however it is written", () => {
  for (
    const [text, shown] of [
      ["smtp password = hunter2, then", "smtp password = ***, then"],
      ["LABFERRY_SLACK_WEBHOOK_URL=https://hooks.example/T/B", "LABFERRY_SLACK_WEBHOOK_URL=***"],
      ["session-token-2:\n  hunter2", "session-token-2:\n  ***"],
      ["{'app_password': 'hun, ter2'}", "{'app_password': ***}"],
      ["password => 'hunter2'", "password => ***"],
      ['"passphrase": "hun\\"ter2", "b": 1', '"passphrase": ***, "b": 1'],
      ['{\\"api_key\\":\\"hun\\\\\\"ter2\\",\\"b\\":1}', '{\\"api_key\\":***,\\"b\\":1}'],
      ['private_key="one\ntwo" next', "private_key=*** next"],
      ['password="hunter2 cut off\nnext', "password=***\nnext"],
      ["tokentoken=a token_a=b;token=c", "tokentoken=*** token_a=***;token=***"],
      ["a\\npassword: hunter", "a\\npassword: ***"],
    ]
  ) assert.equal(hide(text), shown);
});

Deno.test("hideNamed() leaves words that say whether there is a secret", () => {
  for (
    const text of [
      "secrets = none",
      "password: required.",
      "the token: not found [notify/login]",
      "token=undefined user=ada",
      'argv = ["--password=none", "x"]',
      "password = ${env.PASS}",
      "the token is here, the password there",
      "secrets:",
    ]
  ) assert.equal(hide(text), text);
  assert.equal(hide("password: none shall pass"), "password: *** shall pass");
  assert.equal(hide("password: nonesuch"), "password: ***");
});

Deno.test("hideNamed() leaves what is said of a file, and nothing that may be a secret", () => {
  for (
    const text of [
      "refused /etc/passwd: path/escapes",
      'Cannot read "/run/secrets/token: Permission denied (os error 13)',
      "/home/ada/.ssh/private_key: absent",
    ]
  ) assert.equal(hide(text), text);
  for (
    const text of [
      "/run/token: swordfish",
      "/etc/secret: hunter",
      "/etc/passwd: hunter2",
      "/etc/passwd: abcdefghijklmnopq",
      "/etc/passwd: dXNlcg",
      "username/password: ada/hunter",
      "https://vault/v1/token: hunter",
    ]
  ) assert.match(hide(text), /: \*\*\*$/, text);
});

Deno.test("hideNamed() takes a time that grows with the text and no faster", () => {
  assertLinear(hide);
});
