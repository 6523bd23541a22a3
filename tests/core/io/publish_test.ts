import assert from "node:assert/strict";
import { publish, publishSync } from "../../../core/io/publish.ts";
import { MemoryFileSystem, type MountOptions, systemError } from "../../../testing/memory_file_system.ts";

/** A disk with both calls, with links only, and with neither. */
const MOUNTS: MountOptions[] = [{}, { renameNew: false }, { renameNew: false, links: false }];
const WAYS = {
  publish: (fs: MemoryFileSystem, from: string, to: string) => publish(fs, from, to),
  publishSync: async (fs: MemoryFileSystem, from: string, to: string) => await publishSync(fs.disk, from, to),
};
const world = (mount: MountOptions) => new MemoryFileSystem({ mounts: { "/nas": mount }, files: { "/nas/t": "new" } });

for (const [name, way] of Object.entries(WAYS)) {
  Deno.test(`S7 ${name}() gives the name when it is free and never replaces, whatever the share can do`, async () => {
    for (const mount of MOUNTS) {
      const fs = world(mount);
      assert.equal(await way(fs, "/nas/t", "/nas/a"), true);
      assert.deepEqual(fs.tree("/nas"), { "/nas/a": "new" });
      fs.seed({ "/nas/t": "newer" });
      assert.equal(await way(fs, "/nas/t", "/nas/a"), false);
      assert.deepEqual(fs.tree("/nas"), { "/nas/a": "new", "/nas/t": "newer" });
    }
  });

  Deno.test(`S7 ${name}() takes only what says so for a share without links`, async () => {
    for (const code of ["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EINVAL"]) {
      const fs = world({ renameNew: false });
      fs.fault = ({ operation }) => {
        if (operation === "link") throw systemError(code);
      };
      assert.equal(await way(fs, "/nas/t", "/nas/a"), true, code);
    }
    for (const code of ["EIO", "ENOSPC", "ESTALE"]) {
      const fs = world({ renameNew: false });
      fs.fault = ({ operation }) => {
        if (operation === "link") throw systemError(code);
      };
      await assert.rejects(way(fs, "/nas/t", "/nas/a"), { code });
      assert.deepEqual(fs.tree("/nas"), { "/nas/t": "new" });
    }
  });
}
