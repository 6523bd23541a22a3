import assert from "node:assert/strict";
import { join } from "@std/path";
import { LINT_RULES } from "../../core/lint/rules.ts";
import { runCli } from "../cli/_terminal.ts";
import { lab } from "./_lab.ts";

Deno.test("lint says what is wrong, where, and exits 2", async () => {
  await using place = await lab();
  const clean = await place.cli(["lint", "local", "--offline"]);
  assert.deepEqual(clean, { code: 0, stdout: "local: ok\n", stderr: "" });
  const unmarked = await place.cli(["lint", "local", "--json"]);
  assert.equal(unmarked.code, 2);
  const [verdict] = JSON.parse(unmarked.stdout);
  assert.equal(verdict.ok, false);
  assert.ok(verdict.diagnostics.every((d: { code: string }) => d.code === "env/not-marked"));
  await place.pipeline("broken", `name = "broken"\n[source]\nuse = "idle-foldres"\n[[stage]]\nuse = "lock"\n`);
  const broken = await place.cli(["lint", "broken"]);
  assert.equal(broken.code, 2);
  assert.match(broken.stdout, /broken\.toml:3:\d+: error .*\n.*\n.*\^[\s\S]*idle-folders/);
  assert.match(broken.stdout, /broken: 1 error\n$/);
  assert.equal(broken.stderr, "What a code means: labferry lint --explain pipeline/unknown-plugin\n");
  const all = await place.cli(["lint", "--offline"]);
  assert.match(all.stdout, /local: ok/);
});

Deno.test("lint --json gives each finding with position, nearest name and all that would do", async () => {
  await using place = await lab();
  await place.pipeline("broken", `name = "broken"\n[source]\nuse = "idle-foldres"\n[[stage]]\nuse = "lock"\n`);
  const { code, stdout } = await place.cli(["lint", "broken", "--json"]);
  assert.equal(code, 2);
  const file = join(place.path, "pipelines", "broken.toml");
  assert.deepEqual(JSON.parse(stdout), [{
    pipeline: "broken",
    file,
    ok: false,
    diagnostics: [{
      code: "pipeline/unknown-plugin",
      severity: "error",
      file,
      line: 3,
      column: 7,
      length: 14,
      message: `Cannot find source "idle-foldres": no such source is known`,
      hint: `did you mean "idle-folders"`,
      nearest: "idle-folders",
      wanted: ["capacity", "idle-folders", "log-tail", "outbox"],
      source_line: `use = "idle-foldres"`,
    }],
  }]);
  const config = join(place.path, "config.toml");
  await Deno.writeTextFile(config, `[backup]\nstale_locks = "reclaime"\n[pahts]\n`);
  const wrong = await place.cli(["lint", "--json"]);
  assert.equal(wrong.code, 2);
  const [{ pipeline, file: at, ok, diagnostics }, ...more] = JSON.parse(wrong.stdout);
  assert.deepEqual([pipeline, at, ok, more], [null, config, false, []]);
  assert.deepEqual(
    diagnostics.map((d: { line: number; nearest: string; wanted: string[] }) => [d.line, d.nearest, d.wanted[0]]),
    [[2, "reclaim", "reclaim"], [3, "paths", "backup"]],
  );
});

Deno.test("lint --explain prints the page of every rule, without a config", async () => {
  for (const { code, text } of LINT_RULES) {
    const { code: exit, stdout } = await runCli(["lint", "--explain", code], { env: { HOME: "/nowhere" } });
    assert.equal(exit, 0);
    assert.ok(stdout.startsWith(`${code} (`), stdout);
    assert.equal(stdout.split("\n\n")[1].replaceAll("\n", " ").trim(), text);
  }
  const unknown = await runCli(["lint", "--explain", "safety/not-seald"], { env: { HOME: "/nowhere" } });
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /did you mean "safety\/not-sealed"/);
});

