import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { objectIdentifier, sequence } from "../x509/der.ts";
import { type CertificateSigner, contentInfoOf, SIGNED_DATA, writeSignedData } from "../x509/signed-data.ts";
import { DATA } from "./detached-signature.ts";
import type { SignedRootHash } from "./signature-partition.ts";

/** As systemd-repart makes it. */
const PARTITION_BYTES = 16 * 1024;

/**
 * Signs a root hash, in the same bytes as systemd-repart.
 *
 * @param rootHash 64 lower-case hexadecimal digits, which are what is signed
 * @throws AshlarError as {@link signDetached}
 */
export function signRootHash(rootHash: string, signer: CertificateSigner): SignedRootHash {
  return {
    rootHash,
    certificateSha256: hash("sha256", signer.certificate.raw),
    signature: signDetached(Buffer.from(rootHash, "latin1"), signer),
  };
}

/**
 * Signs any content, in the same bytes as `openssl smime -sign -binary -noattr` (RFC 2315, section 9).
 *
 * @throws AshlarError as {@link writeSignedData}
 */
export function signDetached(content: Uint8Array, signer: CertificateSigner): Uint8Array {
  const signedData = writeSignedData(sequence(objectIdentifier(DATA)), content, signer);
  return new Uint8Array(contentInfoOf(SIGNED_DATA, signedData));
}

/** The bytes of a `-verity-sig` partition. */
export function writeSignaturePartition({ rootHash, certificateSha256, signature }: SignedRootHash): Uint8Array {
  const base64 = Buffer.from(signature).toString("base64");
  const text = JSON.stringify({ rootHash, certificateFingerprint: certificateSha256, signature: base64 });
  if (text.length > PARTITION_BYTES) {
    throw new AshlarError("limit", `verity signature: expected at most ${PARTITION_BYTES} bytes, found ${text.length}`);
  }
  const bytes = new Uint8Array(PARTITION_BYTES);
  bytes.set(Buffer.from(text, "latin1"));
  return bytes;
}
