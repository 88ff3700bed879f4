import { type KeyObject, hash, sign, type X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { der, nothing, objectIdentifier, positiveInteger, sequence, set } from "../x509/der.ts";
import { DER_TAGS } from "../x509/der-reader.ts";
import { issuerAndSerialOf } from "./detached-signature.ts";
import type { SignedRootHash } from "./signature-partition.ts";

export type RootHashSigner = { readonly privateKey: KeyObject; readonly certificate: X509Certificate };

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const DATA = "1.2.840.113549.1.7.1";
const SHA256 = "2.16.840.1.101.3.4.2.1";
const RSA = "1.2.840.113549.1.1.1";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
/** As systemd-repart makes it. */
const PARTITION_BYTES = 16 * 1024;

/**
 * Signs a root hash, in the same bytes as systemd-repart.
 *
 * @param rootHash 64 lower-case hexadecimal digits, which are what is signed
 * @throws AshlarError as {@link signDetached}
 */
export function signRootHash(rootHash: string, signer: RootHashSigner): SignedRootHash {
  return {
    rootHash,
    certificateSha256: hash("sha256", signer.certificate.raw),
    signature: signDetached(Buffer.from(rootHash, "latin1"), signer),
  };
}

/**
 * Signs any content, in the same bytes as `openssl smime -sign -binary -noattr` (RFC 2315, section 9).
 *
 * @throws AshlarError `invalid` when key and certificate do not belong together, or are of another kind than RSA or EC
 */
export function signDetached(content: Uint8Array, { privateKey, certificate }: RootHashSigner): Uint8Array {
  const type = privateKey.asymmetricKeyType;
  if (!certificate.checkPrivateKey(privateKey) || (type !== "rsa" && type !== "ec")) {
    throw new AshlarError(
      "invalid",
      `expected the RSA or EC key of the certificate ${certificate.subject}, found another`,
    );
  }
  const one = positiveInteger(Uint8Array.of(1));
  const sha256 = sequence(objectIdentifier(SHA256), nothing());
  const algorithm =
    type === "rsa" ? sequence(objectIdentifier(RSA), nothing()) : sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const signature = der(DER_TAGS.octetString, sign("sha256", content, privateKey));
  const signer = sequence(one, issuerAndSerialOf(certificate.raw), sha256, algorithm, signature);
  const signedData = sequence(
    one,
    set(sha256),
    sequence(objectIdentifier(DATA)),
    der(DER_TAGS.context0, certificate.raw),
    set(signer),
  );
  return new Uint8Array(sequence(objectIdentifier(SIGNED_DATA), der(DER_TAGS.context0, signedData)));
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