Deno.test("run, plan, lint and echo exit 2 without a config, or with a broken one", async () => {
  await using place = await lab();
  const config = join(place.path, "config.toml");
  await Deno.writeTextFile(config, `[pahts]\nsource_root = "x"\n`);
  for (const command of ["run", "plan", "lint", "echo"]) {
    const { code, stdout, stderr } = await place.cli([command, "local"]);
    assert.deepEqual([code, stdout], [2, ""], command);
    assert.match(stderr, /config\.toml:1:2/);
    assert.match(stderr, /paths/);
  }
  await Deno.remove(config);
  const absent = await place.cli(["run", "local"]);
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /config\/not-found/);
});

Deno.test("S1 lint knows what earlier runs knew: exchanged paths and another mark exit 2, and the journal stays", async () => {
  await using place = await lab();
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  const ok = await place.cli(["lint", "local"]);
  assert.deepEqual([ok.code, ok.stdout], [0, "local: ok\n"]);
  const state = async () => (await Array.fromAsync(Deno.readDir(place.state))).map(({ name }) => name).sort();
  const before = await state();
  const config = join(place.path, "config.toml");
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(
    config,
    text.replace(`"nas"`, `"?"`).replace(`"instrument"`, `"nas"`).replace(`"?"`, `"instrument"`),
  );
  const exchanged = await place.cli(["lint", "local"]);
  assert.equal(exchanged.code, 2);
  assert.match(exchanged.stdout, /env\/other-role[^]*nas" as source[^]*env\/other-role[^]*instrument" as truenas/);
  await Deno.writeTextFile(config, text);
  const marker = join(place.truenas, ".labferry-place");
  await Deno.writeTextFile(marker, `${crypto.randomUUID()}\n`);
  const other = await place.cli(["lint", "local"]);
  assert.equal(other.code, 2);
  assert.match(other.stdout, /env\/other-marker[^]*earlier runs knew this place by/);
  assert.deepEqual(await state(), before);
});

Deno.test("lint refuses a config and a pipeline that are not UTF-8, where the first such byte stands", async () => {
  await using place = await lab();
  const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const pipeline = join(place.path, "pipelines", "broken.toml");
  await Deno.writeFile(pipeline, latin1(`name = "broken"\nsummary = "für alle"\n[source]\nuse = "idle-folders"\n`));
  const broken = await place.cli(["lint", "broken", "local", "--offline"]);
  assert.equal(broken.code, 2);
  assert.match(broken.stdout, /broken\.toml:2:13: error toml\/not-text: .*: it is not UTF-8 text\n/);
  assert.match(broken.stdout, /local: ok/);
  const config = join(place.path, "config.toml");
  const text = await Deno.readTextFile(config);
  await Deno.writeFile(config, latin1(`${text}\n[s3]\nbucket = "lab-archive"\nprefix = "füsion"\n`));
  const { code, stderr } = await place.cli(["lint", "local", "--offline"]);
  assert.equal(code, 2);
  const line = text.split("\n").length + 3;
  assert.match(stderr, new RegExp(`config\\.toml:${line}:12: error toml/not-text: `));
});

Deno.test("lint reads the ca_file of the mail server, and finds it missing or without a certificate", async () => {
  await using place = await lab();
  const config = join(place.path, "config.toml");
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, `${text}\n[notify]\nenabled = true\n[notify.smtp]\nca_file = "ca.pem"\n`);
  await Deno.writeTextFile(join(place.path, "smtp.env"), "LABFERRY_SMTP_USER=u\nLABFERRY_SMTP_APP_PASSWORD=p\n", {
    mode: 0o600,
  });
  await Deno.mkdir(join(place.path, "recipients"));
  const line = text.split("\n").length + 4;
  const missing = await place.cli(["lint", "notify"]);
  assert.equal(missing.code, 2, missing.stdout);
  assert.match(
    missing.stdout,
    new RegExp(`config\\.toml:${line}:11: error env/notifier-file: Cannot read ".*ca\\.pem"`),
  );
  await Deno.writeTextFile(join(place.path, "ca.pem"), "no PEM\n");
  assert.match((await place.cli(["lint", "notify"])).stdout, /ca\.pem" as ca_file: it holds no certificate/);
  await Deno.writeTextFile(
    join(place.path, "ca.pem"),
    "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
  );
  assert.deepEqual(await place.cli(["lint", "notify"]), { code: 0, stdout: "notify: ok\n", stderr: "" });
});
