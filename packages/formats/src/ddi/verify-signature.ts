import { hash, verify, type X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { issuerAndSerialOf } from "../x509/signed-data.ts";
import { parseDetachedSignature } from "./detached-signature.ts";
import type { SignedRootHash } from "./signature-partition.ts";

/**
 * Checks that one of the certificates has signed the root hash, and gives that one. What a certificate says of its
 * dates, its use or its issuer plays no part, as for systemd and the kernel: being in the list is the trust.
 *
 * @throws AshlarError `malformed` (the signature), `untrusted`
 */
export function verifyRootHashSignature(
  { rootHash, certificateSha256, signature }: SignedRootHash,
  certificates: readonly X509Certificate[],
): X509Certificate {
  const parsed = parseDetachedSignature(signature);
  const certificate = certificates.find(({ raw }) => hash("sha256", raw) === certificateSha256);
  if (certificate === undefined) {
    throw new AshlarError(
      "untrusted",
      `expected a signature by a trusted certificate, found one by ${certificateSha256}`,
    );
  }
  if (Buffer.compare(issuerAndSerialOf(certificate.raw), parsed.issuerAndSerial) !== 0) {
    untrusted(certificate, "found one that names another certificate");
  }
  // Not needed, and not believed: but a signature has no room for anything else.
  if (parsed.certificates.length > 0 && !certificate.raw.equals(parsed.certificates)) {
    untrusted(certificate, "found one with another certificate inside");
  }
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType !== parsed.keyType) {
    untrusted(certificate, `found one with ${parsed.keyType} instead of ${publicKey.asymmetricKeyType}`);
  }
  if (!verify(parsed.digest, Buffer.from(rootHash, "latin1"), publicKey, parsed.signature)) {
    untrusted(certificate, "found one that does not hold");
  }
  return certificate;
}

function untrusted({ subject }: X509Certificate, found: string): never {
  throw new AshlarError("untrusted", `expected the signature of the root hash by ${subject}, ${found}`);
}
