import assert from "node:assert/strict";
import { join } from "@std/path";
import { lab } from "../commands/_lab.ts";
import { whyTooOpen } from "../../cli/smtp_env_mode.ts";

Deno.test({
  name: "whyTooOpen() warns of a file of credentials that others may read; lint tells of it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using place = await lab();
    const file = join(place.path, "smtp.env");
    assert.equal(await whyTooOpen(file), undefined);
    await Deno.writeTextFile(file, "", { mode: 0o600 });
    assert.equal(await whyTooOpen(file), undefined);
    await Deno.chmod(file, 0o640);
    assert.match(await whyTooOpen(file) ?? "", /mode 640\): run chmod 600 on it$/);
    const { code, stderr } = await place.cli(["lint", "local", "--offline"]);
    assert.equal(code, 0);
    assert.match(stderr, /can be read by others/);
  },
});
