import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../processes/tools";

/** A certificate that is its own authority, and its key, as PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Makes a certificate for 127.0.0.1 with openssl, good for two days. */
export async function loopbackCertificate(): Promise<Certificate> {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  try {
    const cert = join(folder, "tls.crt");
    const key = join(folder, "tls.key");
    await run(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        ...["-keyout", key, "-out", cert],
      ],
      { purpose: "make a certificate for 127.0.0.1" },
    );
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
