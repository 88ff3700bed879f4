import { hash, verify, type X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { issuerAndSerialOf } from "../x509/signed-data.ts";
import { authenticodeDigest } from "./authenticode-digest.ts";
import { parseCertificateTable, type AuthenticodeSignature } from "./authenticode-signature.ts";
import { parsePe } from "./parse-pe.ts";

/**
 * Checks that one of the certificates has signed a PE file, as firmware with these in its database does, and gives that one. Being in
 * the list is the trust: dates and issuers play no part, and a certificate in it vouches for no other.
 *
 * @throws AshlarError `untrusted`, or `malformed` or `limit` as `parsePe` and for a signature that cannot be read
 */
export function verifyPe(bytes: Uint8Array, certificates: readonly X509Certificate[]): X509Certificate {
  const { certificateTable } = parsePe(bytes);
  if (certificateTable === undefined) throw untrusted("no signature");
  const { offset, size } = certificateTable;
  const signatures = parseCertificateTable(bytes.subarray(offset, offset + size));
  for (const signature of signatures) {
    const signer = certificates.find(({ raw }) =>
      Buffer.from(signature.issuerAndSerial).equals(issuerAndSerialOf(raw)),
    );
    if (signer === undefined) continue;
    if (!Buffer.from(authenticodeDigest(bytes, signature.digest)).equals(signature.imageDigest)) {
      throw untrusted("the signature of another file");
    }
    if (holds(signature, signer)) return signer;
    throw untrusted(`one by ${signer.subject} that does not hold`);
  }
  throw untrusted(signatures.length === 0 ? "no signature" : "one by another certificate");
}

function holds(
  { digest, content, contentDigest, keyType, toBeSigned, signature }: AuthenticodeSignature,
  signer: X509Certificate,
): boolean {
  return (
    hash(digest, content, "buffer").equals(contentDigest) &&
    signer.publicKey.asymmetricKeyType === keyType &&
    verify(digest, toBeSigned, signer.publicKey, signature)
  );
}

function untrusted(found: string): AshlarError {
  return new AshlarError("untrusted", `PE file: expected a signature by a trusted certificate, found ${found}`);
}
