import assert from "node:assert/strict";
import { configKeys, loadConfig } from "../../../core/pipeline/config.ts";
import { resolvePath } from "../../../core/pipeline/config_paths.ts";
import type { Diagnostic } from "../../../core/pipeline/diagnostic.ts";

function posix(text: string) {
  return loadConfig({ path: "/etc/labferry/config.toml", text, system: "posix" });
}

function refused(text: string): Diagnostic[] {
  const { loaded, diagnostics } = posix(text);
  assert.equal(loaded, undefined, "a config with an error is not used");
  assert.ok(diagnostics.length > 0);
  return diagnostics;
}

Deno.test("loadConfig() fills in every default of DESIGN 5 for an empty file", () => {
  const { loaded, diagnostics } = posix("");
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(loaded?.view, {
    paths: {},
    s3: {},
    backup: { idle_days: 14, settle_minutes: 15, stale_locks: "reclaim" },
    cleanup: { free_threshold_pct: 20 },
    monitor: { sent_keep_days: 30 },
    notify: {
      enabled: false,
      toolkit_error_cooldown_seconds: 300,
      recipients_dir: "/etc/labferry/recipients",
      smtp: { port: 587, security: "starttls" },
    },
    hooks: { backup: [], cleanup: [] },
    plugins: { files: [] },
  });
  assert.equal(loaded?.folder, "/etc/labferry");
});

Deno.test("loadConfig() takes an empty [hooks] as no hooks", () => {
  assert.deepEqual(posix("[hooks]\n").loaded?.config.hooks, { backup: [], cleanup: [] });
  assert.deepEqual(posix("[hooks]\nbackup = ['pwsh', '-File', 'x.ps1']\n").loaded?.config.hooks.backup, [
    "pwsh",
    "-File",
    "x.ps1",
  ]);
});

Deno.test("loadConfig() takes every key there is", () => {
  const text = `
[paths]
source_root = "/s"
truenas_root = "/t"
manifest_root = "/m"
[s3]
bucket = "b"
prefix = "p"
region = "eu-west-1"
endpoint = "http://127.0.0.1:7480"
force_path_style = true
ca_file = "lab-ca.pem"
storage_class = "STANDARD_IA"
[backup]
idle_days = 0.5
settle_minutes = 0
stale_locks = "refuse"
[cleanup]
free_threshold_pct = 12.5
[monitor]
log_path = "log.txt"
sent_keep_days = 7
[notify]
enabled = true
toolkit_error_cooldown_seconds = 0
recipients_dir = "/r"
[notify.smtp]
host = "smtp.example.org"
port = 465
security = "tls"
from = "lab@example.org"
[hooks]
backup = ["a"]
cleanup = ["b", "c"]
[plugins]
files = ["plugins/own.ts"]
`;
  const { loaded, diagnostics } = posix(text);
  assert.deepEqual(diagnostics, []);
  assert.equal(loaded?.config.monitor.log_path, "/etc/labferry/log.txt");
  assert.deepEqual(loaded?.config.plugins.files, ["/etc/labferry/plugins/own.ts"]);
  assert.deepEqual(Object.keys(loaded?.config.notify.smtp ?? {}).length, 4);
});

Deno.test("loadConfig() refuses unknown keys and sections with position and nearest name", () => {
  const [key] = refused("[backup]\nidle_day = 3\n");
  assert.deepEqual([key.code, key.line, key.column, key.length, key.hint], [
    "config/unknown-key",
    2,
    1,
    8,
    `did you mean "idle_days"`,
  ]);
  assert.equal(key.file, "/etc/labferry/config.toml");
  const [section] = refused("[path]\nsource_root = '/x'\n");
  assert.deepEqual([section.code, section.line, section.hint], ["config/unknown-key", 1, `did you mean "paths"`]);
  const [deep] = refused("[notify.smtp]\nhost = 'h'\npasword = 'x'\n");
  assert.deepEqual([deep.line, deep.code], [3, "config/unknown-key"]);
});

