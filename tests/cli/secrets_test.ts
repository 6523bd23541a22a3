import assert from "node:assert/strict";
import { join } from "@std/path";
import { locate } from "../../cli/locations.ts";
import { openLog } from "../../cli/log.ts";
import { readSecrets } from "../../cli/secrets.ts";
import { tempDir } from "../kit/temp.ts";
import { fakeTerminal } from "./_terminal.ts";

async function secretsOf(env: Record<string, string>, file: string | Uint8Array | undefined, smtpEnv?: string) {
  await using dir = await tempDir();
  const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
  if (bytes !== undefined) await Deno.writeFile(join(dir.path, smtpEnv ?? "smtp.env"), bytes);
  const { terminal } = fakeTerminal({
    env: { HOME: dir.path, LABFERRY_CONFIG: join(dir.path, "c.toml"), ...env },
    cwd: dir.path,
  });
  const locations = locate({ env: terminal.env, system: terminal.system, cwd: terminal.cwd });
  using logs = openLog({
    format: "text",
    verbose: false,
    quiet: false,
    err: () => {},
    isTerminal: false,
    env: {},
    now: terminal.now,
  });
  const secrets = await readSecrets({ terminal, locations, logs }, smtpEnv);
  return { secrets, scrub: logs.scrubber.text };
}

Deno.test("readSecrets() takes the environment first, of both names, then smtp.env beside the config", async () => {
  const file = "# Gmail\r\nexport FUSION_SMTP_USER=file@lab\nLABFERRY_SMTP_APP_PASSWORD='abcd efgh # x'\nOTHER=1\n";
  const onlyFile = await secretsOf({}, file);
  assert.equal(onlyFile.secrets.get("SMTP_USER"), "file@lab");
  assert.equal(onlyFile.secrets.get("SMTP_APP_PASSWORD"), "abcd efgh # x");
  const { secrets } = await secretsOf({ FUSION_SMTP_USER: "env@lab", LABFERRY_SMTP_APP_PASSWORD: "" }, file);
  assert.equal(secrets.get("SMTP_USER"), "env@lab");
  assert.equal(secrets.get("SMTP_APP_PASSWORD"), "abcd efgh # x");
  const both = await secretsOf({ FUSION_SMTP_USER: "old@lab", LABFERRY_SMTP_USER: "new@lab" }, undefined);
  assert.equal(both.secrets.get("SMTP_USER"), "new@lab");
  assert.equal(both.secrets.get("SMTP_APP_PASSWORD"), undefined);
  assert.match(both.secrets.where("SMTP_USER"), /^LABFERRY_SMTP_USER in the environment or in .*smtp\.env$/);
});

Deno.test("readSecrets() takes the file that --smtp-env names, and refuses one that is not there", async () => {
  const { secrets } = await secretsOf({}, "LABFERRY_SMTP_USER=named@lab", "my.env");
  assert.equal(secrets.get("SMTP_USER"), "named@lab");
  await assert.rejects(secretsOf({}, undefined, "absent.env"), { code: "cli/no-path", stopsRun: 2 });
});

Deno.test("readSecrets() hides what it read, also as it travels in a login", async () => {
  const { secrets, scrub } = await secretsOf({}, "LABFERRY_SMTP_USER=bob@lab\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n");
  secrets.get("SMTP_USER");
  secrets.get("SMTP_APP_PASSWORD");
  const shown = scrub(`bob@lab hunter22 ${btoa("hunter22")} ${btoa("\0bob@lab\0hunter22")}`);
  assert.equal(shown, "bob@lab *** *** ***");
});

Deno.test("readSecrets() refuses a line that is no UTF-8, and takes a comment that is none", async () => {
  const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const login = "LABFERRY_SMTP_USER=bob@lab\nLABFERRY_SMTP_APP_PASSWORD=pass\n";
  await assert.rejects(secretsOf({}, latin1(`# Büro\n${login.replace("pass", "püss")}`)), {
    code: "config/not-text",
    message: /smtp\.env": line 3 is not UTF-8 text$/,
    stopsRun: 2,
  });
  const { secrets } = await secretsOf({}, latin1(`# Büro\n${login}`));
  assert.equal(secrets.get("SMTP_APP_PASSWORD"), "pass");
});
