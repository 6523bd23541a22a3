import assert from "node:assert/strict";
import { locate } from "../../cli/locations.ts";

const POSIX = { system: "posix", cwd: "/work", env: { HOME: "/home/ada" } } as const;
const WINDOWS = {
  system: "windows",
  cwd: "D:\\work",
  env: { USERPROFILE: "C:\\Users\\ada", HOME: "/c/Users/ada" },
} as const;

Deno.test("locate() starts from the home folder", () => {
  const locations = locate(POSIX);
  assert.deepEqual(locations, {
    configFile: "/home/ada/.config/labferry/config.toml",
    configIsNamed: false,
    configDir: "/home/ada/.config/labferry",
    pipelinesDir: "/home/ada/.config/labferry/pipelines",
    recipientsDir: "/home/ada/.config/labferry/recipients",
    smtpEnvFile: "/home/ada/.config/labferry/smtp.env",
    stateDir: "/home/ada/.config/labferry/state",
    journalFile: "/home/ada/.config/labferry/state/journal.db",
    logDir: "/home/ada/.config/labferry/state/logs",
  });
});

Deno.test("locate() prefers USERPROFILE on Windows", () => {
  const locations = locate(WINDOWS);
  assert.equal(locations.configFile, "C:\\Users\\ada\\.config\\labferry\\config.toml");
  assert.equal(locations.journalFile, "C:\\Users\\ada\\.config\\labferry\\state\\journal.db");
});

Deno.test("locate() takes --config before LABFERRY_CONFIG, relative to the working folder", () => {
  const env = { ...POSIX.env, LABFERRY_CONFIG: "/etc/labferry.toml" };
  assert.equal(locate({ ...POSIX, env }).configFile, "/etc/labferry.toml");
  const named = locate({ ...POSIX, env, config: "../lab/c.toml" });
  assert.equal(named.configFile, "/lab/c.toml");
  assert.equal(named.configIsNamed, true);
  assert.equal(named.recipientsDir, "/lab/recipients");
  assert.equal(named.stateDir, "/home/ada/.config/labferry/state");
  assert.equal(locate({ ...WINDOWS, config: "lab\\c.toml" }).configFile, "D:\\work\\lab\\c.toml");
  assert.equal(locate({ ...WINDOWS, config: "\\\\nas\\lab\\c.toml" }).configFile, "\\\\nas\\lab\\c.toml");
});

Deno.test("locate() takes the state folder from LABFERRY_STATE_DIR", () => {
  assert.equal(locate({ ...POSIX, env: { HOME: "/h", LABFERRY_STATE_DIR: "/var/lf" } }).logDir, "/var/lf/logs");
});

Deno.test("locate() needs no home when both places are named", () => {
  const env = { LABFERRY_STATE_DIR: "/var/lf", LABFERRY_CONFIG: "/etc/lf/c.toml" };
  assert.equal(locate({ ...POSIX, env }).configDir, "/etc/lf");
  assert.throws(() => locate({ ...POSIX, env: {} }), { code: "cli/no-home", stopsRun: 2 });
  assert.throws(() => locate({ ...WINDOWS, env: { LABFERRY_CONFIG: "C:\\c.toml" } }), { code: "cli/no-home" });
});

Deno.test("locate() takes the state folder from --state-dir before LABFERRY_STATE_DIR", () => {
  const env = { HOME: "/home/ada", LABFERRY_STATE_DIR: "/env/state" };
  const of = (stateDir?: string) => locate({ env, system: "posix", cwd: "/work", stateDir }).journalFile;
  assert.equal(of(), "/env/state/journal.db");
  assert.equal(of("here"), "/work/here/journal.db");
});
