import assert from "node:assert/strict";
import fc from "fast-check";
import { createScrubber, isSecretName } from "../../cli/scrub.ts";
import { assertLinear } from "../kit/growth.ts";

const { text, value } = createScrubber({
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG",
  HOME: "/home/ada",
  API_TOKEN: "abc",
});

Deno.test("createScrubber() hides secrets of the environment wherever they occur", () => {
  assert.equal(text("got wJalrXUtnFEMI/K7MDENG, in /home/ada"), "got ***, in /home/ada");
});

Deno.test("createScrubber() hides what is spelled like a secret", () => {
  for (
    const secret of [
      "https://ada:hunter2@nas/x",
      'smtp password = "hunter2"',
      "LABFERRY_SMTP_APP_PASSWORD=hunter2",
      '{"app_password": "hunter2"}',
      "x?X-Amz-Signature=hunter2&a=b",
      "Authorization: Bearer hunter2hunter2",
      "session_token: hunter2",
    ]
  ) {
    assert.doesNotMatch(text(secret), /hunter2/, secret);
  }
  assert.equal(text("key AKIAIOSFODNN7EXAMPLE used"), "key AKIA*** used");
});

Deno.test("createScrubber() leaves ordinary words alone", () => {
  for (
    const plain of ["s3://bucket/study/key", "passed 3 of 4", "https://nas/a@b", "compass: north", "the key is absent"]
  ) {
    assert.equal(text(plain), plain);
  }
});

Deno.test("createScrubber().value() hides by name, at any depth, and gives plain JSON", () => {
  const cyclic: Record<string, unknown> = {
    password: "x",
    nested: { smtp_password: 1, list: [{ Token: "t", n: 10n }] },
  };
  cyclic.self = cyclic;
  const plain = value(cyclic) as Record<string, unknown>;
  assert.equal(plain.password, "***");
  assert.deepEqual(plain.nested, { smtp_password: "***", list: [{ Token: "***", n: "10" }] });
  assert.ok(JSON.stringify(plain).length > 0);
});

Deno.test("createScrubber().value() keeps what an error says, without its secrets", () => {
  const error = new Error("Cannot reach https://ada:hunter2@nas", { cause: new TypeError("password=hunter2") });
  const json = JSON.stringify(value({ error }));
  assert.match(json, /Cannot reach https:\/\/\*\*\*@nas/);
  assert.match(json, /TypeError/);
  assert.doesNotMatch(json, /hunter2/);
});

Deno.test("createScrubber().value() gives JSON for every value", () => {
  fc.assert(fc.property(fc.anything({ withDate: true, withBigInt: true, withMap: true }), (anything) => {
    JSON.stringify(value({ anything }));
  }));
});

Deno.test("isSecretName() knows the usual spellings", () => {
  for (
    const name of [
      "password",
      "SMTP_PASS",
      "appPassword",
      "AWS_SESSION_TOKEN",
      "secretAccessKey",
      "api-key",
      "accessKeyId",
    ]
  ) {
    assert.ok(isSecretName(name), name);
  }
  for (const name of ["key", "path", "bucket", "passed", "host"]) assert.ok(!isSecretName(name), name);
});

Deno.test("createScrubber() leaves a template as it is written: it names a secret and holds none", () => {
  const { text } = createScrubber({});
  assert.equal(text('argv = ["password=${env.PASS}"]'), 'argv = ["password=${env.PASS}"]');
  assert.equal(text("password = hunter2hunter2"), "password = ***");
  assert.equal(text('argv = ["tool", "--password=hunter22", "x"]'), 'argv = ["tool", "--password=***", "x"]');
});

Deno.test("createScrubber().text() takes a time that grows with the text and no faster", () => {
  assertLinear(createScrubber({ API_TOKEN: "tokentoken", PASSWORD: "hunter22" }).text);
});

Deno.test("createScrubber() hides a secret within another one, and both where they overlap", () => {
  const { add, text } = createScrubber({ A_TOKEN: "hunter22", B_TOKEN: "see hunter22 run", C_TOKEN: "running" });
  assert.equal(text("hunter22; see hunter22 run; see hunter22 running"), "***; ***; ***");
  add("22; s");
  assert.equal(text("hunter22; see"), "***ee");
});

Deno.test("createScrubber() takes no ordinary word for a secret, whatever its variable is called", () => {
  const words = { A_TOKEN: "", B_TOKEN: "e", C_TOKEN: "    ", TOKENIZERS_PARALLELISM: "false", D_SECRET: "None" };
  const plain = "    the false alarm of None, here";
  assert.equal(createScrubber(words).text(plain), plain);
});

Deno.test("createScrubber() takes a secret letter by letter, not as an expression", () => {
  const { text } = createScrubber({ A_TOKEN: "a.*+(b", B_TOKEN: "[$&]\\d" });
  assert.equal(text("a.*+(b, [$&]\\d, axx(b, 55555"), "***, ***, axx(b, 55555");
});

Deno.test("createScrubber() hides the whole password of a URL that holds an @", () => {
  assert.equal(text("at https://ada:p@ss@nas/x"), "at https://***@nas/x");
});

Deno.test("createScrubber().value() hides secrets in the names of entries", () => {
  assert.deepEqual(value({ "https://ada:hunter2@nas": { "wJalrXUtnFEMI/K7MDENG": 1 } }), {
    "https://***@nas": { "***": 1 },
  });
});

Deno.test("createScrubber().value() shows objects that name each other without filling the memory", () => {
  const ring: Record<string, unknown>[] = Array.from({ length: 12 }, () => ({}));
  for (const one of ring) for (const [at, other] of ring.entries()) one[`to${at}`] = other;
  let shown = 0;
  const { value } = createScrubber({});
  const countAll = (copy: unknown): void => {
    shown++;
    if (typeof copy === "object" && copy !== null) Object.values(copy).forEach(countAll);
  };
  countAll(value(ring));
  assert.ok(shown < 3_000_000, `${shown}`);
  assert.deepEqual(value([[1], [1]]), [[1], [1]]);
  const shared = { a: 1 };
  assert.deepEqual(value([shared, shared]), [shared, shared]);
});
