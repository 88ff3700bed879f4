import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type TestCa = {
  readonly certificate: string;
  /** As `kubeadm token create --print-join-command` writes it. */
  readonly digest: string;
  /** Certificate and key in one, as the kubelet keeps them; ends in so many days from now. */
  readonly issue: (days: number) => string;
};

/** A cluster's CA, made by openssl; the digest is not computed by what is tested. */
export function makeTestCa(): TestCa {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-ca-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const openssl = (...args: readonly string[]): Buffer =>
    execFileSync("openssl", args, { cwd: directory, stdio: ["ignore", "pipe", "ignore"] });
  const read = (name: string): string => readFileSync(join(directory, name), "utf8");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=kubernetes", "-days", "30");
  openssl("pkey", "-in", "ca.key", "-pubout", "-outform", "DER", "-out", "ca.der");
  return {
    certificate: read("ca.crt"),
    digest: `sha256:${openssl("dgst", "-sha256", "-r", "ca.der").toString("utf8").slice(0, 64)}`,
    issue: (days) => {
      const subject = "/O=system:nodes/CN=system:node:node-1";
      openssl("req", ...key, "-keyout", "node.key", "-out", "node.csr", "-subj", subject);
      const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-days", String(days)];
      openssl("x509", "-req", "-in", "node.csr", "-out", "node.crt", ...signer);
      return read("node.crt") + read("node.key");
    },
  };
}