Deno.test("loadConfig() refuses wrong types and values where they stand, all at once", () => {
  const found = refused(`[backup]
idle_days = "14"
settle_minutes = -1
stale_locks = "reclame"
[hooks]
backup = "mount.cmd"
[s3]
endpoint = "s3.example.org"
[notify]
enabled = "yes"
[notify.smtp]
port = 70000
[cleanup]
free_threshold_pct = 101
`);
  assert.deepEqual(found.map((d) => [d.line, d.code]).toSorted((a, b) => Number(a[0]) - Number(b[0])), [
    [2, "config/wrong-type"],
    [3, "config/bad-value"],
    [4, "config/bad-value"],
    [6, "config/wrong-type"],
    [8, "config/bad-value"],
    [10, "config/wrong-type"],
    [12, "config/bad-value"],
    [14, "config/bad-value"],
  ]);
  const words = (line: number) => found.find((d) => d.line === line);
  assert.match(words(2)?.message ?? "", /"backup.idle_days" of the config: found the text "14", wanted a number/);
  assert.equal(words(2)?.hint, "write 14 without quotes");
  assert.match(words(3)?.message ?? "", /wanted at least 0/);
  assert.equal(words(4)?.hint, `did you mean "reclaim"`);
  assert.equal(words(6)?.hint, `write ["mount.cmd"]`);
  assert.match(words(8)?.message ?? "", /wanted a URL such as/);
  assert.match(words(12)?.message ?? "", /wanted at most 65535/);
});

Deno.test("loadConfig() refuses an empty value instead of taking it as not set", () => {
  assert.match(refused("[paths]\nsource_root = ''\n")[0].message, /wanted a path, found an empty text/);
  assert.equal(refused("[s3]\nbucket = ''\n")[0].code, "config/bad-value");
});

Deno.test("loadConfig() resolves relative paths against the folder of the config file, on both systems", () => {
  assert.equal(posix("[paths]\nsource_root = '../data'\n").loaded?.config.paths.source_root, "/etc/data");
  const { loaded } = loadConfig({
    path: "C:\\ProgramData\\labferry\\config.toml",
    text: "[paths]\nsource_root = 'data'\ntruenas_root = '\\\\nas\\share\\x'\nmanifest_root = \"D:/m\"\n",
    system: "windows",
  });
  assert.deepEqual(loaded?.config.paths, {
    source_root: "C:\\ProgramData\\labferry\\data",
    truenas_root: "\\\\nas\\share\\x",
    manifest_root: "D:\\m",
  });
  assert.equal(loaded?.config.notify.recipients_dir, "C:\\ProgramData\\labferry\\recipients");
});

Deno.test("loadConfig() reports a path it will not guess at, with its position", () => {
  const [found] = refused("[paths]\nsource_root = '~/data'\n");
  assert.deepEqual([found.code, found.line, found.column], ["config/bad-path", 2, 15]);
  assert.match(found.message, /"~" is not expanded/);
});

Deno.test("resolvePath() refuses paths that depend on where the program stands, or on another system", () => {
  const windows = (text: string) => resolvePath(text, { folder: "C:\\cfg", system: "windows" });
  const unix = (text: string) => resolvePath(text, { folder: "/cfg", system: "posix" });
  for (const text of ["C:data", "D:", "\\data", "/data", "~\\x", "~lab/x", "a\u0000", "C:\\a\tb", " C:\\a", "C:\\a "]) {
    assert.equal(windows(text).ok, false, text);
  }
  for (const text of ["C:\\data", "\\\\nas\\x", "~", "~/x", "a\nb", " /a"]) assert.equal(unix(text).ok, false, text);
  for (const [text, path] of [["x~1", "C:\\cfg\\x~1"], ["C:/a/../b", "C:\\b"], ["//nas/s/x", "\\\\nas\\s\\x"]]) {
    assert.deepEqual(windows(text), { ok: true, path });
  }
  assert.deepEqual(unix("a/./b"), { ok: true, path: "/cfg/a/b" });
});

Deno.test("loadConfig() takes CRLF and a byte order mark", () => {
  const { loaded } = posix("\uFEFF[backup]\r\nidle_days = 3\r\n");
  assert.equal(loaded?.config.backup.idle_days, 3);
});

Deno.test("configKeys() knows sections, keys and nested sections", () => {
  assert.ok(configKeys([]).includes("paths"));
  assert.deepEqual(configKeys(["notify", "smtp"]), ["host", "port", "security", "from", "ca_file"]);
  assert.deepEqual(configKeys(["paths", "source_root"]), []);
  assert.deepEqual(configKeys(["nothing"]), []);
});
