import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { selfSignedCertificatePem } from "@ashlar/formats";
import { writeFileAtomically } from "@ashlar/host";

export type TlsIdentity = {
  /** The private key and its certificate. */
  readonly pem: string;
  /** SubjectPublicKeyInfo, DER: what a quote binds its nonce to. */
  readonly publicKey: Uint8Array;
};

const CERTIFICATE_NAME = "ashlar-agent";

/**
 * The TLS key of this boot. It is kept in `path`, on a tmpfs, so that an agent that idled out comes back with the same
 * key; the next boot has another one.
 */
export async function loadTlsIdentity(path: string): Promise<TlsIdentity> {
  if (!existsSync(path)) await writeFileAtomically(path, createPem(), 0o600);
  const pem = readFileSync(path, "utf8");
  const publicKey = createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "der" });
  return { pem, publicKey };
}

function createPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = selfSignedCertificatePem(privateKey, CERTIFICATE_NAME, randomBytes(16));
  return `${privateKey.export({ type: "pkcs8", format: "pem" })}${certificate}`;
}
