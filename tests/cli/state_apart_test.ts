import assert from "node:assert/strict";
import { join } from "@std/path";
import { lookAnew, lookAtState } from "../../cli/state_apart.ts";
import type { FileStat } from "../../core/io/file_system.ts";
import { lab, makeStudy } from "../commands/_lab.ts";
import { startSmtp } from "../kit/servers/smtp.ts";

/** The disk of a busy machine answers late, but it answers. */
const LONG_MS = 120_000;

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("S2 lookAnew() finds a state folder within, at or around a folder of the config", async () => {
  await using place = await lab();
  const configFile = join(place.path, "config.toml");
  const why = async (stateDir: string) => {
    const { astray, unseen } = await lookAnew({ configFile, stateDir }, { lookMs: LONG_MS });
    assert.deepEqual(unseen, []);
    return astray?.message;
  };
  assert.equal(await why(place.state), undefined);
  assert.match(await why(join(place.source, "state", "deep")) ?? "", /it lies within paths\.source_root/);
  assert.match(await why(place.truenas) ?? "", /it is paths\.truenas_root/);
  assert.match(await why(place.path) ?? "", /it contains paths\.source_root/);
  await Deno.writeTextFile(configFile, "not toml");
  assert.equal(await why(place.source), undefined);
});

Deno.test("S2 nothing is written to a state folder inside the source: no log, no journal; the failure is told all the same", async () => {
  await using server = await startSmtp({ users: { "ferry@lab.example": "hunter22" } });
  await using place = await lab();
  await Deno.writeTextFile(
    join(place.path, "config.toml"),
    `\n[notify]\nenabled = true\n[notify.smtp]\nhost = "127.0.0.1"\nport = ${server.port}\nsecurity = "none"\n`,
    { append: true },
  );
  const login = "LABFERRY_SMTP_USER=ferry@lab.example\nLABFERRY_SMTP_APP_PASSWORD=hunter22\n";
  await Deno.writeTextFile(join(place.path, "smtp.env"), login);
  await Deno.mkdir(join(place.path, "recipients"));
  await Deno.writeTextFile(join(place.path, "recipients", "default.txt"), "ops@lab.example\n");
  for (const state of [join(place.source, "state"), place.source]) {
    const env = { LABFERRY_CONFIG: join(place.path, "config.toml"), LABFERRY_STATE_DIR: state };
    server.mails.length = 0;
    const { code, stderr } = await place.cli(["run", "local"], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /place\/not-distinct/);
    const told = server.mails.map(({ raw }) => /^X-Labferry-Event: (\w+)/m.exec(raw)?.[1]);
    assert.deepEqual(told, ["local_failure", "toolkit_error", "toolkit_error"]);
    for (const argv of [["install", "places"], ["run", "local", "--bogus"], ["list"]]) await place.cli(argv, { env });
    assert.deepEqual(names(place.source), []);
  }
});

Deno.test("a state folder that was left in the source is no study", async () => {
  await using place = await lab();
  assert.equal((await place.cli(["install", "places", "local"])).code, 0);
  await makeStudy(place.source);
  await Deno.mkdir(join(place.source, "state", "logs"), { recursive: true });
  await Deno.writeTextFile(join(place.source, "state", "logs", "labferry-2026-01-02.log"), "");
  const { code, stdout, stderr } = await place.cli(["run", "local", "--json"]);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).items.length, 1);
  assert.match(stderr, /"state" in .* is a state folder of labferry, and no study/);
});

const CONFIG = '[paths]\nsource_root = "/data/in"\ntruenas_root = "/nas"\n';
const WHERE = { configFile: "/etc/labferry/config.toml", stateDir: "/state" };

Deno.test("S18 lookAnew() does not take what it cannot look at for apart, and looks at the rest", async () => {
  const folders = new Map([["/", 1], ["/nas", 2]]);
  const fs = {
    lstat: (path: string) => {
      if (path.startsWith("/data")) return Promise.reject(new Deno.errors.PermissionDenied("permission denied"));
      const ino = folders.get(path);
      return Promise.resolve(ino === undefined ? undefined : { kind: "directory", dev: 1, ino } as unknown as FileStat);
    },
    realPath: (path: string) => Promise.resolve(path),
  };
  const options = { fs, readText: () => Promise.resolve(CONFIG) };
  const unseen = ['paths.source_root "/data/in": permission denied'];
  assert.deepEqual(await lookAnew(WHERE, options), { astray: undefined, unseen });
  const look = await lookAnew({ ...WHERE, stateDir: "/nas/state" }, options);
  assert.match(look.astray?.message ?? "", /lies within paths\.truenas_root/);
  assert.deepEqual(look.unseen, unseen);
});

Deno.test("lookAnew() waits only so long for a share or a config that never answers, and says for which", async () => {
  const never = () => new Promise<never>(() => {});
  const readText = () => Promise.resolve(CONFIG);
  const { unseen } = await lookAnew(WHERE, { lookMs: 1, readText: never });
  assert.deepEqual(unseen, ['the config "/etc/labferry/config.toml": no answer within 1 ms']);
  const share = await lookAnew(WHERE, { lookMs: 20, readText, fs: { lstat: never, realPath: never } });
  assert.deepEqual(share.unseen, ['paths.source_root "/data/in": no answer within 20 ms']);
  const denied = () => Promise.reject(new Deno.errors.PermissionDenied("permission denied"));
  assert.match((await lookAnew(WHERE, { readText: denied })).unseen[0], /config\.toml": permission denied/);
  const absent = () => Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }));
  assert.deepEqual((await lookAnew(WHERE, { readText: absent })).unseen, []);
});

Deno.test("lookAtState() looks once for a command", () => {
  const where = { configFile: "/nowhere/config.toml", stateDir: "/nowhere/state" };
  const look = lookAtState(where);
  assert.equal(lookAtState(where), look);
  return look.then(() => {});
});
