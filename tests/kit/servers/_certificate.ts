import { join } from "@std/path";

export interface Certificate {
  /** PEM files. */
  caFile: string;
  certFile: string;
  keyFile: string;
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
}

/** Makes a certification authority of a day, and a certificate of it for 127.0.0.1. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const [caFile, caKey, certFile, keyFile, request, extensions] = [
    "ca.pem",
    "ca.key",
    "cert.pem",
    "cert.key",
    "cert.csr",
    "extensions.cnf",
  ].map((name) => join(folder, name));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-days",
    "1",
    "-subj",
    "/CN=labferry test CA",
    "-keyout",
    caKey,
    "-out",
    caFile,
  );
  await openssl("req", ...key, "-subj", "/CN=127.0.0.1", "-keyout", keyFile, "-out", request);
  await Deno.writeTextFile(extensions, "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n");
  await openssl(
    ...["x509", "-req", "-in", request, "-CA", caFile, "-CAkey", caKey, "-CAcreateserial", "-days", "1"],
    ...["-extfile", extensions, "-out", certFile],
  );
  return { caFile, certFile, keyFile };
}
