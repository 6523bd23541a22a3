import assert from "node:assert/strict";
import { hide, hideVariables } from "../../cli/hide_secrets.ts";
import { createScrubber } from "../../cli/scrub.ts";

function hiding(...secrets: string[]) {
  const scrubber = createScrubber({});
  for (const secret of secrets) hide(secret, scrubber);
  return scrubber.text;
}

Deno.test("hide() knows a secret in base64, in a URL, in a form and in JSON", () => {
  const secret = 'ab"\\>>?~ü+c d/1';
  const base64 = btoa(String.fromCharCode(...new TextEncoder().encode(secret)));
  const inUrl = encodeURIComponent(secret);
  assert.match(base64, /[+/].*=$/);
  const text = hiding(secret);
  for (
    const form of [
      secret,
      base64,
      base64.replaceAll("=", ""),
      base64.replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_"),
      inUrl,
      inUrl.replace(/%../g, (escape) => escape.toLowerCase()),
      inUrl.replaceAll("%20", "+").replaceAll("~", "%7E"),
      JSON.stringify(secret).slice(1, -1),
    ]
  ) assert.equal(text(`[${form.replace(/=+$/, "")}]`), "[***]", form);
});

Deno.test("hide() knows the lines of a secret, which are logged one by one, and a secret without its line end", () => {
  const text = hiding("-----BEGIN KEY-----\r\nMIIEvQIBADANBgkq\r\n}\r\n-----END KEY-----\n", "hunter22\n");
  assert.equal(text("MIIEvQIBADANBgkq"), "***");
  assert.equal(text("pass hunter22!"), "pass ***!");
  assert.equal(text("{ a: 1 }"), "{ a: 1 }");
});

Deno.test("hide() of nothing, of a letter or of half a character hides no ordinary text", () => {
  const text = hiding("", "e", " ", "\ud800", "%");
  for (const plain of ["the end, 100 %", "\ufffd", "\ud800"]) assert.equal(text(plain), plain);
});

Deno.test("hideVariables() hides secrets by the names of their variables", () => {
  const scrubber = createScrubber({});
  hideVariables({ HOME: "/home/ada", MY_TOKEN: "hunter22", EMPTY_PASSWORD: "", UNSET_TOKEN: undefined }, scrubber);
  assert.equal(scrubber.text("hunter22 in /home/ada"), "*** in /home/ada");
});
