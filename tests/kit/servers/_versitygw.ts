import { join } from "@std/path";
import { tempDir } from "../temp.ts";
import { makeCertificate } from "./_certificate.ts";
import { serverMissing, serverProgram } from "./_program.ts";
import { startOnPorts, waitForHttp } from "./_wait.ts";
import { ACCESS_KEY, SECRET_KEY } from "../keys.ts";
import type { StartedServer } from "./servers.ts";

/** Why versitygw cannot be started. */
export const versitygwMissing = () => serverMissing("versitygw");

/** Says which module version a Go program was built from. */
async function versionOf(path: string): Promise<string> {
  const { stdout } = await new Deno.Command(path, { args: ["--version"], stderr: "null" }).output();
  const words = /Version\s*:\s*(\S+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? "unknown";
  if (words !== "git") return words;
  // `go install` keeps the version as build information only.
  const go = await new Deno.Command("go", { args: ["version", "-m", path], stderr: "null" }).output().catch(() =>
    undefined
  );
  return /^\s*mod\s+\S+\s+(\S+)/m.exec(new TextDecoder().decode(go?.stdout))?.[1] ?? words;
}

/** Starts versitygw on a folder of its own. */
export async function startVersitygw(options: { tls: boolean }): Promise<StartedServer> {
  await using stack = new AsyncDisposableStack();
  const path = (await serverProgram("versitygw"))!;
  const dir = stack.use(await tempDir());
  const data = join(dir.path, "data");
  await Deno.mkdir(data);
  const certificate = options.tls ? await makeCertificate(dir.path) : undefined;
  const tls = certificate ? ["--cert", certificate.certFile, "--key", certificate.keyFile] : [];
  // A path that no other server answers with 200.
  const health = `/health-${crypto.randomUUID()}`;
  const endpointOf = (port: number) => `${options.tls ? "https" : "http"}://127.0.0.1:${port}`;
  const caCerts = certificate ? [await Deno.readTextFile(certificate.caFile)] : [];
  using client = Deno.createHttpClient({ caCerts });
  const server = stack.use(
    await startOnPorts({
      count: 1,
      spawn: ([port]) =>
        new Deno.Command(path, {
          args: ["--port", `127.0.0.1:${port}`, "--health", health, "--quiet", "--keep-alive", ...tls, "posix", data],
          env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
          cwd: dir.path,
          stdin: "null",
          stdout: "null",
          stderr: "null",
        }).spawn(),
      isReady: ([port], signal) => waitForHttp(endpointOf(port) + health, { signal, client, isOurs: ({ ok }) => ok }),
    }),
  );
  const version = await versionOf(path);
  const kept = stack.move();
  return {
    name: options.tls ? "versitygw over TLS" : "versitygw",
    version,
    endpoint: endpointOf(server.ports[0]),
    caFile: certificate?.caFile,
    traits: { checksums: true, completeIfAbsent: true },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
